//! MODULE, for a server that loads none: clients ask for the list before they rely on any.

use super::Engine;
use crate::{
    Result,
    commands::{
        Command,
        help::{HelpLines, help},
        reply::{Unknown, Written},
        spec::commands,
    },
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "server";
    /// Lists the subcommands.
    "MODULE HELP" = module_help() since "5.0.0" [LOADING STALE] O("1");
    /// Lists the modules that are loaded, of which there are none.
    "MODULE LIST" = module_list() since "4.0.0" [ADMIN NOSCRIPT] O("N) where N is the number of loaded modules.");
};

fn module_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("MODULE", COMMANDS))
}

fn module_list(_: &mut Engine) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<>>> {
    Ok(Written::new(|out| out.array(0)))
}
