//! `keyside-server check-rdb` and `check-aof` on good and bad files: what they conclude, what they cut off, and that Redis's own
//! tools, where they are installed, say the same in the lines that matter. What is in the files is not looked at here.
#![cfg(feature = "native")]

use std::{
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use keyside::{Config, Engine, Origin};

const SET: &str = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = env::temp_dir().join(format!("keyside-check-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), bytes).unwrap();
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a tool said and left of a file, and whether it was content; none if there is no such tool.
fn run(program: &Path, words: &[&str], directory: &Directory) -> Option<(bool, String)> {
    let child = Command::new(program)
        .args(words)
        .current_dir(&directory.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = match child {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        child => child.unwrap(),
    };
    // Who has nothing to ask does not wait for the answer.
    let _ = child.stdin.take().unwrap().write_all(b"y\n");
    let output = child.wait_with_output().unwrap();
    Some((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// The lines that tell what was concluded.
fn conclusions(text: &str) -> Vec<&str> {
    let starts = ["[info]", "All AOF", "BASE AOF", "INCR AOF", "AOF", "Truncate", "Successfully", "Failed"];
    let matters = |line: &&str| {
        starts.iter().any(|start| line.starts_with(start))
            && !line.contains("format error")
            && !line.contains("analyzed")
            && !line.contains("has nothing before")
            || line.contains("looks OK")
            || line.contains("AUX FIELD")
    };
    text.lines().filter(matters).map(|line| line.trim_start_matches("Continue? [y/N]: ")).collect()
}

fn snapshot() -> Vec<u8> {
    let mut engine = Engine::new(Config::default(), 1);
    let client = engine.connect(Origin::default(), 0);
    engine.receive(client, b"SET a 1\r\nSET b 2 PXAT 32503680000000\r\nRPUSH l 1 2 3\r\n", 0);
    engine.snapshot()
}

/// Runs the tool on files of a directory, compares with Redis's, and returns what it said.
fn check(tool: &str, words: &[&str], fill: impl Fn(&Directory)) -> (bool, String, Directory) {
    let directory = Directory::new(&format!("{tool}-{}", words.join("-").replace('/', "_")));
    fill(&directory);
    let ours = [&[tool][..], words].concat();
    let (content, text) =
        run(Path::new(env!("CARGO_BIN_EXE_keyside-server")), &ours, &directory).expect("it was built");
    let other = Directory::new(&format!("redis-{tool}-{}", words.join("-").replace('/', "_")));
    fill(&other);
    if let Some((was_content, said)) = run(Path::new(&format!("redis-{tool}")), words, &other) {
        assert_eq!((content, conclusions(&text)), (was_content, conclusions(&said)), "{words:?}");
        for entry in fs::read_dir(&other.0).unwrap() {
            let name = entry.unwrap().file_name();
            let read = |directory: &Directory| fs::read(directory.0.join(&name)).unwrap();
            assert_eq!(read(&directory), read(&other), "{words:?} {name:?}");
        }
    }
    (content, text, directory)
}

#[test]
fn a_snapshot_is_told_from_what_is_none() {
    let whole = |directory: &Directory| directory.put("x.rdb", snapshot());
    let (content, text, _) = check("check-rdb", &["x.rdb"], whole);
    assert!(content && text.contains("[info] 3 keys read\n[info] 1 expires\n"), "{text}");
    let bytes = snapshot();
    for cut in [0, 5, 20, bytes.len() - 20, bytes.len() - 1] {
        let (content, text, _) =
            check("check-rdb", &["x.rdb"], |directory| directory.put("x.rdb", &bytes[..cut]));
        assert!(!content && !text.contains("looks OK"), "{text}");
    }
}

#[test]
fn a_short_end_is_cut_off_when_asked_to() {
    for (tail, kept) in [
        ("*3\r\n$3\r\nSET\r\n$1\r\nz", 1),
        ("*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nPING\r\n", 1),
        ("hello\r\n", 1),
        ("", 1),
    ] {
        let fill = |directory: &Directory| directory.put("x.aof", format!("{SET}{tail}"));
        let (content, _, _) = check("check-aof", &["x.aof"], fill);
        assert_eq!(content, tail.is_empty());
        let (content, _, directory) = check("check-aof", &["--fix", "x.aof"], fill);
        assert!(content);
        assert_eq!(fs::read(directory.0.join("x.aof")).unwrap(), SET.repeat(kept).as_bytes());
    }
}

#[test]
fn all_parts_are_checked_and_only_the_last_is_cut() {
    let parts = |first: &str, last: &str| {
        let (first, last) = (format!("{SET}{first}"), format!("#TS:100\r\n{SET}#TS:200\r\n{SET}{last}"));
        move |directory: &Directory| {
            directory.put(
                "x.manifest",
                "file x.1.base.rdb seq 1 type b\nfile x.1.incr.aof seq 1 type i\nfile x.2.incr.aof seq 2 type i\n",
            );
            directory.put("x.1.base.rdb", snapshot());
            directory.put("x.1.incr.aof", &first);
            directory.put("x.2.incr.aof", &last);
        }
    };
    assert!(check("check-aof", &["x.manifest"], parts("", "")).0);
    assert!(!check("check-aof", &["x.manifest"], parts("", "*1\r\n")).0);
    assert!(check("check-aof", &["--fix", "x.manifest"], parts("", "*1\r\n")).0);
    assert!(!check("check-aof", &["--fix", "x.manifest"], parts("*1\r\n", "")).0);
    let until = |second| ["--truncate-to-timestamp", second, "x.manifest"];
    let (content, _, directory) = check("check-aof", &until("150"), parts("", ""));
    assert!(content);
    let left = fs::read_to_string(directory.0.join("x.2.incr.aof")).unwrap();
    assert_eq!(left, format!("#TS:100\r\n{SET}"));
    assert!(check("check-aof", &until("200"), parts("", "")).0);
    assert!(!check("check-aof", &until("50"), parts("", "")).0);
    assert!(!check("check-aof", &["--truncate-to-timestamp", "x", "x.manifest"], parts("", "")).0);
}
