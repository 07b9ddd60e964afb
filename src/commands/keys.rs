//! Where the keys stand in a request and what is done to them, read off the shapes of a row: the key specifications of
//! COMMAND INFO, and the keys of a request that is not run. What a command does to its keys is no part of its shape, so the
//! little that does not follow from its flags is listed here.

use alloc::vec::Vec;

use super::{
    args::Shape,
    spec::{Flags, KeyRange, Spec},
};
use crate::data::number::parse_count;

/// What a command does to keys, in the words of COMMAND INFO: `RO access`, `OW update`, `not_key`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access(&'static str);

/// One rule by which keys are found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeySpec {
    /// Where the search begins.
    pub begin: Begin,
    /// Which words from there on are keys.
    pub find: Find,
    /// What is done to them.
    pub access: Access,
    /// Whether other words than these may be keys, too.
    pub incomplete: bool,
}

/// Where the search for keys begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    /// At this word, counted from the first word of the name.
    Index(i64),
    /// After this word, looked for from an index on.
    Keyword(&'static str, i64),
    /// Only the command itself can tell.
    Unknown,
}

/// Which words are keys, from where the search begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Find {
    /// One word each `step`, up to `last`: words further on, or counted from the end when negative. With a `limit`, only
    /// that part of them.
    #[allow(missing_docs)]
    Range { last: i64, step: i64, limit: i64 },
    /// As many as the first word says, one each `step`.
    #[allow(missing_docs)]
    Counted { step: i64 },
    /// Only the command itself can tell.
    Unknown,
}

/// A key in a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FoundKey {
    /// Which word it is, counted from the first word of the name.
    pub at: usize,
    /// What is done to it.
    pub access: Access,
}

/// What is done to keys where it is not `RO access` for a command that reads and `RW update` for one that writes; one
/// part for each place of keys.
const ACCESS: &[(&str, &str)] = &[
    ("not_key", "SPUBLISH SSUBSCRIBE SUNSUBSCRIBE"),
    ("OW insert", "MSETNX SETNX"),
    ("OW update", "MSET MSETEX PSETEX RESTORE RESTORE-ASKING SETEX"),
    (
        "OW update;RO access",
        "BITOP GEOSEARCHSTORE SDIFFSTORE SINTERSTORE SUNIONSTORE ZDIFFSTORE ZINTERSTORE ZRANGESTORE ZUNIONSTORE",
    ),
    ("RM delete", "DEL DELIFEQ UNLINK"),
    (
        "RO",
        "EXISTS HEXISTS HLEN HSTRLEN LLEN MEMORY|USAGE OBJECT|ENCODING OBJECT|FREQ OBJECT|IDLETIME OBJECT|REFCOUNT SCARD \
         SISMEMBER STRLEN TOUCH TYPE WATCH XLEN ZCARD",
    ),
    // Reading as a group changes the group and not the entries.
    ("RO access", "XREADGROUP"),
    ("RO access;OW update", "COPY GEORADIUS GEORADIUSBYMEMBER"),
    ("RO access;RO access", "SORT_RO"),
    ("RO access;RO access;OW update", "SORT"),
    ("RW access", "PFCOUNT PFDEBUG"),
    (
        "RW access delete",
        "BLMPOP BLPOP BRPOP BZMPOP BZPOPMAX BZPOPMIN GETDEL HGETDEL LMPOP LPOP RPOP SPOP ZMPOP ZPOPMAX ZPOPMIN",
    ),
    ("RW access delete;OW insert", "RENAMENX"),
    ("RW access delete;OW update", "RENAME"),
    ("RW access delete;RW access delete", "MIGRATE"),
    ("RW access delete;RW insert", "BLMOVE BRPOPLPUSH LMOVE RPOPLPUSH SMOVE"),
    ("RW access insert;RO access", "PFMERGE"),
    (
        "RW access update",
        "DECR DECRBY EVAL EVALSHA FCALL GETEX GETSET HGETEX HINCRBY HINCRBYFLOAT INCR INCRBY INCRBYFLOAT MOVE SETBIT ZINCRBY",
    ),
    ("RW access update variable_flags", "BITFIELD SET"),
    (
        "RW delete",
        "HDEL LREM LTRIM SREM XAUTOCLAIM XDEL XDELEX XGROUP|DELCONSUMER XGROUP|DESTROY XTRIM ZREM ZREMRANGEBYLEX \
         ZREMRANGEBYRANK ZREMRANGEBYSCORE",
    ),
    ("RW delete variable_flags", "DELEX"),
    (
        "RW insert",
        "APPEND HSETNX LINSERT LPUSH LPUSHX PFADD RPUSH RPUSHX SADD XGROUP|CREATE XGROUP|CREATECONSUMER",
    ),
    ("RW update delete", "XACKDEL"),
];

/// Commands that reach keys whose names they find in values, or that nobody can find by position.
const UNKNOWN: &[&str] = &["SORT", "SORT_RO"];

impl Access {
    /// The words, one by one.
    pub fn names(self) -> impl Iterator<Item = &'static str> + Clone {
        self.0.split(' ')
    }

    /// Whether it tells something of what a key holds.
    pub fn reads(self) -> bool {
        self.names().any(|name| name == "access")
    }

    /// Whether it changes what a key holds.
    pub fn writes(self) -> bool {
        self.names().any(|name| matches!(name, "insert" | "update" | "delete"))
    }

    /// Whether it is keys that this is said of, and not channels.
    pub fn is_to_keys(self) -> bool {
        self.0 != "not_key"
    }

    /// What a request does of all that its command may do.
    fn in_request(self, spec: &Spec, words: &[&[u8]]) -> Access {
        let any = |from: usize, tokens: &[&str]| {
            words
                .iter()
                .skip(from)
                .any(|word| tokens.iter().any(|it| word.eq_ignore_ascii_case(it.as_bytes())))
        };
        match spec.name {
            "SET" if any(3, &["GET"]) => Access("RW access update"),
            "SET" => Access("OW update"),
            "BITFIELD" if any(2, &["SET", "INCRBY"]) => Access("RW access update"),
            "BITFIELD" => Access("RO access"),
            _ => self,
        }
    }
}

impl Spec {
    /// What is done to the keys of the place numbered `place`, and whether it is said of that place alone.
    fn access(&self, place: usize) -> (Access, bool) {
        let is_this = |name: &str| name.split('|').eq(self.name.split(' '));
        let listed = ACCESS.iter().find(|(_, names)| names.split_ascii_whitespace().any(is_this));
        let text = match listed {
            Some((text, _)) => text,
            None if self.flags.has(Flags::WRITE) => "RW update",
            None => "RO access",
        };
        match text.split(';').nth(place) {
            Some(own) => (Access(own), true),
            None => (Access(text.rsplit(';').next().unwrap_or(text)), false),
        }
    }

    /// The rules by which the keys are found.
    pub fn key_specs(&self) -> Vec<KeySpec> {
        let mut specs = Vec::new();
        let mut at = self.name_words() as i64;
        let (mut place, mut fixed) = (0, true);
        for (i, shape) in self.shapes.iter().enumerate() {
            let rest = Shape::sum(&self.shapes[i + 1..]) as i64;
            self.specs_of(shape, fixed.then_some(at), at, rest, &mut place, &mut specs);
            fixed &= shape.is_fixed();
            at += shape.min_words() as i64;
        }
        specs
    }

    /// Adds the rules that a shape gives. It stands at `at` when that is known, `from` or later otherwise, and `rest` words
    /// are needed after it.
    fn specs_of(
        &self,
        shape: &Shape,
        at: Option<i64>,
        from: i64,
        rest: i64,
        place: &mut usize,
        specs: &mut Vec<KeySpec>,
    ) {
        let one = Find::Range { last: 0, step: 1, limit: 0 };
        let mut add = |begin, find, incomplete| {
            let (access, own) = self.access(*place);
            *place += 1;
            // Keys side by side of which nothing separate is said are one range.
            if let (
                false,
                Some(KeySpec { begin: Begin::Index(first), find: Find::Range { last, .. }, .. }),
                Begin::Index(at),
            ) = (own, specs.last_mut(), begin)
                && *first + *last + 1 == at
            {
                *last += 1;
                return;
            }
            specs.push(KeySpec { begin, find, access, incomplete });
        };
        let begin = at.map_or(Begin::Unknown, Begin::Index);
        match shape {
            Shape::Key => add(begin, one, false),
            Shape::Many([Shape::Key, others @ ..]) => {
                add(begin, Find::Range { last: -1 - rest, step: 1 + others.len() as i64, limit: 0 }, false);
            }
            Shape::Maybe(shape) => self.specs_of(shape, at, from, rest, place, specs),
            Shape::CountedKeys | Shape::AnyKeys => add(begin, Find::Counted { step: 1 }, false),
            Shape::CountedPairs => add(begin, Find::Counted { step: 2 }, false),
            Shape::Streams => {
                add(Begin::Keyword("STREAMS", from), Find::Range { last: -1, step: 1, limit: 2 }, true);
            }
            Shape::Group(shapes) => {
                let mut within = at;
                for shape in *shapes {
                    self.specs_of(shape, within, from, rest, place, specs);
                    within = within.filter(|_| shape.is_fixed()).map(|at| at + shape.min_words() as i64);
                }
            }
            Shape::Options(options) => {
                if UNKNOWN.contains(&self.name) {
                    while self.access(*place).1 {
                        specs.push(KeySpec {
                            begin: Begin::Unknown,
                            find: Find::Unknown,
                            access: self.access(*place).0,
                            incomplete: false,
                        });
                        *place += 1;
                    }
                    return;
                }
                for (option, keys) in keyword_options(options) {
                    // Keys that take up the rest of the request are looked for from its end.
                    let (from, find) = match keys {
                        Shape::Many(_) => (-2, Find::Range { last: -1, step: 1, limit: 0 }),
                        _ => (from, one),
                    };
                    specs.push(KeySpec {
                        begin: Begin::Keyword(option, from),
                        find,
                        access: self.access(*place).0,
                        incomplete: true,
                    });
                }
                *place += 1;
            }
            _ => {}
        }
    }

    /// Where the keys stand as far as one range can say it, as COMMAND INFO did before there were specifications.
    pub fn keys(&self) -> KeyRange {
        let mut range = KeyRange::default();
        for spec in self.key_specs() {
            let (Begin::Index(first), Find::Range { last, step, .. }) = (spec.begin, spec.find) else {
                continue;
            };
            let last = if last < 0 { last } else { first + last };
            if range.first == 0 {
                range = KeyRange { first, last, step };
            } else if range.last + 1 == first {
                range.last = last;
            }
        }
        range
    }

    /// Whether some keys stand where only the words themselves tell.
    pub fn has_movable_keys(&self) -> bool {
        let is_range =
            |spec: &KeySpec| matches!((spec.begin, spec.find), (Begin::Index(_), Find::Range { .. }));
        !self.key_specs().iter().all(is_range)
    }

    /// The keys among `words`, name included. `None` when the words do not say where they are.
    pub fn find_keys(&self, words: &[&[u8]]) -> Option<Vec<FoundKey>> {
        let mut walk = Walk { spec: self, words, at: self.name_words(), found: Vec::new() };
        // What is behind the last key may come in any order, as it does in GEOSEARCH.
        let last = self.shapes.iter().rposition(names_key).map_or(0, |last| last + 1);
        let (shapes, behind) = self.shapes.split_at(last);
        walk.sequence(shapes, Shape::sum(behind), 0)?;
        // Of several keys to store at, SORT uses the last.
        if self.name == "SORT" && walk.found.len() > 2 {
            walk.found.drain(1..walk.found.len() - 1);
        }
        // MIGRATE of several keys names none where the only one would stand.
        if self.name == "MIGRATE" && walk.found.len() > 1 && words[walk.found[0].at].is_empty() {
            walk.found.remove(0);
        }
        Some(walk.found)
    }
}

/// The words in front of the keys among options, and what the keys look like.
fn keyword_options(options: &'static [Shape]) -> Vec<(&'static str, &'static Shape)> {
    let mut keywords = Vec::new();
    for option in options {
        match option {
            Shape::Group([Shape::Token(token), keys @ (Shape::Key | Shape::Many([Shape::Key]))]) => {
                keywords.push((*token, keys));
            }
            Shape::OneOf(shapes) | Shape::Options(shapes) => keywords.extend(keyword_options(shapes)),
            _ => {}
        }
    }
    keywords
}

/// Whether there may be a key in it.
fn names_key(shape: &Shape) -> bool {
    match shape {
        Shape::Key | Shape::CountedKeys | Shape::AnyKeys | Shape::CountedPairs | Shape::Streams => true,
        Shape::Group(shapes) | Shape::Many(shapes) | Shape::OneOf(shapes) | Shape::Options(shapes) => {
            shapes.iter().any(names_key)
        }
        Shape::Maybe(shape) => names_key(shape),
        Shape::Fields(shapes) => shapes.iter().any(names_key),
        Shape::Word(..) | Shape::Token(_) => false,
    }
}

/// How many places of keys a shape has. Options count as one place, whatever keyword stands before the key.
fn places(shape: &Shape) -> usize {
    match shape {
        Shape::Key | Shape::CountedKeys | Shape::AnyKeys | Shape::CountedPairs | Shape::Streams => 1,
        Shape::Group(shapes) | Shape::Many(shapes) => shapes.iter().map(places).sum(),
        Shape::Maybe(shape) => places(shape),
        Shape::Options(_) => 1,
        _ => 0,
    }
}

/// A walk over a request along the shapes of its command.
struct Walk<'w> {
    spec: &'w Spec,
    words: &'w [&'w [u8]],
    at: usize,
    found: Vec<FoundKey>,
}

impl Walk<'_> {
    /// Whether `n` words are left besides the last `rest`.
    fn has(&self, n: usize, rest: usize) -> bool {
        self.at + n + rest <= self.words.len()
    }

    fn key(&mut self, place: usize) {
        let access = self.spec.access(place).0.in_request(self.spec, self.words);
        self.found.push(FoundKey { at: self.at, access });
        self.at += 1;
    }

    fn sequence(&mut self, shapes: &[Shape], rest: usize, mut place: usize) -> Option<()> {
        for (i, shape) in shapes.iter().enumerate() {
            self.shape(shape, rest + Shape::sum(&shapes[i + 1..]), place)?;
            place += places(shape);
        }
        Some(())
    }

    fn shape(&mut self, shape: &Shape, rest: usize, place: usize) -> Option<()> {
        if !self.has(shape.min_words(), rest) {
            return None;
        }
        match shape {
            Shape::Key => self.key(place),
            Shape::Word(..) | Shape::Token(_) => self.at += 1,
            Shape::Group(shapes) => self.sequence(shapes, rest, place)?,
            Shape::Many(shapes) => {
                let start = self.at;
                while self.has(Shape::sum(shapes).max(1), rest) && (self.at == start || self.fits(shape)) {
                    let before = self.at;
                    self.sequence(shapes, rest, place)?;
                    if self.at == before {
                        return None;
                    }
                }
            }
            Shape::Maybe(inner) => {
                if self.has(inner.min_words(), rest) && self.fits(inner) {
                    self.shape(inner, rest, place)?;
                }
            }
            Shape::OneOf(shapes) => {
                let shape = shapes.iter().find(|shape| self.fits(shape))?;
                self.shape(shape, rest, place)?;
            }
            Shape::Options(shapes) => {
                while self.has(1, rest)
                    && let Some(shape) = shapes.iter().find(|shape| self.fits(shape))
                {
                    // A key among options belongs to the one place after those in front.
                    let place = if self.spec.access(place + 1).1 { place + 1 } else { place };
                    self.shape(shape, rest, place)?;
                }
            }
            Shape::CountedKeys | Shape::AnyKeys => {
                (0..self.count(1, rest)?).for_each(|_| self.key(place));
            }
            Shape::CountedPairs => {
                for _ in 0..self.count(2, rest)? {
                    self.key(place);
                    self.at += 1;
                }
            }
            Shape::Fields(_) => self.at = self.words.len(),
            Shape::Streams => {
                self.at += 1;
                let names = (self.words.len() - rest - self.at) / 2;
                (0..names).for_each(|_| self.key(place));
                self.at += names;
            }
        }
        Some(())
    }

    /// Reads how many keys follow, each of which takes `step` words.
    fn count(&mut self, step: usize, rest: usize) -> Option<usize> {
        let count = parse_count(self.words[self.at])?;
        self.at += 1;
        (count <= self.words.len() && self.has(count * step, rest)).then_some(count)
    }

    /// Whether the next word can be the first of `shape`.
    fn fits(&self, shape: &Shape) -> bool {
        let Some(word) = self.words.get(self.at) else { return false };
        match shape {
            Shape::Token(token) => word.eq_ignore_ascii_case(token.as_bytes()),
            Shape::Fields(_) => word.eq_ignore_ascii_case(b"FIELDS"),
            Shape::Streams => word.eq_ignore_ascii_case(b"STREAMS"),
            Shape::Group(shapes) | Shape::Many(shapes) => {
                shapes.first().is_some_and(|first| self.fits(first))
            }
            Shape::OneOf(shapes) | Shape::Options(shapes) => shapes.iter().any(|shape| self.fits(shape)),
            Shape::Maybe(shape) => self.fits(shape),
            Shape::Key | Shape::Word(..) | Shape::CountedKeys | Shape::AnyKeys | Shape::CountedPairs => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::commands::args::Kind;

    const WORD: Shape = Shape::Word("word", Kind::Text);
    const STORE: Shape = Shape::Group(&[Shape::Token("STORE"), Shape::Key]);
    const LIMIT: Shape = Shape::Group(&[Shape::Token("LIMIT"), WORD, WORD]);

    fn spec(name: &'static str, flag: Flags, shapes: &'static [Shape]) -> Spec {
        let names = &["argument"; 8][..shapes.len()];
        Spec {
            name,
            summary: "",
            since: "1.0.0",
            group: "generic",
            complexity: "O(1)",
            flags: flag,
            names,
            shapes,
            reply: "unknown",
        }
    }

    /// The keys of a request and what is done to them, as one text.
    fn keys(spec: &Spec, request: &str) -> Option<String> {
        let words: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
        let found = spec.find_keys(&words)?;
        let texts = found
            .iter()
            .map(|key| [core::str::from_utf8(words[key.at]).unwrap(), "=", key.access.0].concat());
        Some(texts.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn a_count_says_how_many_keys_follow() {
        let union = spec(
            "ZUNIONSTORE",
            Flags::WRITE,
            &[
                Shape::Key,
                Shape::CountedKeys,
                Shape::Options(&[Shape::Group(&[Shape::Token("WEIGHTS"), WORD])]),
            ],
        );
        assert_eq!(
            keys(&union, "ZUNIONSTORE to 2 a b WEIGHTS 1").unwrap(),
            "to=OW update, a=RO access, b=RO access"
        );
        assert_eq!(keys(&union, "ZUNIONSTORE to 5 a b"), None);
        assert_eq!(keys(&union, "ZUNIONSTORE to x a b"), None);
        assert_eq!(union.keys(), KeyRange { first: 1, last: 1, step: 1 });
        assert!(union.has_movable_keys());
    }

    #[test]
    fn what_is_behind_the_last_key_is_not_looked_at() {
        const BY: Shape = Shape::Group(&[Shape::Token("BY"), WORD]);
        const FROM: Shape = Shape::Group(&[Shape::Token("FROM"), WORD]);
        let search = spec("GEOSEARCH", Flags::READONLY, &[Shape::Key, Shape::Group(&[FROM, BY])]);
        assert_eq!(keys(&search, "GEOSEARCH a BY 1 FROM b").unwrap(), "a=RO access");
        assert_eq!(keys(&search, "GEOSEARCH a BY 1"), None);
    }

    #[test]
    fn a_key_may_stand_among_options_in_any_order() {
        let sort =
            spec("SORT", Flags::WRITE, &[Shape::Key, Shape::Options(&[STORE, LIMIT, Shape::Token("ALPHA")])]);
        assert_eq!(keys(&sort, "SORT a alpha LIMIT 0 5 store b").unwrap(), "a=RO access, b=OW update");
        assert_eq!(sort.key_specs().len(), 3);
        assert!(sort.has_movable_keys());
        let radius = spec("GEORADIUS", Flags::WRITE, &[Shape::Key, WORD, Shape::Options(&[STORE, LIMIT])]);
        assert_eq!(keys(&radius, "GEORADIUS a x STORE b").unwrap(), "a=RO access, b=OW update");
        assert_eq!(radius.key_specs()[1].begin, Begin::Keyword("STORE", 3));
    }

    #[test]
    fn keys_may_be_all_words_but_the_last() {
        let blpop = spec("BLPOP", Flags::WRITE, &[Shape::Many(&[Shape::Key]), WORD]);
        assert_eq!(keys(&blpop, "BLPOP a b 0").unwrap(), "a=RW access delete, b=RW access delete");
        assert_eq!(blpop.keys(), KeyRange { first: 1, last: -2, step: 1 });
        assert!(!blpop.has_movable_keys());
        let lcs =
            spec("LCS", Flags::READONLY, &[Shape::Key, Shape::Key, Shape::Options(&[Shape::Token("LEN")])]);
        assert_eq!(lcs.keys(), KeyRange { first: 1, last: 2, step: 1 });
        assert_eq!(lcs.key_specs().len(), 1);
    }

    #[test]
    fn streams_are_half_of_what_follows() {
        let read = spec(
            "XREAD",
            Flags::READONLY,
            &[Shape::Options(&[Shape::Group(&[Shape::Token("COUNT"), WORD])]), Shape::Streams],
        );
        assert_eq!(keys(&read, "XREAD COUNT 1 STREAMS s t 0 0").unwrap(), "s=RO access, t=RO access");
        assert_eq!(keys(&read, "XREAD"), None);
    }
}
