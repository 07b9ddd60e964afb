//! Holds every row to the public command tables: `fixtures/commands.json` says what COMMAND INFO tells of each command of
//! Redis and Valkey, one a line, and each row of ours has to come out as the same line.

use std::collections::HashMap;

use keyside::{
    commands::{
        Spec,
        keys::{Begin, Find, KeySpec},
    },
    engine::dispatch::Table,
};

const FACTS: &str = include_str!("fixtures/commands.json");

/// What differs on purpose: the command, what its line says here in place of what it says there, and why.
const DIFFERENCES: &[(&str, &str, &str, &str)] = &[];

#[test]
fn every_row_says_what_the_command_tables_say() {
    let facts: HashMap<&str, &str> = FACTS.lines().filter_map(name_and_facts).collect();
    let table = Table::new();
    let mut wrong = Vec::new();
    for spec in table.all().map(|known| table.spec(known)) {
        let ours = line(spec);
        let Some(fact) = facts.get(spec.name) else {
            wrong.push(format!("{}: not in the command tables", spec.name));
            continue;
        };
        let mut expected = fact.to_string();
        for (_, here, there, _) in DIFFERENCES.iter().filter(|(name, ..)| *name == spec.name) {
            assert!(expected.contains(there), "{}: nothing differs any more", spec.name);
            expected = expected.replace(there, here);
        }
        if ours != expected {
            wrong.push(format!("{}\n   row {ours}\n  fact {expected}", spec.name));
        }
    }
    assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn name_and_facts(line: &str) -> Option<(&str, &str)> {
    let (name, facts) = line.trim_end_matches(',').split_once(": ")?;
    Some((name.trim_matches('"'), facts))
}

/// A row as the fixture writes it.
fn line(spec: &Spec) -> String {
    let mut flags: Vec<&str> = spec.flags.names().collect();
    flags.extend(spec.has_movable_keys().then_some("movablekeys"));
    let keys = spec.keys();
    let specs: Vec<String> = spec.key_specs().iter().map(key_spec).collect();
    format!(
        r#"{{"arity":{},"flags":{},"categories":{},"keys":[{},{},{}],"specs":[{}],"since":"{}","group":"{}"}}"#,
        spec.arity(),
        sorted(flags),
        sorted(spec.categories().collect()),
        keys.first,
        keys.last,
        keys.step,
        specs.join(","),
        spec.since,
        spec.group
    )
}

fn sorted(mut names: Vec<&str>) -> String {
    names.sort();
    list(names)
}

fn list(names: Vec<&str>) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", quoted.join(","))
}

fn key_spec(spec: &KeySpec) -> String {
    let begin = match spec.begin {
        Begin::Index(index) => format!(r#"{{"index":{index}}}"#),
        Begin::Keyword(word, from) => format!(r#"{{"keyword":"{word}","startfrom":{from}}}"#),
        Begin::Unknown => r#""unknown""#.to_string(),
    };
    let find = match spec.find {
        Find::Range { last, step, limit } => format!(r#"{{"lastkey":{last},"step":{step},"limit":{limit}}}"#),
        Find::Counted { step } => format!(r#"{{"keynumidx":0,"firstkey":1,"step":{step}}}"#),
        Find::Unknown => r#""unknown""#.to_string(),
    };
    let access: Vec<String> = spec.access.names().map(str::to_ascii_lowercase).collect();
    let flags =
        list(access.iter().map(String::as_str).chain(spec.incomplete.then_some("incomplete")).collect());
    format!(r#"{{"begin":{begin},"find":{find},"flags":{flags}}}"#)
}
