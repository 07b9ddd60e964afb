//! Requests made up from the shapes of the commands: what a user could send, and now and then what nobody should.

use keyside::commands::{Kind, Shape, Spec};

use super::random::Random;

type Words = Vec<Vec<u8>>;

/// What the clock of a store does while it is asked.
#[allow(dead_code, reason = "each test has one kind of clock")]
#[derive(Clone, Copy)]
pub enum Clock {
    /// It stands still, at milliseconds since 1970; what is asked for is close to that.
    Stands(u64),
    /// It runs, and not only one store has it: what is asked for is long past or far away and no two times are close.
    Runs,
}

/// A request for `spec`. Keys are few and named after kinds, so that requests meet each other.
pub fn request(spec: &Spec, clock: Clock, random: &mut Random) -> Words {
    let mut words: Words = spec.name.split(' ').map(|word| word.as_bytes().to_vec()).collect();
    let group = if random.one_in(12) { "generic" } else { spec.group };
    let is_absolute = spec.name.ends_with("AT");
    let mut maker = Maker { group, is_absolute, clock, random, words: &mut words };
    for (shape, name) in spec.shapes.iter().zip(spec.names) {
        match shape {
            Shape::Word(_, kind) => maker.word(name, *kind),
            shape => maker.shape(shape),
        }
    }
    // One or the other: a text in the place of a time would be one that no two clocks agree on.
    if random.one_in(60) {
        let at = random.below(words.len());
        words.remove(at);
    } else if random.one_in(60) {
        words.push(text(random));
    }
    if words.is_empty() {
        words.push(b"PING".to_vec());
    }
    words
}

struct Maker<'a> {
    group: &'a str,
    /// Whether its numbers of seconds and milliseconds are points in time.
    is_absolute: bool,
    clock: Clock,
    random: &'a mut Random,
    words: &'a mut Words,
}

impl Maker<'_> {
    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Key => self.key(),
            Shape::Word("group", _) => self.words.push(self.random.pick(&[b"g", b"h"]).to_vec()),
            Shape::Word("consumer", _) => self.words.push(self.random.pick(&[b"a", b"b", b"c"]).to_vec()),
            Shape::Word("id", _) => self.words.push(self.random.pick(IDS).to_vec()),
            Shape::Word(name, kind) => self.word(name, *kind),
            Shape::Token(token) => {
                let token = self.letter_case(token);
                self.words.push(token);
            }
            Shape::Group(shapes) => shapes.iter().for_each(|shape| self.shape(shape)),
            Shape::Many(shapes) => {
                for _ in 0..1 + self.random.below(3) {
                    shapes.iter().for_each(|shape| self.shape(shape));
                }
            }
            Shape::Maybe(shape) => {
                if self.random.one_in(2) {
                    self.shape(shape);
                }
            }
            Shape::OneOf(shapes) => {
                let shape = self.random.pick(shapes);
                self.shape(shape);
            }
            Shape::Options(shapes) => {
                while !shapes.is_empty() && self.random.one_in(2) {
                    let shape = self.random.pick(shapes);
                    self.shape(shape);
                }
            }
            Shape::CountedKeys => {
                let count = 1 + self.random.below(3);
                self.words.push(count.to_string().into_bytes());
                (0..count).for_each(|_| self.key());
            }
            Shape::AnyKeys => {
                let count = self.random.below(3);
                self.words.push(count.to_string().into_bytes());
                (0..count).for_each(|_| self.key());
            }
            Shape::Fields(shapes) => {
                let count = 1 + self.random.below(3);
                self.words.push(b"FIELDS".to_vec());
                self.words.push(count.to_string().into_bytes());
                (0..count).for_each(|_| shapes.iter().for_each(|shape| self.shape(shape)));
            }
            Shape::CountedPairs => {
                let count = 1 + self.random.below(3);
                self.words.push(count.to_string().into_bytes());
                for _ in 0..count {
                    self.key();
                    self.word("value", Kind::Text);
                }
            }
            Shape::Streams => {
                let count = 1 + self.random.below(2);
                self.words.push(b"STREAMS".to_vec());
                (0..count).for_each(|_| self.key());
                for _ in 0..count {
                    let id = self.id();
                    self.words.push(id);
                }
            }
        }
    }

    fn key(&mut self) {
        const GROUPS: &[&str] = &["string", "hash", "list", "set", "sorted-set", "stream", "hyperloglog"];
        let group = match self.group {
            // Its commands are on the bits of texts.
            "bitmap" => "string",
            // Its commands are on the scores of sorted sets.
            "geo" => "sorted-set",
            group if GROUPS.contains(&group) => group,
            _ => self.random.pick(GROUPS),
        };
        self.words.push(format!("{group}:{}", self.random.below(4)).into_bytes());
    }

    fn word(&mut self, name: &str, kind: Kind) {
        let word = match kind {
            Kind::Integer | Kind::UnixTime
                if matches!(self.clock, Clock::Runs) && name.ends_with("seconds") =>
            {
                self.far_time(name.ends_with("milliseconds"), self.is_absolute || kind == Kind::UnixTime)
            }
            Kind::Text if self.group == "stream" && self.random.one_in(2) => self.id(),
            Kind::Text => text(self.random),
            Kind::Integer => self.random.pick(INTEGERS).to_vec(),
            Kind::Double => self.random.pick(DOUBLES).to_vec(),
            Kind::Pattern => self.random.pick(PATTERNS).to_vec(),
            Kind::UnixTime => {
                let now_ms = if let Clock::Stands(now_ms) = self.clock { now_ms } else { 0 };
                (now_ms as i64 + self.random.below(4000) as i64 - 1000).to_string().into_bytes()
            }
        };
        self.words.push(word);
    }

    /// A time or a duration that is the same for every clock.
    fn far_time(&mut self, is_ms: bool, is_absolute: bool) -> Vec<u8> {
        const SECONDS_TO_2096: usize = 4_000_000_000;
        if self.random.one_in(8) {
            return self.random.pick(&[&b"0"[..], b"-1", b"x", b"9223372036854775807"]).to_vec();
        }
        let base = if is_absolute { SECONDS_TO_2096 } else { 1_000_000 };
        let seconds = (base + self.random.below(1_000_000_000)) as u64;
        (if is_ms { seconds * 1000 } else { seconds }).to_string().into_bytes()
    }

    /// The ID of an entry of a stream, and none that a clock makes unless one stands still.
    fn id(&mut self) -> Vec<u8> {
        match *self.random.pick(IDS) {
            b"*" if matches!(self.clock, Clock::Runs) => b"7-*".to_vec(),
            id => id.to_vec(),
        }
    }

    fn letter_case(&mut self, token: &str) -> Vec<u8> {
        if self.random.one_in(2) { token.into() } else { token.to_ascii_lowercase().into() }
    }
}

const INTEGERS: &[&[u8]] = &[
    b"0",
    b"1",
    b"2",
    b"3",
    b"5",
    b"10",
    b"100",
    b"-1",
    b"-2",
    b"-3",
    b"-100",
    b"9223372036854775807",
    b"x",
];
const DOUBLES: &[&[u8]] = &[
    b"0",
    b"1",
    b"-1",
    b"2.5",
    b"3",
    b"0.1",
    b"1e10",
    b"-7.25",
    b"inf",
    b"-inf",
    b"nan",
    b"(1",
    b"+inf",
    b"x",
    b"-0",
    b"1e400",
    b"(1e400",
    b"1e-400",
    b"0x1p3",
    b" 1",
    b"1 ",
    b"1\0",
    b"(-inf",
    b"Infinity",
    b"1e5000",
    b"",
];
const PATTERNS: &[&[u8]] =
    &[b"*", b"h*", b"*1", b"[a-s]*", b"?ash:*", b"none", b"\\*", b"[^h]*", b"#", b"string:*", b"hash:*->a"];
const IDS: &[&[u8]] =
    &[b"*", b">", b"0", b"0-1", b"1-*", b"5-5", b"-", b"+", b"$", b"1000", b"(0-1", b"99999999-1"];

fn text(random: &mut Random) -> Vec<u8> {
    const TEXTS: &[&[u8]] = &[
        b"a",
        b"b",
        b"c",
        b"d",
        b"e",
        b"",
        b"0",
        b"1",
        b"-7",
        b"12345678901234567890",
        b"3.5",
        b"[a",
        b"(b",
        b"-",
        b"+",
        b"\xff\x00\r\n",
        b"a field of some length",
        b"9223372036854775807",
    ];
    match random.below(40) {
        0 => vec![b'x'; random.below(3000)],
        1 => random.next().to_string().into_bytes(),
        _ => random.pick(TEXTS).to_vec(),
    }
}
