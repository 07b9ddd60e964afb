//! Runs the transcripts of `tests/commands`, one test a file.
//!
//! `cargo test --test transcripts` starts a `redis-server` when there is one, and with `--features native` the server of this
//! crate. `ORACLE=host:port` and `KEYSIDE=host:port` name running ones instead (they are emptied!). `UPDATE=1` writes the
//! oracle's replies into the files. Without a `redis-server` only keyside is asked, unless `CI=true`: then that is a failure.

mod transcript;

use std::io::{Write, stderr};
use std::path::PathBuf;
use std::{env, fs, panic::resume_unwind, thread};

use transcript::document::Document;
use transcript::in_process::InProcess;
use transcript::peer::{Kind, Peer};
use transcript::runner::{Correction, Report, run};
use transcript::target::Tcp;

macro_rules! families {
    ($($name:ident)*) => {
        const FAMILIES: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                with_stack_of_a_process(|| check(stringify!($name)));
            }
        )*
    };
}

families! {
    acl string bitmap hash list set sorted_set stream generic connection server pubsub transactions waiting tracking
    bad_input scan hyperloglog geo sort scripting replication
}

#[test]
fn every_file_is_a_family() {
    let names = fs::read_dir(directory()).expect("tests/commands is a directory").map(|entry| {
        entry.expect("its entries can be read").file_name().into_string().expect("their names are UTF-8")
    });
    let mut names: Vec<_> = names.filter(|name| name != "README.md").collect();
    let mut expected: Vec<_> = FAMILIES.iter().map(|family| format!("{family}.md")).collect();
    names.sort();
    expected.sort();
    assert_eq!(names, expected);
}

/// Runs `test` with as much stack as the server has: unoptimised, what scripts may nest takes more than a thread's.
fn with_stack_of_a_process(test: fn()) {
    const STACK: usize = 8 << 20;
    let thread = thread::Builder::new().stack_size(STACK).spawn(test).expect("a thread can be started");
    if let Err(panic) = thread.join() {
        resume_unwind(panic);
    }
}

fn directory() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "commands"].iter().collect()
}

fn check(family: &str) {
    let file = directory().join(format!("{family}.md"));
    let path = format!("tests/commands/{family}.md");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
    let document = Document::parse(&path, &text).unwrap_or_else(|error| panic!("{error}"));
    let update = env::var_os("UPDATE").is_some();
    let mut failures = Vec::new();
    let mut judge = |name: String, report: Report| {
        // Straight to the descriptor: the harness shows only what failing tests print.
        let _ = writeln!(
            stderr(),
            "{path}: {} replies from {name}, {} differ, {} blocks left out, {} corrected",
            report.exchanges,
            report.failures.len(),
            report.skipped,
            report.corrections.len()
        );
        if report.failures.is_empty() && !report.corrections.is_empty() {
            fs::write(&file, Correction::apply(report.corrections, &document))
                .expect("the transcript can be written");
        }
        failures.extend(report.failures.iter().map(|failure| format!("[{name}] {failure}")));
    };
    for peer in [Peer::oracle(), Peer::keyside()].into_iter().flatten() {
        let report = run(&document, &mut Tcp { address: peer.address }, peer.kind, update);
        let name = match peer.kind {
            Kind::Redis => format!("Redis {}", report.version),
            Kind::Keyside => "keyside-server".into(),
        };
        judge(name, report);
    }
    if !update {
        judge("keyside in process".into(), run(&document, &mut InProcess::new(), Kind::Keyside, false));
    }
    assert!(failures.is_empty(), "\n\n{}\n", failures.join("\n\n"));
}
