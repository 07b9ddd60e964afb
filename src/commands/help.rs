//! What HELP subcommands answer: the rows of a group, written out for people. Nothing is kept here that a row does not
//! say.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::Command;
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
            let arguments: Vec<String> = spec.arguments().iter().map(ToString::to_string).collect();
            lines.push([&[name.to_string()], &arguments[..]].concat().join(" "));
            lines.push(format!("    {}", spec.summary.trim()));
        }
    }
    HelpLines(lines)
}
