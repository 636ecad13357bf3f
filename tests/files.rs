//! Files that go wrong: what was there stays whole, the error says what happened, and nothing
//! large is read into memory.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    reason = "in a test a wrong value is a failure, helpers included"
)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const JOB: [&str; 7] = [
    "plan",
    "--model",
    "gpt-1b",
    "--cluster",
    "r1z1",
    "--format",
    "json",
];

fn tminus() -> Command {
    Command::new(env!("CARGO_BIN_EXE_tminus"))
}

fn plan_to(target: &Path) -> Output {
    tminus().args(JOB).arg("-o").arg(target).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn is_whole(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).is_ok()
}

/// A limit on the memory and the time that a command may take.
fn bounded(arguments: &[&OsStr], stdin: Stdio) -> Output {
    let started = Instant::now();
    // 1 GiB of address space: a 1 GB file read whole doesn't fit beside the program.
    let output = Command::new("sh")
        .args(["-c", "ulimit -v 1048576; exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_tminus"))
        .args(arguments)
        .stdin(stdin)
        .output()
        .unwrap();
    assert!(started.elapsed() < Duration::from_secs(60));
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    output
}

#[test]
fn a_full_disk_is_said_to_be_full() {
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: there is no /dev/full here");
        return;
    }
    let output = plan_to(Path::new("/dev/full"));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("No space left"),
        "{}",
        stderr(&output)
    );
    let to_stdout = tminus()
        .args(JOB)
        .stdout(File::create("/dev/full").unwrap())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(to_stdout.status.code(), Some(2));
    assert!(
        stderr(&to_stdout).contains("stdout"),
        "{}",
        stderr(&to_stdout)
    );
}

/// A file system of its own, unmounted when it is done with.
struct Disk(tempfile::TempDir);

impl Disk {
    /// One with so little room; `None` where nobody may mount one.
    fn of(bytes: u32) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(directory.path())
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then_some(Self(directory))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// Who runs out of room reads the name of their own file, and keeps what was there.
#[test]
fn a_disk_that_fills_up_is_said_to_be_full() {
    let Some(disk) = Disk::of(16 << 10) else {
        eprintln!("skipped: this user can't mount a small file system");
        return;
    };
    let target = disk.0.path().join("plan.json");
    fs::write(&target, "old").unwrap();
    let output = plan_to(&target);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    let named = format!("`{}` could not be written: No space left", target.display());
    assert!(message.contains(&named), "{message}");
    assert!(!message.contains(".tminus-"), "{message}");
    assert_eq!(fs::read_to_string(&target).unwrap(), "old");
    assert_eq!(fs::read_dir(disk.0.path()).unwrap().count(), 1);

    let _ = fs::write(disk.0.path().join("filler"), vec![b'x'; 32 << 10]);
    let launched = disk.0.path().join("launched");
    let output = tminus()
        .args(["launch", "--model", "gpt-1b", "--cluster", "r1z1"])
        .args([
            "--gpus",
            "8",
            "--target",
            "deepspeed",
            "--accept-extrapolated",
            "-o",
        ])
        .arg(&launched)
        .output()
        .unwrap();
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("launched"), "{message}");
    assert!(message.contains("No space left"), "{message}");
    assert!(!message.contains(".tminus-"), "{message}");
    assert!(!launched.exists());
}

#[test]
fn a_read_only_file_or_directory_is_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("plan.json");
    fs::write(&target, "old").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o444)).unwrap();
    let output = plan_to(&target);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("read-only"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&target).unwrap(), "old");

    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let new = directory.path().join("new.json");
    if File::create(&new).is_ok() {
        eprintln!("skipped: permissions don't bind this user");
        return;
    }
    let output = plan_to(&new);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("new.json"), "{}", stderr(&output));
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_directory_that_is_gone_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let gone = directory.path().join("gone");
    let output = plan_to(&gone.join("plan.json"));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("no directory"),
        "{}",
        stderr(&output)
    );
    fs::create_dir(&gone).unwrap();
    let output = Command::new("sh")
        .args([
            "-c",
            "cd \"$1\" && rmdir \"$1\" && shift && exec \"$@\"",
            "sh",
        ])
        .arg(&gone)
        .arg(env!("CARGO_BIN_EXE_tminus"))
        .args(JOB)
        .args(["-o", "plan.json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("plan.json"), "{}", stderr(&output));
}

#[test]
fn any_path_can_be_read_and_written() {
    let directory = tempfile::tempdir().unwrap();
    for name in [
        &b"with space.json"[..],
        b"not utf-8 \xff\xfe.json",
        b"-dash.json",
        b"new\nline",
    ] {
        let target = directory.path().join(OsStr::from_bytes(name));
        let output = plan_to(&target);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(is_whole(&target));
        let job = directory.path().join(OsStr::from_bytes(name));
        fs::write(&job, "model = 'gpt-1b'\n").unwrap();
        let output = tminus().arg("plan").arg(&job).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
}

#[test]
fn runs_that_write_the_same_file_leave_one_whole() {
    let directory = tempfile::tempdir().unwrap();
    let target = directory.path().join("plan.json");
    let runs: Vec<_> = (1..=8)
        .map(|top: u32| {
            let mut command = tminus();
            command
                .args(JOB)
                .args(["--top", &top.to_string(), "-o"])
                .arg(&target);
            command.spawn().unwrap()
        })
        .collect();
    for mut run in runs {
        while run.try_wait().unwrap().is_none() {
            if target.exists() {
                assert!(is_whole(&target));
            }
        }
        assert!(run.wait().unwrap().success());
    }
    assert!(is_whole(&target));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn huge_files_are_refused_unread() {
    let directory = tempfile::tempdir().unwrap();
    for (name, command) in [
        ("job.toml", "plan"),
        ("table.csv", "evaluate"),
        ("fit.csv", "fit"),
    ] {
        let path = directory.path().join(name);
        // Sparse: a gigabyte of zeros that takes no room on the disk.
        File::create(&path).unwrap().set_len(1_000_000_000).unwrap();
        let mut arguments = vec![OsStr::new(command), path.as_os_str()];
        if command == "fit" {
            arguments.extend([OsStr::new("-o"), OsStr::new("/dev/null")]);
        }
        let output = bounded(&arguments, Stdio::null());
        assert!(stderr(&output).contains("64 MiB"), "{}", stderr(&output));
    }
    let endless = File::open("/dev/zero").unwrap();
    let output = bounded(&[OsStr::new("plan"), OsStr::new("-")], endless.into());
    assert!(stderr(&output).contains("64 MiB"), "{}", stderr(&output));
}

#[test]
fn a_line_of_a_hundred_megabytes_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("long.csv");
    let mut file = File::create(&path).unwrap();
    file.write_all(b"model,gpus\n").unwrap();
    let part = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        file.write_all(&part).unwrap();
    }
    let output = bounded(&[OsStr::new("evaluate"), path.as_os_str()], Stdio::null());
    assert!(stderr(&output).contains("64 MiB"), "{}", stderr(&output));
    // One that is just small enough to be read is refused for what it says, in few words.
    file.set_len(60 << 20).unwrap();
    let output = bounded(&[OsStr::new("evaluate"), path.as_os_str()], Stdio::null());
    assert!(
        output.stderr.len() < 10_000,
        "{} bytes",
        output.stderr.len()
    );
}

#[test]
fn deep_nesting_and_long_keys_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bomb.toml");
    let bombs = [
        format!("model = {}{}", "[".repeat(200_000), "]".repeat(200_000)),
        format!("model = {}1{}", "{a=".repeat(100_000), "}".repeat(100_000)),
        format!("{}a = 1", "a.".repeat(100_000)),
        format!("[{}a]\n", "a.".repeat(100_000)),
        format!("{} = 1", "k".repeat(10_000_000)),
        "[[models]]\n".repeat(300_000),
        format!("model = \"{}\"", "m".repeat(10_000_000)),
    ];
    for bomb in bombs {
        fs::write(&path, &bomb).unwrap();
        let output = bounded(&[OsStr::new("plan"), path.as_os_str()], Stdio::null());
        let message = stderr(&output);
        assert!(message.starts_with("error: "), "{message:.300}");
        if bomb.contains("[[[") || bomb.contains("{a={a") {
            assert!(message.contains("deeper than 80 levels"), "{message:.300}");
        }
        assert!(
            message.len() < 10_000,
            "{} bytes for {bomb:.40}",
            message.len()
        );
    }
}
