//! COMPATIBILITY.md: every command of Redis and Valkey, whether keyside has it, and what keyside does otherwise on purpose.

use std::{collections::BTreeMap, fmt::Write};

use keyside::commands::Spec;

use super::differences::{DIFFERENCES, NEWER};

/// Names, groups and versions of all commands; see `commands_json.rs`.
const FACTS: &str = include_str!("../fixtures/commands.json");

/// The groups, in the order in which they are shown.
const GROUPS: &[&str] = &[
    "string",
    "hash",
    "list",
    "set",
    "sorted-set",
    "stream",
    "bitmap",
    "hyperloglog",
    "geo",
    "array",
    "generic",
    "pubsub",
    "transactions",
    "scripting",
    "connection",
    "server",
    "cluster",
];

/// A command that the tables know.
struct Fact {
    name: &'static str,
    group: &'static str,
    since: &'static str,
}

/// The whole file.
pub fn file(specs: &[&'static Spec]) -> String {
    let ours: BTreeMap<&str, &Spec> = specs.iter().map(|spec| (spec.name, *spec)).collect();
    let facts: Vec<Fact> = FACTS.lines().filter_map(fact).filter(|fact| !is_container(fact.name)).collect();
    let mut out = String::from(HEAD);
    for (what, how, why) in DIFFERENCES {
        let _ = writeln!(out, "- **{what}.** {how} {why}");
    }
    out.push_str(NEWER_HEAD);
    for (unit, expected, actual) in NEWER {
        let _ = writeln!(out, "- `{unit}`: expected is that {expected}; {actual}.");
    }
    out.push_str(
        "\n## Commands\n\nBy group; *since* is the version of Redis (or Valkey) that had it first.\n",
    );
    for group in GROUPS {
        let members: Vec<&Fact> = facts.iter().filter(|fact| fact.group == *group).collect();
        write_group(&mut out, group, &members, &ours);
    }
    out
}

const HEAD: &str = "\
<!-- Written by `make update` from the commands' rows in src. Not for editing. -->

# Compatibility

keyside answers as Redis 7.2 does. Each command it has is held to a real `redis-server` by the transcripts in
`tests/commands`, and its arity, flags, keys and categories to the public command tables.

## What differs on purpose

";

const NEWER_HEAD: &str = "
## Where the tests of Redis 7.0 expect otherwise

What Redis 7.2 changed, and the published test suite of 7.0 therefore fails:

";

fn write_group(out: &mut String, group: &str, members: &[&Fact], ours: &BTreeMap<&str, &Spec>) {
    let (have, lack): (Vec<&Fact>, Vec<&Fact>) =
        members.iter().partition(|fact| ours.contains_key(fact.name));
    let _ = writeln!(out, "\n### {group}: {} of {}\n", have.len(), members.len());
    if !have.is_empty() {
        out.push_str("| command | since |\n|---|---|\n");
    }
    for fact in &have {
        let _ = writeln!(out, "| `{}` | {} |", ours[fact.name].usage().replace('|', "\\|"), fact.since);
    }
    if !lack.is_empty() {
        let names: Vec<String> =
            lack.iter().map(|fact| format!("`{}` ({})", fact.name, fact.since)).collect();
        let gap = if have.is_empty() { "" } else { "\n" };
        let _ = writeln!(out, "{gap}Not there: {}.", names.join(", "));
    }
}

fn fact(line: &'static str) -> Option<Fact> {
    let (name, rest) = line.strip_prefix('"')?.split_once("\": {")?;
    let value =
        |key: &str| rest.split_once(&format!("\"{key}\":\""))?.1.split_once('"').map(|(value, _)| value);
    Some(Fact { name, group: value("group")?, since: value("since")? })
}

/// Whether `name` only opens a group of subcommands.
fn is_container(name: &str) -> bool {
    let opens = |line: &str| {
        line.strip_prefix('"').and_then(|line| line.strip_prefix(name)).is_some_and(|it| it.starts_with(' '))
    };
    name != "COMMAND" && FACTS.lines().any(opens)
}
