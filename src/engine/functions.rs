//! FUNCTION as far as a store that runs no functions can answer it: there are none to list, and deleting all of them is
//! done at once. Loading and calling functions is not here.

use super::Engine;
use crate::{
    Error, Result,
    commands::{
        Command,
        args::{Arg, Kind, Shape, Words},
        help::{HelpLines, help},
        reply::{Done, Unknown, Written},
        spec::commands,
    },
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Engine>] = commands! {
    Engine, group: "scripting";
    /// Deletes all libraries of functions.
    "FUNCTION FLUSH" = function_flush(mode) since "7.0.0" [NOSCRIPT WRITE] O("N) where N is the number of functions deleted");
    /// Lists the subcommands.
    "FUNCTION HELP" = function_help() since "7.0.0" [LOADING STALE] O("1");
    /// Lists the libraries of functions.
    "FUNCTION LIST" = function_list(filter) since "7.0.0" [NOSCRIPT] O("N) where N is the number of functions");
};

/// `[ASYNC | SYNC]`: how memory is freed. Here it is always done at once.
struct FlushMode;

impl Arg<'_> for FlushMode {
    const SHAPE: Shape = Shape::Maybe(&Shape::OneOf(&[Shape::Token("ASYNC"), Shape::Token("SYNC")]));
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        match words.len() {
            0 => Ok(FlushMode),
            1 if words.take("ASYNC") || words.take("SYNC") => Ok(FlushMode),
            1 => Err(Error::refused("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")),
            _ => Err(Error::refused(
                "ERR unknown subcommand or wrong number of arguments for 'flush'. Try FUNCTION HELP.",
            )),
        }
    }
}

/// `[LIBRARYNAME pattern] [WITHCODE]`: which libraries to list, and how.
struct Filter;

impl Arg<'_> for Filter {
    const SHAPE: Shape = Shape::Options(&[
        Shape::Group(&[Shape::Token("LIBRARYNAME"), Shape::Word("library-name-pattern", Kind::Pattern)]),
        Shape::Token("WITHCODE"),
    ]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let (mut named, mut with_code) = (false, false);
        while let Some(word) = words.peek() {
            if !with_code && words.take("WITHCODE") {
                with_code = true;
            } else if !named && words.take("LIBRARYNAME") {
                named = true;
                words.next().map_err(|_| Error::refused("ERR library name argument was not given"))?;
            } else {
                return Err(Error::quoting("ERR Unknown argument ", word, ""));
            }
        }
        Ok(Filter)
    }
}

fn function_flush(_: &mut Engine, _: FlushMode) -> Result<Done> {
    Ok(Done)
}

fn function_help(_: &mut Engine) -> Result<HelpLines> {
    Ok(help("FUNCTION", COMMANDS))
}

fn function_list(_: &mut Engine, _: Filter) -> Result<Written<Unknown, impl FnOnce(&mut Writer) + use<>>> {
    Ok(Written::new(|out: &mut Writer| out.array(0)))
}
