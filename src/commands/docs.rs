//! How the arguments of a command are described to people and programs, read off its shapes: a tree of arguments for
//! COMMAND DOCS, and its short form, `key [NX | XX] [EX seconds]`, for HELP and the documents.

use alloc::{
    borrow::Cow,
    boxed::Box,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::fmt;

use super::{
    args::{Kind, Shape},
    spec::Spec,
};

/// An argument, or several that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// What it is called.
    pub name: Cow<'static, str>,
    /// What it consists of.
    pub form: Form,
    /// The word that announces it.
    pub token: Option<&'static str>,
    /// Whether it may be left out.
    pub is_optional: bool,
    /// Whether it may be given more than once.
    pub is_multiple: bool,
}

/// What an argument consists of.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// The name of a key.
    Key,
    /// One word.
    Word(Kind),
    /// Nothing but its token.
    Token,
    /// One of these.
    OneOf(Vec<Argument>),
    /// All of these, in this order.
    Block(Vec<Argument>),
}

impl Form {
    /// The name of the form in COMMAND DOCS.
    pub fn name(&self) -> &'static str {
        match self {
            Form::Key => "key",
            Form::Word(Kind::Text) => "string",
            Form::Word(Kind::Integer) => "integer",
            Form::Word(Kind::Double) => "double",
            Form::Word(Kind::Pattern) => "pattern",
            Form::Word(Kind::UnixTime) => "unix-time",
            Form::Token => "pure-token",
            Form::OneOf(_) => "oneof",
            Form::Block(_) => "block",
        }
    }

    /// The arguments inside.
    pub fn parts(&self) -> &[Argument] {
        match self {
            Form::OneOf(parts) | Form::Block(parts) => parts,
            _ => &[],
        }
    }
}

impl Argument {
    fn new(name: impl Into<Cow<'static, str>>, form: Form) -> Argument {
        Argument { name: name.into(), form, token: None, is_optional: false, is_multiple: false }
    }

    fn optional(self) -> Argument {
        Argument { is_optional: true, ..self }
    }

    fn multiple(self) -> Argument {
        Argument { is_multiple: true, ..self }
    }

    /// The arguments that `shape` stands for. `name` is what the handler calls them, if it calls them anything.
    fn of(shape: &'static Shape, name: Option<&'static str>) -> Vec<Argument> {
        let own = |default: &'static str| -> Cow<'static, str> {
            name.map_or(Cow::Borrowed(default), |name| name.replace('_', "-").into())
        };
        vec![match shape {
            Shape::Key => Argument::new(own("key"), Form::Key),
            Shape::Word(default, kind) => Argument::new(own(default), Form::Word(*kind)),
            Shape::Token(token) => {
                Argument { token: Some(token), ..Argument::new(token.to_ascii_lowercase(), Form::Token) }
            }
            Shape::Group([Shape::Token(token), rest @ ..]) if !rest.is_empty() => {
                let what = Argument::joined(rest, token);
                Argument { token: Some(token), ..what }
            }
            Shape::Group(shapes) => Argument::joined(shapes, name.unwrap_or("block")),
            Shape::Many(shapes) => Argument::joined(shapes, "data").multiple(),
            Shape::Maybe(shape) => {
                return Argument::of(shape, name).into_iter().map(Argument::optional).collect();
            }
            Shape::OneOf(shapes) => {
                let parts: Vec<Argument> =
                    shapes.iter().flat_map(|shape| Argument::of(shape, None)).collect();
                let names: Vec<&str> = parts.iter().map(|part| part.name.as_ref()).collect();
                let are_tokens = parts.iter().all(|part| part.form == Form::Token);
                let own = || if are_tokens { names.join("-") } else { "choice".to_string() };
                let name = name.map_or_else(own, ToString::to_string);
                Argument::new(name, Form::OneOf(parts))
            }
            Shape::Options(shapes) => {
                let options = shapes.iter().flat_map(|shape| Argument::of(shape, None));
                return options.map(Argument::optional).collect();
            }
            Shape::CountedKeys => {
                let count = Argument::new("numkeys", Form::Word(Kind::Integer));
                return vec![count, Argument::new("key", Form::Key).multiple()];
            }
            Shape::AnyKeys => {
                let count = Argument::new("numkeys", Form::Word(Kind::Integer));
                return vec![count, Argument::new("key", Form::Key).multiple().optional()];
            }
            Shape::Fields(shapes) => {
                let count = Argument::new("numfields", Form::Word(Kind::Integer));
                let parts = vec![count, Argument::joined(shapes, "data").multiple()];
                Argument { token: Some("FIELDS"), ..Argument::new("fields", Form::Block(parts)) }
            }
            Shape::CountedPairs => {
                let count = Argument::new("numkeys", Form::Word(Kind::Integer));
                let pair =
                    vec![Argument::new("key", Form::Key), Argument::new("value", Form::Word(Kind::Text))];
                return vec![count, Argument::new("data", Form::Block(pair)).multiple()];
            }
            Shape::Streams => {
                let key = Argument::new("key", Form::Key).multiple();
                let id = Argument::new("id", Form::Word(Kind::Text)).multiple();
                Argument { token: Some("STREAMS"), ..Argument::new("streams", Form::Block(vec![key, id])) }
            }
        }]
    }

    /// Several shapes as one argument, called `name` if they are more than one.
    fn joined(shapes: &'static [Shape], name: &str) -> Argument {
        let mut parts: Vec<Argument> = shapes.iter().flat_map(|shape| Argument::of(shape, None)).collect();
        if parts.len() == 1 {
            return parts.remove(0);
        }
        Argument::new(name.to_ascii_lowercase(), Form::Block(parts))
    }
}

impl Spec {
    /// The arguments, in order.
    pub fn arguments(&self) -> Vec<Argument> {
        let named = self.shapes.iter().zip(self.names);
        named.flat_map(|(shape, name)| Argument::of(shape, Some(name))).collect()
    }

    /// The command and its arguments as a line of documentation.
    pub fn usage(&self) -> String {
        let mut line = self.name.to_string();
        for argument in self.arguments() {
            line.push(' ');
            line.push_str(&argument.to_string());
        }
        line
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.is_optional { ("[", "]") } else { ("", "") };
        f.write_str(open)?;
        let token = self.token.unwrap_or_default();
        let what = self.what();
        let gap = if token.is_empty() || what.is_empty() { "" } else { " " };
        write!(f, "{token}{gap}{what}")?;
        if self.is_multiple {
            write!(f, " [{what} ...]")?;
        }
        f.write_str(close)
    }
}

impl Argument {
    /// The argument without its token and without saying how often it may come.
    fn what(&self) -> Box<str> {
        let join = |parts: &[Argument], separator: &str| {
            parts.iter().map(Argument::to_string).collect::<Vec<_>>().join(separator)
        };
        match &self.form {
            Form::Token => String::new(),
            Form::OneOf(parts) if self.is_optional && self.token.is_none() => join(parts, " | "),
            Form::OneOf(parts) => ["<", &join(parts, " | "), ">"].concat(),
            Form::Block(parts) => join(parts, " "),
            Form::Key | Form::Word(_) => self.name.to_string(),
        }
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::spec::Flags;

    fn usage(names: &'static [&'static str], shapes: &'static [Shape]) -> String {
        let spec = Spec {
            name: "DO",
            summary: "",
            since: "1.0.0",
            group: "generic",
            complexity: "O(1)",
            flags: Flags::NONE,
            names,
            shapes,
            reply: "unknown",
        };
        spec.usage()
    }

    #[test]
    fn shapes_read_as_redis_writes_them() {
        const VALUE: Shape = Shape::Word("value", Kind::Text);
        assert_eq!(
            usage(&["key", "pairs"], &[Shape::Key, Shape::Many(&[Shape::Key, VALUE])]),
            "DO key key value [key value ...]"
        );
        assert_eq!(usage(&["max_len"], &[VALUE]), "DO max-len");
        assert_eq!(
            usage(
                &["options"],
                &[Shape::Options(&[
                    Shape::OneOf(&[Shape::Token("NX"), Shape::Token("XX")]),
                    Shape::Group(&[Shape::Token("EX"), Shape::Word("seconds", Kind::Integer)]),
                    Shape::Group(&[
                        Shape::Token("TO"),
                        Shape::OneOf(&[Shape::Token("LEFT"), Shape::Token("RIGHT")]),
                    ]),
                    Shape::Token("GET"),
                ])]
            ),
            "DO [NX | XX] [EX seconds] [TO <LEFT | RIGHT>] [GET]"
        );
        assert_eq!(usage(&["keys"], &[Shape::CountedKeys]), "DO numkeys key [key ...]");
        assert_eq!(usage(&["f"], &[Shape::Fields(&[VALUE])]), "DO FIELDS numfields value [value ...]");
        assert_eq!(usage(&["pairs"], &[Shape::CountedPairs]), "DO numkeys key value [key value ...]");
        assert_eq!(usage(&["s"], &[Shape::Streams]), "DO STREAMS key [key ...] id [id ...]");
        assert_eq!(
            usage(&["side"], &[Shape::OneOf(&[Shape::Token("LEFT"), Shape::Token("RIGHT")])]),
            "DO <LEFT | RIGHT>"
        );
    }
}
