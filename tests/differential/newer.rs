//! What the oracle is too old for: commands and words of which its own COMMAND DOCS knows nothing. Such requests are not
//! drawn; no reply is accepted for being newer.

use std::collections::{BTreeMap, BTreeSet};

use keyside::commands::{Shape, Spec};

use super::{judge, reply::Reply};

/// Words that the oracle knows without documenting them, by command.
const UNDOCUMENTED: &[(&str, &[&str])] = &[("BITOP", &["AND", "OR", "XOR", "NOT"])];

/// Values of which the oracle knows nothing, by command.
const NEWER_VALUES: &[(&str, &str)] = &[("XREAD", "+")];
/// How long a stream cannot be waited for; 7.0 lets the sum with the time of day overflow.
const TOO_LONG: &str = "9223372036854775807";

/// What the oracle knows: its commands, each with the words of its options.
pub struct Newer(BTreeMap<String, BTreeSet<String>>);

impl Newer {
    /// All that `documents`, the oracle's reply to COMMAND DOCS, does not mention.
    pub fn than(documents: &Reply) -> Newer {
        let mut known = BTreeMap::new();
        read_commands(documents, &mut known);
        for (name, words) in UNDOCUMENTED {
            known.entry(name.to_string()).or_default().extend(words.iter().map(|word| word.to_string()));
        }
        Newer(known)
    }

    /// Whether the oracle has the command.
    pub fn is_known(&self, spec: &Spec) -> bool {
        self.0.contains_key(spec.name)
    }

    /// Whether a request for `spec` has an option that the oracle's command does not have.
    pub fn asks_for_more(&self, spec: &Spec, words: &[Vec<u8>]) -> bool {
        let mut tokens = Vec::new();
        spec.shapes.iter().for_each(|shape| read_tokens(shape, &mut tokens));
        let known = &self.0[spec.name];
        tokens.retain(|token| !known.contains(*token));
        tokens.extend(NEWER_VALUES.iter().filter(|(name, _)| *name == spec.name).map(|(_, value)| value));
        if spec.name.starts_with("XREAD") && judge::has(words, "BLOCK") {
            tokens.push(TOO_LONG);
        }
        tokens.iter().any(|token| judge::has(words, token))
    }
}

/// The tokens that a shape is made of.
fn read_tokens(shape: &Shape, tokens: &mut Vec<&'static str>) {
    match *shape {
        Shape::Token(token) => tokens.push(token),
        Shape::Maybe(shape) => read_tokens(shape, tokens),
        Shape::Group(shapes) | Shape::Many(shapes) | Shape::OneOf(shapes) | Shape::Options(shapes) => {
            shapes.iter().for_each(|shape| read_tokens(shape, tokens));
        }
        Shape::Key | Shape::Word(..) | Shape::CountedKeys | Shape::AnyKeys | Shape::CountedPairs => {}
        Shape::Fields(_) => tokens.push("FIELDS"),
        Shape::Streams => tokens.push("STREAMS"),
    }
}

/// A list of names and what is documented of each.
fn read_commands(documents: &Reply, known: &mut BTreeMap<String, BTreeSet<String>>) {
    for (name, document) in pairs(documents) {
        let mut words = BTreeSet::new();
        for (field, value) in pairs(document) {
            match &field[..] {
                "ARGUMENTS" => read_words(value, &mut words),
                "SUBCOMMANDS" => read_commands(value, known),
                _ => {}
            }
        }
        known.insert(name.replace('|', " "), words);
    }
}

fn read_words(arguments: &Reply, words: &mut BTreeSet<String>) {
    for argument in arguments.parts().unwrap_or_default() {
        for (field, value) in pairs(argument) {
            match &field[..] {
                "TOKEN" => words.extend(name(value)),
                "ARGUMENTS" => read_words(value, words),
                _ => {}
            }
        }
    }
}

/// The fields of a map, in capitals, with their values.
fn pairs(map: &Reply) -> impl Iterator<Item = (String, &Reply)> {
    let parts = map.parts().unwrap_or_default();
    parts.chunks_exact(2).filter_map(|pair| Some((name(&pair[0])?, &pair[1])))
}

fn name(reply: &Reply) -> Option<String> {
    match reply {
        Reply::Bulk(text) => Some(String::from_utf8_lossy(text).to_ascii_uppercase()),
        _ => None,
    }
}
