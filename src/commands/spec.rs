//! Commands declared exactly once: the table at the top of every command file, and all that is derived from a row.
//! What a row does is in the function it names; who calls it is in `engine/dispatch.rs`.

use super::args::{Shape, Words};
use crate::{Result, resp::Writer};

/// One command. `C` is what it may see and do: [`Ctx`](super::Ctx) for commands on values, the engine for the rest.
pub struct Command<C: 'static> {
    /// What it is.
    pub spec: Spec,
    /// Reads the words after the name, does the work and writes the reply.
    pub run: for<'o> fn(&mut C, Words<'_>, &mut Writer<'o>) -> Result<()>,
}

/// Everything known about one command. Dispatch, COMMAND, ACL, the typings and the documents read this.
pub struct Spec {
    /// The name in capitals; a subcommand as `CLIENT LIST`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The first version of Redis (or Valkey) that had it.
    pub since: &'static str,
    /// Redis's documentation group.
    pub group: &'static str,
    /// The cost, as Redis's documentation writes it.
    pub complexity: &'static str,
    /// How it may be run.
    pub flags: Flags,
    /// The names of the arguments.
    pub names: &'static [&'static str],
    /// The forms of the arguments.
    pub shapes: &'static [Shape],
    /// The TypeScript type of the reply.
    pub reply: &'static str,
}

/// First and last key and the step between keys, as COMMAND INFO reports them; a negative last counts from the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs)]
pub struct KeyRange {
    pub first: i64,
    pub last: i64,
    pub step: i64,
}

impl Spec {
    /// Words in the name: two for a subcommand.
    pub fn name_words(&self) -> usize {
        self.name.split(' ').count()
    }

    /// Redis's arity: the number of words with the name, negative when it is a minimum.
    pub fn arity(&self) -> i64 {
        let words = (self.name_words() + Shape::sum(self.shapes)) as i64;
        if self.shapes.iter().all(Shape::is_fixed) { words } else { -words }
    }

    /// Whether `words`, name included, are as many as the command takes.
    pub fn accepts(&self, words: usize) -> bool {
        let arity = self.arity();
        if arity >= 0 { words as i64 == arity } else { words as i64 >= -arity }
    }
}

/// How a command may be run, and which ACL categories follow from that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags(u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $FLAG:ident = $name:literal,)*) => {
        #[allow(non_upper_case_globals, clippy::upper_case_acronyms, non_camel_case_types)]
        #[derive(Clone, Copy)]
        enum Bit { $($FLAG),* }

        impl Flags {
            $($(#[$doc])* pub const $FLAG: Flags = Flags(1 << Bit::$FLAG as u32);)*

            /// The flags that COMMAND INFO shows, by name.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                [$((Flags::$FLAG, $name)),*].into_iter()
                    .filter(move |(flag, name)| self.has(*flag) && !name.is_empty())
                    .map(|(_, name)| name)
            }
        }
    };
}

flags! {
    /// May change values.
    WRITE = "write",
    /// Never changes values.
    READONLY = "readonly",
    /// May need memory, so it is refused when there is none left.
    DENYOOM = "denyoom",
    /// Changes how the server runs.
    ADMIN = "admin",
    /// Belongs to publish and subscribe.
    PUBSUB = "pubsub",
    /// Not from scripts.
    NOSCRIPT = "noscript",
    /// May wait.
    BLOCKING = "blocking",
    /// Runs while data is being loaded.
    LOADING = "loading",
    /// Runs on a replica without its primary.
    STALE = "stale",
    /// Not shown to MONITOR.
    SKIP_MONITOR = "skip_monitor",
    /// Not kept in SLOWLOG.
    SKIP_SLOWLOG = "skip_slowlog",
    /// Takes constant or logarithmic time.
    FAST = "fast",
    /// Needs no authentication.
    NO_AUTH = "no_auth",
    /// Not inside MULTI.
    NO_MULTI = "no_multi",
    /// Runs while a script runs over its time.
    ALLOW_BUSY = "allow_busy",
    /// Not while data is loaded in the background.
    NO_ASYNC_LOADING = "no_async_loading",
    /// Also of a slot that is being imported, without ASKING before.
    ASKING = "asking",
    /// Takes keys that need not be given.
    NO_MANDATORY_KEYS = "no_mandatory_keys",
    /// Runs scripts.
    SCRIPT_RUNNER = "script_runner",
    /// Of the ACL category @dangerous though not of @admin.
    DANGEROUS = "",
    /// Of the ACL category @keyspace beyond its group.
    KEYSPACE = "",
    /// Of the ACL category @connection beyond its group.
    CONNECTION = "",
}

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);

    /// These and `other`.
    pub const fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Whether all of `other` are set.
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// `text` without its last parenthesis if that closes nothing: rows write `O("N) where N is …")`.
pub(crate) const fn balanced(text: &'static str) -> &'static str {
    let (mut depth, mut i) = (0, 0);
    while i < text.len() {
        match text.as_bytes()[i] {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        i += 1;
    }
    if depth < 0 { text.split_at(text.len() - 1).0 } else { text }
}

/// The table at the top of every command file.
macro_rules! commands {
    ($Context:ty, group: $group:literal; $(
        $(#[doc = $summary:literal])+
        $name:literal = $handler:ident($($arg:ident),*) since $since:literal [$($FLAG:ident)*] O($complexity:literal);
    )*) => {
        &[$($crate::commands::spec::Command::<$Context> {
            spec: $crate::commands::spec::Spec {
                name: $name,
                summary: concat!($($summary),+),
                since: $since,
                group: $group,
                complexity: $crate::commands::spec::balanced(concat!("O(", $complexity, ")")),
                flags: $crate::commands::spec::Flags::NONE$(.with($crate::commands::spec::Flags::$FLAG))*,
                names: &[$(stringify!($arg)),*],
                shapes: &$crate::commands::spec::commands!(@shapes $handler $($arg)*),
                reply: $crate::commands::spec::commands!(@reply $handler $($arg)*),
            },
            run: |context, words, out| {
                #[allow(unused_mut)]
                let mut words = words;
                $(let $arg = $crate::commands::args::Arg::parse(&mut words)?;)*
                words.end()?;
                $crate::commands::reply::Reply::write($handler(context, $($arg),*)?, out);
                Ok(())
            },
        }),*]
    };
    (@shapes $h:ident) => { $crate::commands::spec::signature::shapes0($h) };
    (@shapes $h:ident $a:ident) => { $crate::commands::spec::signature::shapes1($h) };
    (@shapes $h:ident $a:ident $b:ident) => { $crate::commands::spec::signature::shapes2($h) };
    (@shapes $h:ident $a:ident $b:ident $c:ident) => { $crate::commands::spec::signature::shapes3($h) };
    (@shapes $h:ident $a:ident $b:ident $c:ident $d:ident) => { $crate::commands::spec::signature::shapes4($h) };
    (@shapes $h:ident $a:ident $b:ident $c:ident $d:ident $e:ident) => { $crate::commands::spec::signature::shapes5($h) };
    (@reply $h:ident) => { $crate::commands::spec::signature::reply0($h) };
    (@reply $h:ident $a:ident) => { $crate::commands::spec::signature::reply1($h) };
    (@reply $h:ident $a:ident $b:ident) => { $crate::commands::spec::signature::reply2($h) };
    (@reply $h:ident $a:ident $b:ident $c:ident) => { $crate::commands::spec::signature::reply3($h) };
    (@reply $h:ident $a:ident $b:ident $c:ident $d:ident) => { $crate::commands::spec::signature::reply4($h) };
    (@reply $h:ident $a:ident $b:ident $c:ident $d:ident $e:ident) => { $crate::commands::spec::signature::reply5($h) };
}
pub(crate) use commands;

/// Reads the shapes of the arguments and the type of the reply off a handler's own signature, so that they are written
/// only there.
pub(crate) mod signature {
    use super::super::{
        args::{Arg, Shape},
        reply::Reply,
    };
    use crate::Result;

    macro_rules! signatures {
        ($($shapes:ident $reply:ident $n:literal ($($A:ident)*);)*) => { $(
            pub const fn $shapes<'a, C: 'a, $($A: Arg<'a>,)* R>(_: fn(&'a mut C $(, $A)*) -> Result<R>) -> [Shape; $n] {
                [$($A::SHAPE),*]
            }
            pub const fn $reply<'a, C: 'a, $($A,)* R: Reply>(_: fn(&'a mut C $(, $A)*) -> Result<R>) -> &'static str {
                R::TS
            }
        )* };
    }

    signatures! {
        shapes0 reply0 0 ();
        shapes1 reply1 1 (A1);
        shapes2 reply2 2 (A1 A2);
        shapes3 reply3 3 (A1 A2 A3);
        shapes4 reply4 4 (A1 A2 A3 A4);
        shapes5 reply5 5 (A1 A2 A3 A4 A5);
    }
}
