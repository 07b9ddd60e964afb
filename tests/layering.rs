//! Reads the sources and holds them to the layout that ARCHITECTURE.md describes: which module may know which, where
//! `unsafe`, `std` and `cfg` may stand, and that every file says what it is.

use std::{fs, path::Path};

/// What each module may name, besides itself. The shells, `js` and `native`, may name everything.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("resp", &["error", "data::number"]),
    ("data", &["error"]),
    ("keyspace", &["error", "data"]),
    ("persistence", &["error", "data", "keyspace", "resp"]),
    ("replication", &["error", "resp", "data::number"]),
    ("commands", &["error", "resp", "data", "keyspace"]),
    ("engine", &["error", "resp", "data", "keyspace", "persistence", "replication", "commands"]),
    ("lua", &["engine::scripting", "engine::REDIS_VERSION", "resp", "data::number"]),
];

/// Names at the root of the crate that come from a module.
const AT_ROOT: &[(&str, &str)] =
    &[("Error", "error"), ("Result", "error"), ("Engine", "engine"), ("Config", "engine")];

/// The shells: the only code that waits, reads a clock, and knows on what it runs.
const SHELLS: &[&str] = &["lib.rs", "main.rs", "js/", "native/"];

/// A file longer than this, its tests left out, is two.
const LINES_MAX: usize = 1000;

/// A file of the crate.
struct Source {
    /// Its path below `src`.
    path: String,
    text: String,
}

impl Source {
    /// The lines without comments, up to the tests at the end.
    fn code(&self) -> String {
        let body = self.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        let code = |line: &str| line.split("//").next().unwrap_or_default().to_string();
        body.lines().map(code).collect::<Vec<_>>().join("\n")
    }

    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.path.starts_with(place))
    }

    /// Whether only tests are compiled from it.
    fn is_test(&self) -> bool {
        ["tests.rs", "testing.rs"].iter().any(|name| self.path.ends_with(name))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("its entries can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "rs") {
                let text = fs::read_to_string(&path).expect("a source is UTF-8");
                let path =
                    path.strip_prefix(&root).expect("it is below src").to_string_lossy().replace('\\', "/");
                found.push(Source { path, text });
            }
        }
    }
    assert!(found.len() > 20, "the sources are found");
    found
}

/// The paths that follow `crate::` in `code`, with groups in braces taken apart.
fn crate_paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (at, found) in code.match_indices("crate::") {
        expand("", &code[at + found.len()..], &mut paths);
    }
    paths
}

/// Adds what the use tree at the start of `text` names, each with `prefix`.
fn expand(prefix: &str, text: &str, paths: &mut Vec<String>) {
    let text = text.trim_start();
    if let Some(group) = text.strip_prefix('{') {
        for tree in trees(group) {
            expand(prefix, tree, paths);
        }
        return;
    }
    let len = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let path =
        if prefix.is_empty() { text[..len].to_string() } else { format!("{prefix}::{}", &text[..len]) };
    match text[len..].strip_prefix("::") {
        Some(rest) => expand(&path, rest, paths),
        None => paths.push(path),
    }
}

/// The trees of a group, up to its closing brace.
fn trees(group: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0, 0);
    let mut trees = Vec::new();
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => {
                trees.push(&group[start..at]);
                break;
            }
            ',' if depth == 0 => {
                trees.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    trees.retain(|tree| !tree.trim().is_empty());
    trees
}

#[test]
fn modules_know_only_those_below_them() {
    let mut wrong = Vec::new();
    for source in sources() {
        let module = source.module().to_string();
        let Some((_, allowed)) = MAY_NAME.iter().find(|(name, _)| *name == module) else {
            assert!(source.is_in(SHELLS), "src/{} belongs to no module known here", source.path);
            continue;
        };
        for path in crate_paths(&source.code()) {
            let root = path.split("::").next().unwrap_or_default();
            let path =
                AT_ROOT.iter().find(|(name, _)| *name == root).map_or(path.as_str(), |(_, module)| module);
            let is_in = |name: &str| {
                path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with("::"))
            };
            if !is_in(&module) && !allowed.iter().any(|name| is_in(name)) {
                wrong.push(format!("src/{} names crate::{path}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_shells_say_std() {
    let says_std = |it: &Source| !it.is_in(SHELLS) && !it.is_test() && it.code().contains("std::");
    assert_none(says_std, "says std");
}

#[test]
fn only_the_shells_know_on_what_they_run() {
    // A processor's own instruction may be used where `unsafe` may.
    const PLACES: &[&str] = &["data/containers/"];
    let forms = ["cfg(feature", "cfg(target", "cfg(all(", "cfg(any(", "cfg(not(", "cfg!("];
    let knows = |it: &Source| {
        !it.is_in(SHELLS) && !it.is_in(PLACES) && forms.iter().any(|form| it.code().contains(form))
    };
    assert_none(knows, "depends on a feature or a target");
}

#[test]
fn only_containers_are_unsafe() {
    let is_unsafe = |it: &Source| {
        let code = it.code().replace("unsafe_code", "");
        !it.is_in(&["data/containers/"]) && code.contains("unsafe")
    };
    assert_none(is_unsafe, "says unsafe");
}

#[test]
fn every_file_says_what_it_is() {
    assert_none(|it| !it.text.starts_with("//!"), "does not begin with //!");
}

#[test]
fn no_file_is_longer_than_a_reader_is_patient() {
    assert_none(|it| it.code().lines().count() > LINES_MAX, "is too long");
}

fn assert_none(is_wrong: impl Fn(&Source) -> bool, what: &str) {
    let wrong: Vec<String> =
        sources().iter().filter(|it| is_wrong(it)).map(|it| format!("src/{} {what}", it.path)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn use_trees_are_taken_apart() {
    let code = "use crate::{\n    Error, Result,\n    data::{glob::Glob, number},\n    resp::Writer,\n};\nlet x = crate::keyspace::Key(b\"\");";
    assert_eq!(
        crate_paths(code),
        ["Error", "Result", "data::glob::Glob", "data::number", "resp::Writer", "keyspace::Key"]
    );
}
