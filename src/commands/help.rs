//! What HELP subcommands answer: the rows of a group, written out for people. Nothing is kept here that a row does not
//! say.

use alloc::{format, string::String, vec::Vec};

use super::{Command, Shape, Spec};
use crate::{
    commands::reply::{Reply, Typed, typed},
    resp::Writer,
};

typed! {
    /// Lines of text.
    Lines = "string[]";
}

/// Lines of text, each a simple string.
pub struct HelpLines(Vec<String>);

impl Reply for HelpLines {
    const TS: &'static str = Lines::TS;
    fn write(self, out: &mut Writer<'_>) {
        out.array(self.0.len());
        self.0.iter().for_each(|line| out.simple(line));
    }
}

/// What the subcommands of `container` among `rows` take and do.
pub fn help<C>(container: &str, rows: &[Command<C>]) -> HelpLines {
    let mut lines = Vec::from([format!("{container} <subcommand> [<argument> ...]. The subcommands:")]);
    for Command { spec, .. } in rows {
        if let Some(name) = spec.name.strip_prefix(container).and_then(|rest| rest.strip_prefix(' ')) {
            lines.push([name, &usage(spec)].join(" ").trim_end().into());
            lines.push(format!("    {}", spec.summary.trim()));
        }
    }
    HelpLines(lines)
}

/// The arguments of a command as people write them: `<key> [MATCH <pattern>]`.
fn usage(spec: &Spec) -> String {
    let arguments = spec.names.iter().zip(spec.shapes);
    let words: Vec<String> = arguments.map(|(name, shape)| written(shape, Some(name))).collect();
    words.join(" ")
}

/// A shape as people write it. A single word is called what the handler calls it.
fn written(shape: &Shape, name: Option<&str>) -> String {
    let all = |shapes: &[Shape], between: &str| {
        shapes.iter().map(|shape| written(shape, None)).collect::<Vec<_>>().join(between)
    };
    match shape {
        Shape::Key => "<key>".into(),
        Shape::Word(kind, _) => format!("<{}>", name.unwrap_or(kind)),
        Shape::Token(token) => (*token).into(),
        Shape::Group(shapes) => all(shapes, " "),
        Shape::Many(shapes) => {
            let once = all(shapes, " ");
            let more = if once.contains(' ') { "" } else { &once };
            format!("{once} [{}...]", [more, " "].concat().trim_start())
        }
        Shape::Maybe(shape) => format!("[{}]", written(shape, name)),
        Shape::OneOf(shapes) => format!("({})", all(shapes, "|")),
        Shape::Options(shapes) => format!("[{}]", all(shapes, "] [")),
        Shape::CountedKeys => "<numkeys> <key> [<key> ...]".into(),
        Shape::Streams => "STREAMS <key> [<key> ...] <id> [<id> ...]".into(),
    }
}
