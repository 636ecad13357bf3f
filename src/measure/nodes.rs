//! How many GPUs a row ran on, and in how many nodes.

use crate::diagnostic::Diagnostic;
use crate::quantity::{MAX_COUNT, counted};

use super::column::Column;
use super::grid::Grid;
use super::notes::Notes;
use super::row::Row;

/// Most GPUs that a node is taken to have where no row says so, but their numbers: an assumption.
const MOST_OF_A_NODE: u64 = 16;

/// What a row says of its GPUs and nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gpus {
    pub(super) count: u64,
    /// GPUs in a node, where they make other nodes of its GPUs than usual.
    pub(super) per_node: Option<u64>,
}

impl Gpus {
    /// Reads them, and compares what a row tells twice. Nodes usually have `usual` GPUs.
    pub(super) fn read(row: &Row<'_>, usual: u64, notes: &mut Notes) -> Result<Self, Diagnostic> {
        let usual = usual.max(1);
        let told = row.integer(Column::Gpus, MAX_COUNT)?;
        let nodes = nodes(row, told.is_some(), notes)?;
        let per_node = row.integer(Column::GpusPerNode, MAX_COUNT)?;
        let told = match (told, nodes, per_node) {
            (Some(each), Some(nodes), None)
                if each == usual && row.gpus_of_a_node == Some(each) =>
            {
                Some(of_each(row, each, nodes, notes)?)
            }
            _ => told,
        };
        let product = match (nodes, per_node) {
            (Some(nodes), Some(per_node)) => Some(nodes.saturating_mul(per_node)),
            _ => None,
        };
        if let (Some(product), Some(cell)) = (product, row.cell(Column::Nodes))
            && product > MAX_COUNT
        {
            let expected = format!(
                "expected at most {}, with the GPUs of each",
                counted(MAX_COUNT, "GPU")
            );
            return Err(row.refuse(cell, Column::Nodes, &expected));
        }
        let prefix = prefix(row)?;
        let count = match (told.or(product), prefix) {
            (Some(count), _) => count,
            (None, Some(prefix)) => match nodes {
                Some(nodes) => of_nodes(row, prefix, nodes, usual, notes)?,
                None => prefix,
            },
            (None, None) => {
                let wanted = "`gpus` (nor `nodes` and `gpus_per_node`)";
                return Err(row.missing(Column::Gpus, wanted));
            }
        };
        check_prefix(row, count, nodes, per_node)?;
        if let (Some(nodes), Some(per_node)) = (nodes, per_node)
            && count.div_ceil(per_node) != nodes
        {
            let message = format!(
                "{} contradict {} of {per_node}",
                counted(count, "GPU"),
                counted(nodes, "node")
            );
            let expected = format!(
                "expected {} GPUs, or {}",
                nodes.saturating_mul(per_node),
                count.div_ceil(per_node)
            );
            let context = [Column::Gpus, Column::GpusPerNode];
            return Err(row.contradiction(Column::Nodes, &message, &expected, &context));
        }
        let in_nodes = nodes.or_else(|| per_node.map(|per_node| count.div_ceil(per_node)));
        let as_usual = in_nodes.is_none_or(|nodes| nodes == count.div_ceil(usual));
        Ok(Self {
            count,
            per_node: match (as_usual, per_node, nodes) {
                (true, ..) | (_, None, None) => None,
                (false, Some(per_node), _) => Some(per_node),
                (false, None, Some(nodes)) => Some(inferred(row, count, nodes, usual)?),
            },
        })
    }
}

/// The number of nodes. Where GPUs are counted, nodes may be listed by name instead.
fn nodes(row: &Row<'_>, counted: bool, notes: &mut Notes) -> Result<Option<u64>, Diagnostic> {
    let named = row.cell(Column::Nodes);
    let named = named.filter(|cell| !cell.text.starts_with(|c: char| c.is_ascii_digit()));
    match named {
        Some(_) if counted => {
            let header = row.spelled(Column::Nodes, named);
            notes.add(row.line(), format!("`{header}` is no number and not used"));
            Ok(None)
        }
        _ => row.integer(Column::Nodes, MAX_COUNT),
    }
}

/// The number in front of a GPU's name (`32xA100_40GB`).
fn prefix(row: &Row<'_>) -> Result<Option<u64>, Diagnostic> {
    let mut found = None;
    for cell in row.cells(Column::Gpu) {
        match split_count(&cell.text).0 {
            Some(0) => {
                return Err(row.refuse(cell, Column::Gpu, "expected at least one GPU"));
            }
            Some(count) if found.is_some_and(|found| found != count) => {
                let expected = "expected as many GPUs as in the other GPU column";
                return Err(row.refuse(cell, Column::Gpu, expected));
            }
            count => found = found.or(count),
        }
    }
    Ok(found)
}

/// The GPUs that a table's column of them says in every row, whatever the number of nodes is: it
/// counts those of each node, where nodes usually have as many.
pub(super) fn gpus_of_a_node(grid: &Grid, columns: &[Option<Column>]) -> Option<u64> {
    let counts = |column| {
        let at = columns.iter().position(|held| *held == Some(column));
        let cells = grid.rows.iter().filter_map(move |row| row.cells.get(at?));
        cells.map(|cell| cell.text.parse::<u64>().ok())
    };
    let mut nodes = counts(Column::Nodes);
    let first = nodes.next().flatten();
    let each = counts(Column::Gpus).next().flatten()?;
    let alike = counts(Column::Gpus).all(|gpus| gpus == Some(each));
    (alike && nodes.any(|nodes| nodes != first)).then_some(each)
}

/// All GPUs of so many nodes with as many each.
fn of_each(row: &Row<'_>, each: u64, nodes: u64, notes: &mut Notes) -> Result<u64, Diagnostic> {
    let all = each.checked_mul(nodes).filter(|all| *all <= MAX_COUNT);
    let all = all.ok_or_else(|| {
        let message = format!("{each} GPUs on each of {nodes} nodes are more than {MAX_COUNT}");
        row.contradiction(Column::Nodes, &message, "too large", &[Column::Gpus])
    })?;
    if nodes > 1 {
        let header = row.spelled(Column::Gpus, row.cell(Column::Gpus));
        let text = format!(
            "`{header}` says {each} on whatever number of nodes, and is read as the GPUs of each: `gpus_per_node` \
             heads those"
        );
        notes.add(row.line(), text);
    }
    Ok(all)
}

/// GPUs of `8xH100` on so many nodes: eight of each, where nodes have eight, or all of them.
fn of_nodes(
    row: &Row<'_>,
    prefix: u64,
    nodes: u64,
    usual: u64,
    notes: &mut Notes,
) -> Result<u64, Diagnostic> {
    if nodes == 1 || prefix.div_ceil(usual) == nodes {
        return Ok(prefix);
    }
    let all = prefix.checked_mul(nodes).filter(|all| *all <= MAX_COUNT);
    if let Some(all) = all.filter(|_| prefix == usual) {
        let text =
            format!("{prefix} GPUs are read as those of each of {nodes} nodes: {all} together");
        notes.add(row.line(), text);
        return Ok(all);
    }
    let message = format!("{prefix} GPUs may be those of one of {nodes} nodes, or of all of them");
    let refusal = row.contradiction(
        Column::Gpu,
        &message,
        "expected `gpus` too",
        &[Column::Nodes],
    );
    Err(refusal.help("a column `gpus` of all GPUs, or one `gpus_per_node`, tells"))
}

/// The number in front of a GPU's name is that of all GPUs, or of those of a node.
fn check_prefix(
    row: &Row<'_>,
    count: u64,
    nodes: Option<u64>,
    per_node: Option<u64>,
) -> Result<(), Diagnostic> {
    for cell in row.cells(Column::Gpu) {
        let Some(prefix) = split_count(&cell.text).0 else {
            continue;
        };
        let of_a_node = nodes.and_then(|nodes| prefix.checked_mul(nodes)) == Some(count);
        if prefix != count && per_node != Some(prefix) && !of_a_node {
            let expected = format!("expected {count} GPUs as told by the row");
            return Err(row.refuse(cell, Column::Gpu, &expected));
        }
    }
    Ok(())
}

/// GPUs in each of so many nodes, which only the numbers of both tell.
fn inferred(row: &Row<'_>, count: u64, nodes: u64, usual: u64) -> Result<u64, Diagnostic> {
    let per_node = count.checked_div(nodes);
    let per_node = per_node.filter(|per_node| per_node.checked_mul(nodes) == Some(count));
    if let Some(per_node) = per_node.filter(|per_node| (1..=MOST_OF_A_NODE).contains(per_node)) {
        return Ok(per_node);
    }
    let message = format!(
        "{} on {} are not {usual} a node, as usual",
        counted(count, "GPU"),
        counted(nodes, "node"),
    );
    let expected = format!("expected {}", count.div_ceil(usual));
    let refusal = row.contradiction(Column::Nodes, &message, &expected, &[Column::Gpus]);
    Err(refusal.help("where nodes have others, a column `gpus_per_node` tells how many"))
}

/// Splits `32xA100_40GB` into 32 and `A100_40GB`.
pub(super) fn split_count(text: &str) -> (Option<u64>, &str) {
    let Some((count, name)) = text.split_once(['x', 'X', '×']) else {
        return (None, text);
    };
    match count.trim().parse() {
        Ok(count) => (Some(count), name.trim()),
        Err(_) => (None, text),
    }
}
