//! pkg/src/commands.ts: a typed method for every command, and for the package the signatures that turn its arguments into
//! words. Only the signatures are code; pkg/src/signature.ts reads them.

use std::fmt::Write;

use keyside::commands::{Kind, Shape, Spec};

/// The whole file.
pub fn file(specs: &[&'static Spec]) -> String {
    let mut out = String::from(HEAD);
    for spec in specs {
        let Method { parameters, .. } = Method::of(spec);
        let _ = write!(
            out,
            "\n  /**\n   * {}\n   *\n   * `{}`, since {}, {}\n   */\n  {}({}): {}\n",
            spec.summary.trim().replace("*/", "*\u{200b}/"),
            spec.name,
            spec.since,
            spec.complexity,
            method_name(spec),
            parameters.join(", "),
            spec.reply,
        );
    }
    out.push_str("}\n\n/** Each command with the signature of its method, in the order of their numbers in the engine. */\nexport const SIGNATURES = `\\\n");
    for spec in specs {
        let line = [vec![method_name(spec)], Method::of(spec).signature].concat().join(" ");
        let _ = writeln!(out, "{}", line.replace('`', "\\`").replace('\\', "\\\\"));
    }
    out.push_str("`\n");
    out
}

const HEAD: &str = "\
// Written by `make update` from the commands' rows in src. Not for editing.

import type { Members, Names, Numeric, Pairs, Some, Streams, Value } from './values.js'

/** Redis's commands as methods; `Bytes` is how strings come back: as text, or as the bytes they are. */
export interface Commands<Bytes> {";

fn method_name(spec: &Spec) -> String {
    spec.name.to_ascii_lowercase().replace([' ', '-', '.'], "_")
}

/// What a command's method looks like in TypeScript, and its signature: one part for each argument in the order of the
/// words, a sigil and a name.
///
/// | part | argument |
/// |---|---|
/// | `name` | one word |
/// | `?name` | one word, or nothing |
/// | `*name` | words: one after the other or in an array, if it is the last; otherwise one word or an array |
/// | `2name` | pairs: an object, a map, an array of pairs |
/// | `~name` | the same, but an object's keys are the second of each pair |
/// | `3name` | an array of triples, and so on |
/// | `#name` | words after their number |
/// | `%name` | streams: all keys, then all ids |
/// | `=TOKEN` | no argument; this word |
/// | `{a,b=,c*` | of the object that comes last: the switch `a`, `b` with a value, `c` with a value, again and again |
#[derive(Default)]
struct Method {
    parameters: Vec<String>,
    signature: Vec<String>,
    options: Vec<String>,
    options_required: bool,
}

impl Method {
    fn of(spec: &Spec) -> Method {
        let mut method = Method::default();
        let shapes: Vec<_> = spec.names.iter().copied().zip(spec.shapes).collect();
        for (i, (name, shape)) in shapes.iter().enumerate() {
            let last = shapes[i + 1..].iter().all(|(_, rest)| matches!(rest, Shape::Token(_)));
            method.add(&camel(name), shape, last);
        }
        let Method { options, options_required, .. } = &method;
        if !options.is_empty() {
            let optional = if *options_required { "" } else { "?" };
            method.parameters.push(format!("options{optional}: {{ {} }}", options.join("; ")));
        }
        method
    }

    fn push(&mut self, parameter: String, part: String) {
        self.parameters.push(parameter);
        self.signature.push(part);
    }

    fn add(&mut self, name: &str, shape: &Shape, last: bool) {
        match shape {
            Shape::Key | Shape::Word(..) => self.push(format!("{name}: {}", word(shape)), name.into()),
            Shape::Token(token) => self.signature.push(format!("={token}")),
            Shape::Group(shapes) => {
                for (i, shape) in shapes.iter().enumerate() {
                    self.add(&member_name(name, shape), shape, last && i == shapes.len() - 1);
                }
            }
            Shape::Many([one]) if is_word(one) && last => self.push(format!("...{name}: Some<{}>", word(one)), format!("*{name}")),
            Shape::Many([one]) if is_word(one) => self.push(format!("{name}: Names<{}>", word(one)), format!("*{name}")),
            Shape::Many([first, second]) if is_word(first) && is_word(second) => {
                let (kind, sigil) = if is_number(first) { ("Members", '~') } else { ("Pairs", '2') };
                self.push(format!("{name}: {kind}<{}, {}>", word(first), word(second)), format!("{sigil}{name}"));
            }
            Shape::Many(group) => {
                let words: Vec<_> = group.iter().map(word).collect();
                self.push(format!("{name}: readonly (readonly [{}])[]", words.join(", ")), format!("{}{name}", group.len()));
            }
            Shape::Maybe(inner) if is_word(inner) || is_choice(inner) => self.push(format!("{name}?: {}", word(inner)), format!("?{name}")),
            Shape::OneOf(_) if is_choice(shape) => self.push(format!("{name}: {}", word(shape)), name.into()),
            Shape::CountedKeys => self.push(format!("{name}: Names<Value>"), format!("#{name}")),
            Shape::Streams => self.push(format!("{name}: Streams"), format!("%{name}")),
            Shape::Options(_) | Shape::Maybe(_) | Shape::OneOf(_) => {
                self.options_required |= shape.min_words() > 0;
                let mut parts = Vec::new();
                option(shape, &mut parts, &mut self.options);
                self.signature.push(format!("{{{}", parts.join(",")));
            }
        }
    }
}

/// Adds what one option of an options object may be: its part of the signature and of the type.
fn option(shape: &Shape, parts: &mut Vec<String>, types: &mut Vec<String>) {
    match shape {
        Shape::Options(shapes) | Shape::OneOf(shapes) => shapes.iter().for_each(|shape| option(shape, parts, types)),
        Shape::Maybe(shape) => option(shape, parts, types),
        Shape::Token(token) => {
            let name = token.to_ascii_lowercase();
            types.push(format!("{name}?: boolean"));
            parts.push(name);
        }
        Shape::Many([group @ Shape::Group([Shape::Token(token), _])]) | group @ Shape::Group([Shape::Token(token), ..]) => {
            let Shape::Group([_, rest @ ..]) = group else { unreachable!("it was matched as a group") };
            let name = token.to_ascii_lowercase();
            let repeats = matches!(shape, Shape::Many(_));
            let value = value(rest);
            types.push(format!("{name}?: {}", if repeats { format!("Names<{value}>") } else { value }));
            parts.push(format!("{name}{}", if repeats { '*' } else { '=' }));
        }
        other => panic!("an option begins with a token, and {other:?} does not"),
    }
}

/// The type of what follows an option's token.
fn value(shapes: &[Shape]) -> String {
    match shapes {
        [one] if is_word(one) || is_choice(one) => word(one),
        [Shape::Many([one])] => format!("Names<{}>", word(one)),
        [Shape::Group(shapes)] => value(shapes),
        // `MAXLEN [= | ~] threshold`: what may be missing makes a shorter tuple possible.
        [Shape::Maybe(maybe), rest @ ..] => format!("{} | [{}, {}]", value(rest), word(maybe), value(rest)),
        many => format!("[{}]", many.iter().map(word).collect::<Vec<_>>().join(", ")),
    }
}

/// The type of a single word.
fn word(shape: &Shape) -> String {
    match shape {
        Shape::Word(_, Kind::Integer | Kind::Double | Kind::UnixTime) => "Numeric".into(),
        Shape::Token(token) => format!("'{}'", token.to_ascii_lowercase()),
        Shape::OneOf(shapes) => {
            let mut types: Vec<_> = shapes.iter().map(word).collect();
            types.dedup();
            types.join(" | ")
        }
        _ => "Value".into(),
    }
}

fn is_word(shape: &Shape) -> bool {
    matches!(shape, Shape::Key | Shape::Word(..))
}

fn is_number(shape: &Shape) -> bool {
    matches!(shape, Shape::Word(_, Kind::Integer | Kind::Double))
}

/// One of several single words.
fn is_choice(shape: &Shape) -> bool {
    matches!(shape, Shape::OneOf(shapes) if shapes.iter().all(|shape| is_word(shape) || matches!(shape, Shape::Token(_))))
}

fn member_name(group: &str, shape: &Shape) -> String {
    match shape {
        Shape::Word(name, _) => camel(name),
        _ => group.into(),
    }
}

fn camel(name: &str) -> String {
    let mut words = name.trim_start_matches("r#").split(['_', '-']);
    let first = words.next().unwrap_or_default().to_string();
    words.fold(first, |name, word| name + &word[..1].to_ascii_uppercase() + &word[1..])
}
