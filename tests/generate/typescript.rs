//! pkg/src/commands.ts: a typed method for every command, and for the package the signatures that turn its arguments into
//! words. Only the signatures are code; pkg/src/signature.ts reads them.

use std::{fmt::Write, slice};

use keyside::commands::{Flags, Kind, Shape, Spec};

/// The whole file.
pub fn file(specs: &[&'static Spec]) -> String {
    let mut out = String::from(HEAD);
    for spec in specs.iter().filter(|spec| !BY_HAND.contains(&spec.name)) {
        let Spec { name, since, complexity, .. } = spec;
        let summary = spec.summary.trim();
        let _ =
            write!(out, "\n  /**\n   * {summary}\n   *\n   * `{name}`, since {since}, {complexity}\n   */\n");
        for (parameters, reply) in Method::of(spec).overloads(spec.reply) {
            for (parameters, reply) in waiting(spec, parameters.join(", "), reply) {
                let _ = writeln!(out, "  {}({parameters}): {reply}", method_name(spec));
            }
        }
    }
    out.push_str(SIGNATURES);
    for spec in specs {
        let _ = writeln!(out, "{}", [vec![method_name(spec)], Method::of(spec).signature].concat().join(" "));
    }
    out.push_str("`\n");
    out
}

/// Replies that depend on an option or on an argument that may be missing: the type, on what it depends, the type without
/// it and the type with it.
const DEPENDING: &[[&str; 4]] = &[
    ["'OK' | Bytes | null", "get", "'OK' | null", "Bytes | null"],
    ["Bytes | Bytes[] | null", "count", "Bytes | null", "Bytes[] | null"],
    ["number | number[] | null", "count", "number | null", "number[]"],
    ["Bytes[] | [Bytes, number][]", "withscores", "Bytes[]", "[Bytes, number][]"],
    ["[Bytes, number] | [Bytes, number][] | []", "count", "[Bytes, number] | []", "[Bytes, number][]"],
    ["number | [number, number] | null", "withscore", "number | null", "[number, number] | null"],
];

/// Commands whose methods are written in pkg/src/store.ts, since more comes of them than a reply.
const BY_HAND: &[&str] = &["MULTI", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"];

const HEAD: &str = "\
// Written by `make update` from the commands' rows in src. Not for editing.

import type { Members, Names, Numeric, Pairs, Some, Streams, Value } from './values.js'

/** Redis's commands as methods; `Bytes` is how strings come back: as text, or as the bytes they are. */
export interface Commands<Bytes> {";

const SIGNATURES: &str = "\
}

/** Each command with the signature of its method, in the order of their numbers in the engine. */
export const SIGNATURES = `\\
";

fn method_name(spec: &Spec) -> String {
    spec.name.to_ascii_lowercase().replace([' ', '-', '.'], "_")
}

/// Whether the method waits for what other connections do. WAIT, which has no replicas to wait for, does not.
fn waits(spec: &Spec) -> bool {
    spec.flags.has(Flags::BLOCKING) && spec.group != "generic"
}

/// The forms of a method that may wait: it promises its reply, always or with `block`, and can be told to give up.
fn waiting(spec: &Spec, parameters: String, reply: &str) -> Vec<(String, String)> {
    const BLOCK: &str = "block?: Numeric";
    const SIGNAL: &str = "signal?: AbortSignal";
    let promise = format!("Promise<{reply}>");
    if !waits(spec) {
        vec![(parameters, reply.into())]
    } else if parameters.contains(BLOCK) {
        let waiting = parameters.replace(BLOCK, &format!("block: Numeric; {SIGNAL}"));
        let waiting = waiting.replace("options?: ", "options: ");
        vec![(waiting, promise), (parameters.replace(BLOCK, "block?: undefined"), reply.into())]
    } else {
        let with_signal = match parameters.strip_suffix(" }") {
            Some(start) => format!("{start}; {SIGNAL} }}"),
            None => format!("{parameters}, options?: {{ {SIGNAL} }}"),
        };
        vec![(with_signal, promise)]
    }
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
/// | `@name` | pairs after their number |
/// | `%name` | streams: all keys, then all ids |
/// | `=TOKEN` | no argument; this word |
/// | `&` | no argument; the method may wait |
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
            method.add(&parameter(name), shape, Place { last, optional: false });
            // All words that follow are taken already.
            if method.parameters.last().is_some_and(|it| it.starts_with("...")) {
                break;
            }
        }
        let Method { options, options_required, .. } = &method;
        if !options.is_empty() {
            let optional = if *options_required { "" } else { "?" };
            method.parameters.push(format!("options{optional}: {{ {} }}", options.join("; ")));
        }
        if waits(spec) {
            method.signature.push("&".into());
        }
        method
    }

    /// The parameters with the type of the reply; several if the one depends on the others. The last is for callers who do not
    /// know themselves.
    fn overloads(self, reply: &'static str) -> Vec<(Vec<String>, &'static str)> {
        let mut found = Vec::new();
        for [_, by, without, with] in DEPENDING.iter().filter(|[any, ..]| *any == reply) {
            let Some(at) = self.parameters.iter().position(|it| it.contains(&format!("{by}?: "))) else {
                return vec![(self.parameters, *without)];
            };
            let (before, parameter) = (&self.parameters[..at], &self.parameters[at]);
            let variant =
                |replaced: Option<String>| before.iter().cloned().chain(replaced).collect::<Vec<_>>();
            let is_option = parameter.starts_with("options?: ");
            let is_switch = parameter.contains(&format!("{by}?: boolean"));
            let no = if is_switch { "false" } else { "undefined" };
            let value = parameter
                .split(&format!("{by}?: "))
                .nth(1)
                .and_then(|rest| rest.split([';', ' ']).next())
                .unwrap_or_default();
            let yes = if is_switch { "true" } else { value };
            let given = |what: &str| parameter.replace(&format!("{by}?: {value}"), what);
            if is_option {
                found.push((variant(Some(given(&format!("{by}?: {no}")))), *without));
                found.push((variant(Some(given(&format!("{by}: {yes}")).replacen("?: ", ": ", 1))), *with));
            } else {
                found.push((variant(None), *without));
                found.push((variant(Some(given(&format!("{by}: {yes}")))), *with));
            }
        }
        found.push((self.parameters, reply));
        found
    }

    fn push(&mut self, parameter: String, part: String) {
        self.parameters.push(parameter);
        self.signature.push(part);
    }

    fn add(&mut self, name: &str, shape: &Shape, place: Place) {
        let (mark, sigil) = if place.optional { ("?", "?") } else { ("", "") };
        match shape {
            _ if is_word(shape) || is_choice(shape) => {
                self.push(format!("{name}{mark}: {}", word(shape)), format!("{sigil}{name}"))
            }
            Shape::Token(token) => self.signature.push(format!("={token}")),
            // What may be missing before what may not, TypeScript cannot tell.
            Shape::Group([Shape::Maybe(_), .., last]) if last.min_words() > 0 => {
                let none = if place.optional { "[] | " } else { "" };
                self.push(format!("...{name}: {none}Some<Value>"), format!("*{name}"));
            }
            Shape::Group(shapes) if !is_option(shape) => {
                for (i, shape) in shapes.iter().enumerate() {
                    let last = place.last && i == shapes.len() - 1;
                    self.add(&member_name(name, shape), shape, Place { last, ..place });
                }
            }
            Shape::Maybe(inner) if !is_option(inner) => {
                self.add(name, inner, Place { optional: true, ..place })
            }
            Shape::Many([one]) if is_word(one) => {
                let (rest, some) = if place.last { ("...", "Some") } else { ("", "Names") };
                let none = if place.optional { "[] | " } else { "" };
                self.push(format!("{rest}{name}: {none}{some}<{}>", word(one)), format!("*{name}"));
            }
            Shape::Many([first, second]) if is_word(first) && is_word(second) => {
                let (kind, sigil) = if is_number(first) { ("Members", '~') } else { ("Pairs", '2') };
                self.push(
                    format!("{name}{mark}: {kind}<{}, {}>", word(first), word(second)),
                    format!("{sigil}{name}"),
                );
            }
            Shape::Many(group) if group.iter().all(is_word) => {
                let words: Vec<_> = group.iter().map(word).collect();
                self.push(
                    format!("{name}: readonly (readonly [{}])[]", words.join(", ")),
                    format!("{}{name}", group.len()),
                );
            }
            Shape::CountedKeys | Shape::AnyKeys => {
                self.push(format!("{name}: Names<Value>"), format!("#{name}"));
            }
            Shape::Fields(shapes) => {
                let (kind, sigil) =
                    if shapes.len() == 1 { ("Names<Value>", '#') } else { ("Pairs<Value, Value>", '@') };
                self.signature.push("=FIELDS".into());
                self.push(format!("fields: {kind}"), format!("{sigil}fields"));
            }
            Shape::CountedPairs => {
                self.push(format!("{name}: Pairs<Value, Value>"), format!("@{name}"));
            }
            Shape::Streams => self.push("streams: Streams".into(), "%streams".into()),
            _ if is_option(shape) => {
                self.options_required |= shape.min_words() > 0 && !place.optional;
                let mut parts = Vec::new();
                option(shape, &mut parts, &mut self.options);
                self.signature.push(format!("{{{}", parts.join(",")));
            }
            // A grammar of its own is given as it is written.
            _ => self.push(format!("...{name}: Value[]"), format!("*{name}")),
        }
    }
}

/// Where an argument stands.
#[derive(Clone, Copy)]
struct Place {
    last: bool,
    optional: bool,
}

/// Whether the shape can be given by the names of its tokens.
fn is_option(shape: &Shape) -> bool {
    match shape {
        Shape::Options(shapes) | Shape::OneOf(shapes) => shapes.iter().all(is_option),
        Shape::Token(_) => true,
        Shape::Group([Shape::Token(_), ..]) => true,
        Shape::Group([Shape::OneOf(first), ..]) => first.iter().all(|shape| matches!(shape, Shape::Token(_))),
        Shape::Many([Shape::Group([Shape::Token(_), _])]) => true,
        Shape::Maybe(shape) => is_option(shape),
        _ => false,
    }
}

/// Adds what one option of an options object may be: its part of the signature and of the type.
fn option(shape: &Shape, parts: &mut Vec<String>, types: &mut Vec<String>) {
    let mut add = |token: &str, form: &str, value: String| {
        let name = token.to_ascii_lowercase();
        types.push(format!("{name}?: {value}"));
        parts.push(format!("{name}{form}"));
    };
    match shape {
        Shape::Options(shapes) | Shape::OneOf(shapes) => {
            shapes.iter().for_each(|shape| option(shape, parts, types))
        }
        Shape::Maybe(shape) => option(shape, parts, types),
        Shape::Token(token) => add(token, "", "boolean".into()),
        Shape::Many([Shape::Group([Shape::Token(token), value])]) => {
            add(token, "*", format!("Names<{}>", word(value)))
        }
        Shape::Group([first, rest @ ..]) => {
            // What may follow the value is an option of its own: `MAXLEN 10 LIMIT 5`.
            let own = rest.iter().rposition(|shape| shape.min_words() > 0).map_or(0, |last| last + 1);
            match first {
                Shape::Token(token) => add(token, "=", value(&rest[..own])),
                Shape::OneOf(tokens) => tokens.iter().for_each(|token| match token {
                    Shape::Token(token) => add(token, "=", value(&rest[..own])),
                    _ => unreachable!("`is_option` looked"),
                }),
                _ => unreachable!("`is_option` looked"),
            }
            rest[own..].iter().for_each(|shape| option(shape, parts, types));
        }
        _ => unreachable!("`is_option` looked"),
    }
}

/// The type of what follows an option's token: one word, or a tuple of words.
fn value(shapes: &[Shape]) -> String {
    match shapes {
        [one] if is_word(one) || is_choice(one) => word(one),
        [Shape::Many([one])] => format!("Names<{}>", word(one)),
        [Shape::Group(shapes)] => value(shapes),
        [Shape::OneOf(shapes)] => {
            shapes.iter().map(|shape| value(slice::from_ref(shape))).collect::<Vec<_>>().join(" | ")
        }
        // `MAXLEN [= | ~] threshold`: what may be missing makes a shorter tuple possible.
        [Shape::Maybe(maybe), rest @ ..] => format!("{} | [{}, {}]", value(rest), word(maybe), value(rest)),
        [Shape::Options([maybe]), rest @ ..] if is_choice(maybe) => {
            format!("{} | [{}, {}]", value(rest), word(maybe), value(rest))
        }
        many if many
            .iter()
            .all(|shape| is_word(shape) || is_choice(shape) || matches!(shape, Shape::Token(_))) =>
        {
            format!("[{}]", many.iter().map(word).collect::<Vec<_>>().join(", "))
        }
        _ => "readonly Value[]".into(),
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

/// The name of an argument as that of a parameter, which a keyword cannot be.
fn parameter(name: &str) -> String {
    const KEYWORDS: [&str; 6] = ["default", "delete", "function", "in", "new", "with"];
    let name = camel(name);
    if KEYWORDS.contains(&&*name) { name + "_" } else { name }
}

fn camel(name: &str) -> String {
    let mut words = name.trim_start_matches("r#").split(['_', '-']);
    let first = words.next().unwrap_or_default().to_string();
    words.fold(first, |name, word| name + &word[..1].to_ascii_uppercase() + &word[1..])
}
