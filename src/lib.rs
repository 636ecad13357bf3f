//! T-minus: what to launch, on what, for how long and for how much.
//!
//! Given a model, a token budget and clusters, this crate predicts the throughput, the memory and
//! the cost of every launch configuration, says how sure it is, and ranks them.
//!
//! Data flows one way, and each room imports only those above it:
//!
//! | room | holds |
//! |---|---|
//! | [`quantity`] | tokens, bytes, seconds, dollars: parsed, bounded, displayed |
//! | [`calendar`] | dates and spans: parsed, displayed, added |
//! | `names` | a name as every scheduler takes it |
//! | `shell` | the words of a command, quoted |
//! | [`diagnostic`] | an error in a file: place, caret, remedy |
//! | [`model`] | the transformer's shape: parameters, FLOPs |
//! | [`hardware`] | GPU, node, cluster, links, prices |
//! | [`product`] | what lets one book nodes, and its rules |
//! | [`stack`] | precision and sharding policy: bytes on the wire and in memory |
//! | [`configuration`] | one launch configuration |
//! | [`utilization`] | MFU and HFU by convention |
//! | [`memory`] | peak bytes per GPU by part, and the verdict |
//! | [`preset`] | embedded presets; user files add to them or override them |
//! | [`measure`] | measured rows: CSV and Markdown tables |
//! | [`throughput`] | physics, fit, residual correction, intervals |
//! | [`fit_file`] | the embedded fit, and a user's own as a file |
//! | [`forecast`] | wall clock and cost |
//! | [`search`] | the space of configurations, the engine, the ranking |
//! | [`job`] | the job file and flags, resolved into one request |
//! | [`plan`] | the planner: a request and a fit become a ranked plan |
//! | [`compare`] | a launched run against its plan |
//! | [`schedule`] | several jobs on one calendar |
//! | [`reserve`] | a deadline, a budget or a node count becomes a booking |
//! | [`launch`] | a candidate becomes the files that launch it |
//! | [`advise`] | what to measure next |
//! | [`report`] | table, JSON, CSV, Markdown, HTML |
//! | [`cli`] | arguments and commands |
//!
//! Everything up to [`plan`] does no I/O, reads no clock and no environment: the same inputs give
//! the same bytes, whatever the number of threads.

pub mod advise;
pub mod calendar;
pub mod cli;
pub mod compare;
pub mod configuration;
pub mod diagnostic;
pub mod fit_file;
pub mod forecast;
pub mod hardware;
pub mod job;
pub mod launch;
pub mod measure;
pub mod memory;
pub mod model;
mod names;
pub mod plan;
pub mod preset;
pub mod product;
pub mod quantity;
pub mod report;
pub mod reserve;
pub mod schedule;
pub mod search;
mod shell;
pub mod stack;
pub mod throughput;
pub mod utilization;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// The rooms of the table above, in its order.
    fn rooms() -> Vec<&'static str> {
        let lines = include_str!("lib.rs").lines();
        let cells = lines.filter_map(|line| line.strip_prefix("//! | ")?.split(" |").next());
        let names = cells.map(|cell| cell.trim_matches(['[', ']', '`']));
        names.filter(|name| *name != "room").collect()
    }

    /// The files of a room, those apart that hold tests.
    fn sources(path: &Path) -> Vec<PathBuf> {
        if path.file_stem().is_some_and(|stem| stem == "tests") {
            return Vec::new();
        }
        match fs::read_dir(path) {
            Ok(entries) => entries
                .flat_map(|entry| sources(&entry.unwrap().path()))
                .collect(),
            Err(_) => vec![path.to_owned()],
        }
    }

    #[test]
    fn each_room_imports_only_those_above_it() {
        let rooms = rooms();
        let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut seen = 0;
        for (place, room) in rooms.iter().enumerate() {
            let files = [all.join(room), all.join(format!("{room}.rs"))];
            let files = files.iter().filter(|path| path.exists());
            for file in files.flat_map(|path| sources(path)) {
                let text = fs::read_to_string(&file).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                let lines = code
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"));
                let imports = lines.flat_map(|line| line.split("crate::").skip(1));
                for import in imports {
                    let end = import.find(|c: char| !(c.is_alphanumeric() || c == '_'));
                    let name = &import[..end.unwrap_or(import.len())];
                    let above = rooms.iter().position(|room| *room == name);
                    assert!(
                        above.is_some_and(|above| above <= place),
                        "{} imports `{name}`, which doesn't stand above `{room}`",
                        file.display()
                    );
                    seen += 1;
                }
            }
        }
        assert!(seen > 500, "{seen} imports of {} rooms", rooms.len());
    }
}
