//! Clients that wait, watch, subscribe, track and leave, each with a purpose, and what must hold between them: an element
//! is taken once, a message reaches whoever listened, a copy is never older than the store, and who watched a key that
//! changed has no transaction. What is asked at random, of all commands, is in `requests.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use keyside::{ClientId, Engine, Origin, resp::reply_len};

use super::{config, encode, random::Random, reply::Reply};

const QUEUES: &[&str] = &["q0", "q1", "q2"];
const RANKED: &[&str] = &["z0", "z1"];
const STREAMS: &[&str] = &["s0", "s1"];
const CHANNELS: &[&str] = &["c0", "c1", "c2"];
const PATTERNS: &[&str] = &["c*", "c[01]", "?1"];
/// Keys that are read, kept copies of, and watched.
const TEXTS: &[&str] = &["w0", "w1", "w2", "w3"];
const GROUP: &str = "g";

/// The namespaces of what one can listen to, with what messages and acknowledgements begin with.
const SPACES: [Space; 3] = [
    Space { names: CHANNELS, message: "message", join: "SUBSCRIBE", leave: "UNSUBSCRIBE" },
    Space { names: PATTERNS, message: "pmessage", join: "PSUBSCRIBE", leave: "PUNSUBSCRIBE" },
    Space { names: CHANNELS, message: "smessage", join: "SSUBSCRIBE", leave: "SUNSUBSCRIBE" },
];

struct Space {
    names: &'static [&'static str],
    message: &'static str,
    join: &'static str,
    leave: &'static str,
}

/// A request that was sent and not answered yet, as far as its answer matters.
#[derive(Clone, Debug)]
enum Asked {
    /// It brings these elements unless it is refused.
    Push(Vec<String>),
    /// It takes the elements that it answers with.
    Take,
    Add {
        stream: &'static str,
    },
    /// It reads what is new to the group.
    ReadGroup,
    /// It reads on from the last entry it has seen.
    ReadOn {
        stream: &'static str,
        after: String,
    },
    Publish {
        space: usize,
        channel: &'static str,
        message: String,
    },
    /// Whether the answer is kept as a copy.
    Get {
        key: &'static str,
        is_kept: bool,
    },
    Write {
        key: &'static str,
    },
    Watch(Vec<&'static str>),
    Exec(Vec<Asked>),
    /// Every key is gone.
    Flush,
    /// Everybody is held up for so many milliseconds.
    Pause(u64),
    /// A client is closed, if it is still there.
    Kill {
        number: u64,
    },
    Other,
}

/// How a client keeps copies.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Copies {
    Never,
    Always,
    WhenAsked,
    UnlessAsked,
}

struct Watched {
    versions: BTreeMap<&'static str, usize>,
    flushes: usize,
}

struct Actor {
    id: ClientId,
    number: u64,
    unread: Vec<u8>,
    asked: VecDeque<Asked>,
    listens: [BTreeSet<&'static str>; 3],
    /// Messages that it has to receive next, with the name it listens to.
    due: VecDeque<(usize, String, String)>,
    copies: Copies,
    kept: BTreeMap<&'static str, Reply>,
    watched: Option<Watched>,
    /// The last entry it has seen of each stream.
    seen: BTreeMap<&'static str, String>,
}

/// Many clients of one store, and what they have to find true.
pub struct Crowd {
    pub engine: Engine,
    pub journal: Vec<u8>,
    pub sent: Vec<u8>,
    pub now_ms: u64,
    pub requests: usize,
    random: Random,
    actors: Vec<Actor>,
    /// Hears of every change of a text.
    observer: ClientId,
    /// Looks at the store between the requests of others.
    reader: ClientId,
    connected: u64,
    made: usize,
    paused_until_ms: u64,
    flushes: usize,
    versions: BTreeMap<&'static str, usize>,
    /// The versions before the requests that run.
    versions_before: BTreeMap<&'static str, usize>,
    there: BTreeSet<String>,
    taken: BTreeSet<String>,
    added: BTreeMap<&'static str, Vec<String>>,
    delivered: BTreeSet<(&'static str, String)>,
}

impl Crowd {
    pub fn new(seed: u64) -> Crowd {
        let mut engine = Engine::new(config(), seed);
        let now_ms = 1_000_000;
        let [observer, reader] = [(), ()].map(|()| engine.connect(Origin::default(), now_ms));
        let mut crowd = Crowd {
            engine,
            journal: Vec::new(),
            sent: Vec::new(),
            now_ms,
            requests: 0,
            random: Random::new(seed ^ 0x5eed),
            actors: Vec::new(),
            observer,
            reader,
            connected: 2,
            made: 0,
            paused_until_ms: 0,
            flushes: 0,
            versions: TEXTS.iter().map(|key| (*key, 0)).collect(),
            versions_before: BTreeMap::new(),
            there: BTreeSet::new(),
            taken: BTreeSet::new(),
            added: BTreeMap::new(),
            delivered: BTreeSet::new(),
        };
        crowd.tell(
            observer,
            &["HELLO 3", "CONFIG SET notify-keyspace-events KA", "PSUBSCRIBE __keyspace@0__:w*"],
        );
        crowd.tell(reader, &["HELLO 3"]);
        crowd.make_groups();
        for _ in 0..2 + crowd.random.below(19) {
            let actor = crowd.newcomer();
            crowd.actors.push(actor);
        }
        crowd
    }

    /// Has one of the clients do something, or time pass.
    pub fn step(&mut self) {
        if self.random.one_in(4) {
            let most = if self.random.one_in(20) { 100_000 } else { 700 };
            self.now_ms += self.random.below(most) as u64;
            self.engine.tick(self.now_ms);
            self.absorb(None);
        }
        let who = self.random.below(self.actors.len());
        match self.random.below(60) {
            0 => self.leave(who),
            1 => self.leave_in_the_middle(who),
            2 => self.unblock_somebody(who),
            _ if !self.actors[who].asked.is_empty() => self.hurry(who),
            _ => self.act(who),
        }
        self.resume();
        self.reconnect_closed();
        self.check_copies();
    }

    /// Ends all waits; then everybody is answered, and nothing is lost.
    pub fn finish(&mut self) {
        let reader = self.reader;
        // What a pause held up may be another one.
        loop {
            self.now_ms = self.now_ms.max(self.paused_until_ms);
            self.engine.tick(self.now_ms);
            self.absorb(None);
            self.resume();
            self.reconnect_closed();
            if self.now_ms >= self.paused_until_ms {
                break;
            }
        }
        while let Some(waiting) = self.actors.iter().find(|actor| !actor.asked.is_empty()) {
            let unblock = format!("CLIENT UNBLOCK {}", waiting.number);
            let replies = self.tell(reader, &[&unblock]);
            assert_eq!(
                replies[0].integer(),
                Some(1),
                "client {} has no reply and does not wait",
                waiting_of(&self.actors)
            );
            self.absorb(None);
            self.resume();
            self.reconnect_closed();
        }
        self.engine.tick(self.now_ms);
        self.absorb(None);
        self.check_elements();
        self.check_streams();
        self.engine.check();
    }

    fn newcomer(&mut self) -> Actor {
        let id = self.engine.connect(Origin::default(), self.now_ms);
        self.connected += 1;
        self.engine.speak(id, keyside::resp::Version::V3);
        Actor {
            id,
            number: self.connected,
            unread: Vec::new(),
            asked: VecDeque::new(),
            listens: Default::default(),
            due: VecDeque::new(),
            copies: Copies::Never,
            kept: BTreeMap::new(),
            watched: None,
            seen: BTreeMap::new(),
        }
    }

    fn make_groups(&mut self) {
        let reader = self.reader;
        for stream in STREAMS {
            self.tell(reader, &[&format!("XGROUP CREATE {stream} {GROUP} 0 MKSTREAM")]);
        }
    }

    // What clients do ─────────────────────────────────────────────────────────────────────────────────────────────────

    fn act(&mut self, who: usize) {
        match self.random.below(20) {
            0..3 => self.push(who),
            3..5 => self.take(who),
            5..9 => self.wait(who),
            9 => self.listen(who),
            10 => self.publish(who),
            11..13 => self.read(who),
            13 => self.track(who),
            14..16 => self.write(who),
            16..18 => self.watch(who),
            18 => self.several(who),
            _ => self.disturb(who),
        }
    }

    /// What a client sends while it waits for an answer.
    fn hurry(&mut self, who: usize) {
        match self.random.below(8) {
            0 => self.push(who),
            1 => self.publish(who),
            2 => self.ask(who, vec![("PING".into(), Asked::Other)]),
            _ => {}
        }
    }

    fn element(&mut self) -> String {
        self.made += 1;
        format!("e{}", self.made)
    }

    fn pushing(&mut self) -> (String, Asked) {
        let element = self.element();
        match self.random.below(4) {
            0 => {
                let score = self.random.below(9);
                (format!("ZADD {} {score} {element}", self.random.pick(RANKED)), Asked::Push(vec![element]))
            }
            1 => {
                let stream = *self.random.pick(STREAMS);
                (format!("XADD {stream} * f {element}"), Asked::Add { stream })
            }
            _ => {
                let end = self.random.pick(&["LPUSH", "RPUSH"]);
                let line = format!("{end} {} {element}", self.random.pick(QUEUES));
                if self.random.one_in(2) {
                    return (line, Asked::Push(vec![element]));
                }
                let second = self.element();
                (format!("{line} {second}"), Asked::Push(vec![element, second]))
            }
        }
    }

    fn push(&mut self, who: usize) {
        let request = self.pushing();
        self.ask(who, vec![request]);
    }

    fn taking(&mut self) -> (String, Asked) {
        let (queue, ranked) = (*self.random.pick(QUEUES), *self.random.pick(RANKED));
        let line = match self.random.below(7) {
            0 => format!("LPOP {queue}"),
            1 => format!("RPOP {queue} 2"),
            2 => format!("LMPOP 2 {queue} q0 LEFT COUNT 2"),
            3 => format!("ZPOPMIN {ranked}"),
            4 => format!("ZMPOP 1 {ranked} MAX COUNT 2"),
            5 => return (format!("LMOVE {queue} q1 LEFT RIGHT"), Asked::Other),
            _ => return (format!("RPOPLPUSH {queue} {queue}"), Asked::Other),
        };
        (line, Asked::Take)
    }

    fn take(&mut self, who: usize) {
        let request = self.taking();
        self.ask(who, vec![request]);
    }

    fn wait(&mut self, who: usize) {
        let [one, other] = [(), ()].map(|()| *self.random.pick(QUEUES));
        let ranked = *self.random.pick(RANKED);
        let seconds = *self.random.pick(&["0", "0.1", "1", "30"]);
        let line = match self.random.below(9) {
            0 => format!("BLPOP {one} {other} {seconds}"),
            1 => format!("BRPOP {one} {seconds}"),
            2 => format!("BLMPOP {seconds} 2 {one} {other} RIGHT COUNT 3"),
            3 => {
                return self
                    .ask(who, vec![(format!("BLMOVE {one} {other} LEFT RIGHT {seconds}"), Asked::Other)]);
            }
            4 => return self.ask(who, vec![(format!("BRPOPLPUSH {one} {other} {seconds}"), Asked::Other)]),
            5 => format!("BZPOPMIN {ranked} z0 {seconds}"),
            6 => format!("BZMPOP {seconds} 1 {ranked} MAX COUNT 2"),
            _ => return self.wait_for_entries(who),
        };
        self.ask(who, vec![(line, Asked::Take)]);
    }

    fn wait_for_entries(&mut self, who: usize) {
        let stream = *self.random.pick(STREAMS);
        let ms = *self.random.pick(&[0, 100, 5000]);
        let request = if self.random.one_in(2) {
            let noack = self.random.pick(&["", "NOACK "]);
            let line =
                format!("XREADGROUP GROUP {GROUP} a{who} COUNT 2 BLOCK {ms} {noack}STREAMS {stream} >");
            (line, Asked::ReadGroup)
        } else {
            let after = self.actors[who].seen.get(stream).cloned().unwrap_or("0-0".into());
            (format!("XREAD COUNT 3 BLOCK {ms} STREAMS {stream} {after}"), Asked::ReadOn { stream, after })
        };
        self.ask(who, vec![request]);
    }

    fn listen(&mut self, who: usize) {
        let space = &SPACES[self.random.below(3)];
        let name = *self.random.pick(space.names);
        let line = match self.random.below(5) {
            0 => format!("{} {name}", space.leave),
            1 => space.leave.into(),
            2 => format!("{} {name} {}", space.join, self.random.pick(space.names)),
            _ => format!("{} {name}", space.join),
        };
        // Under RESP3 these are answered by messages alone.
        self.send(who, &[line]);
    }

    fn publish(&mut self, who: usize) {
        let message = self.element();
        let channel = *self.random.pick(CHANNELS);
        let (line, space) = match self.random.one_in(3) {
            true => (format!("SPUBLISH {channel} {message}"), 2),
            false => (format!("PUBLISH {channel} {message}"), 0),
        };
        self.ask(who, vec![(line, Asked::Publish { space, channel, message })]);
    }

    fn read(&mut self, who: usize) {
        let key = *self.random.pick(TEXTS);
        let asks = self.random.one_in(2);
        let get = |is_kept| (format!("GET {key}"), Asked::Get { key, is_kept });
        let requests = match self.actors[who].copies {
            Copies::Never => vec![get(false)],
            Copies::Always => vec![get(true)],
            Copies::WhenAsked if asks => vec![("CLIENT CACHING YES".into(), Asked::Other), get(true)],
            Copies::WhenAsked => vec![get(false)],
            Copies::UnlessAsked if asks => vec![("CLIENT CACHING NO".into(), Asked::Other), get(false)],
            Copies::UnlessAsked => vec![get(true)],
        };
        self.ask(who, requests);
    }

    fn track(&mut self, who: usize) {
        let actor = &mut self.actors[who];
        if actor.copies != Copies::Never {
            actor.copies = Copies::Never;
            actor.kept.clear();
            return self.ask(who, vec![("CLIENT TRACKING OFF".into(), Asked::Other)]);
        }
        let (mode, copies) = *self.random.pick(&[
            ("", Copies::Always),
            (" BCAST", Copies::Always),
            (" BCAST PREFIX w PREFIX x", Copies::Always),
            (" OPTIN", Copies::WhenAsked),
            (" OPTOUT", Copies::UnlessAsked),
        ]);
        let noloop = self.random.pick(&["", " NOLOOP"]);
        actor_mode(&mut self.actors[who], copies);
        self.ask(who, vec![(format!("CLIENT TRACKING ON{mode}{noloop}"), Asked::Other)]);
    }

    fn writing(&mut self) -> (String, Asked) {
        let key = *self.random.pick(TEXTS);
        let value = self.element();
        let line = match self.random.below(6) {
            0 => format!("DEL {key}"),
            1 => format!("SET {key} {value} PX {}", 1 + self.random.below(900)),
            2 => format!("APPEND {key} {value}"),
            3 => format!("PEXPIRE {key} {}", self.random.below(500)),
            _ => format!("SET {key} {value}"),
        };
        (line, Asked::Write { key })
    }

    fn write(&mut self, who: usize) {
        let request = self.writing();
        self.ask(who, vec![request]);
    }

    /// Watches, or ends that with a transaction.
    fn watch(&mut self, who: usize) {
        if self.actors[who].watched.is_none() {
            let keys: Vec<&str> = (0..1 + self.random.below(2)).map(|_| *self.random.pick(TEXTS)).collect();
            return self.ask(who, vec![(format!("WATCH {}", keys.join(" ")), Asked::Watch(keys))]);
        }
        let writes = vec![self.writing()];
        self.transaction(who, writes);
    }

    /// Several commands as one.
    fn several(&mut self, who: usize) {
        let is_kept = self.actors[who].copies == Copies::Always;
        let requests = (0..1 + self.random.below(4)).map(|_| match self.random.below(4) {
            0 => self.pushing(),
            1 => self.taking(),
            2 => self.writing(),
            _ => {
                let key = *self.random.pick(TEXTS);
                (format!("GET {key}"), Asked::Get { key, is_kept })
            }
        });
        let requests = requests.collect();
        self.transaction(who, requests);
    }

    fn transaction(&mut self, who: usize, requests: Vec<(String, Asked)>) {
        let mut all = vec![("MULTI".to_string(), Asked::Other)];
        let mut parts = Vec::new();
        for (line, asked) in requests {
            all.push((line, Asked::Other));
            parts.push(asked);
        }
        all.push(("EXEC".into(), Asked::Exec(parts)));
        self.ask(who, all);
    }

    /// What others do not expect.
    fn disturb(&mut self, who: usize) {
        let queue = *self.random.pick(QUEUES);
        match self.random.below(12) {
            0..4 => {
                // A queue goes, and something else may come in its place.
                let mut requests = vec![
                    (format!("LRANGE {queue} 0 -1"), Asked::Take),
                    (format!("DEL {queue}"), Asked::Other),
                ];
                if self.random.one_in(2) {
                    requests.push((format!("SET {queue} text"), Asked::Other));
                }
                self.transaction(who, requests);
            }
            4 => {
                let ms = 1 + self.random.below(300) as u64;
                let mode = self.random.pick(&["WRITE", "ALL"]);
                self.ask(who, vec![(format!("CLIENT PAUSE {ms} {mode}"), Asked::Pause(ms))]);
            }
            5 => {
                let number = self.random.pick(&self.actors).number;
                self.ask(who, vec![(format!("CLIENT KILL ID {number}"), Asked::Kill { number })]);
            }
            6 => {
                let all = QUEUES.iter().map(|key| (format!("LRANGE {key} 0 -1"), Asked::Take));
                let ranked = RANKED.iter().map(|key| (format!("ZRANGE {key} 0 -1"), Asked::Take));
                let texts = QUEUES.iter().map(|key| (format!("DEL {key}"), Asked::Other));
                let ranks = RANKED.iter().map(|key| (format!("DEL {key}"), Asked::Other));
                let dels = TEXTS.iter().map(|key| (format!("DEL {key}"), Asked::Write { key }));
                let requests = all.chain(ranked).chain(texts).chain(ranks).chain(dels).collect();
                self.transaction(who, requests);
            }
            7 => {
                let all = QUEUES.iter().map(|key| (format!("LRANGE {key} 0 -1"), Asked::Take));
                let ranked = RANKED.iter().map(|key| (format!("ZRANGE {key} 0 -1"), Asked::Take));
                let flush = [("FLUSHDB".to_string(), Asked::Flush)];
                let groups = STREAMS
                    .iter()
                    .map(|key| (format!("XGROUP CREATE {key} {GROUP} 0 MKSTREAM"), Asked::Other));
                let requests = all.chain(ranked).chain(flush).chain(groups).collect();
                self.transaction(who, requests);
            }
            _ => self.ask(who, vec![("PING".into(), Asked::Other)]),
        }
    }

    fn unblock_somebody(&mut self, who: usize) {
        if self.actors[who].asked.is_empty() {
            let number = self.random.pick(&self.actors).number;
            let how = self.random.pick(&["", " TIMEOUT", " ERROR"]);
            self.ask(who, vec![(format!("CLIENT UNBLOCK {number}{how}"), Asked::Other)]);
        }
    }

    fn leave(&mut self, who: usize) {
        self.engine.disconnect(self.actors[who].id);
        self.actors[who] = self.newcomer();
        self.absorb(None);
    }

    /// A request of which only the beginning arrives does nothing.
    fn leave_in_the_middle(&mut self, who: usize) {
        let (line, _) = if self.random.one_in(2) { self.pushing() } else { self.taking() };
        let mut bytes = Vec::new();
        encode(&words(&line), &mut bytes);
        let cut = 1 + self.random.below(bytes.len() - 1);
        self.engine.receive(self.actors[who].id, &bytes[..cut], self.now_ms);
        self.absorb(Some(who));
        self.leave(who);
    }

    // What they are sent ──────────────────────────────────────────────────────────────────────────────────────────────

    fn ask(&mut self, who: usize, requests: Vec<(String, Asked)>) {
        let (lines, asked): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
        self.actors[who].asked.extend(asked);
        self.send(who, &lines);
    }

    fn send(&mut self, who: usize, lines: &[String]) {
        let mut bytes = Vec::new();
        lines.iter().for_each(|line| encode(&words(line), &mut bytes));
        self.requests += lines.len();
        let cut = if self.random.one_in(5) { self.random.below(bytes.len()) } else { 0 };
        for part in [&bytes[..cut], &bytes[cut..]] {
            if !part.is_empty() {
                self.engine.receive(self.actors[who].id, part, self.now_ms);
                self.absorb(Some(who));
            }
        }
    }

    fn resume(&mut self) {
        while let Some(who) = (0..self.actors.len()).find(|&who| self.engine.is_held(self.actors[who].id)) {
            self.engine.receive(self.actors[who].id, b"", self.now_ms);
            self.absorb(Some(who));
        }
    }

    /// Has the reader or the observer ask something, and takes the replies.
    fn tell(&mut self, id: ClientId, lines: &[&str]) -> Vec<Reply> {
        let mut bytes = Vec::new();
        lines.iter().for_each(|line| encode(&words(line), &mut bytes));
        self.engine.receive(id, &bytes, self.now_ms);
        self.take_output(id, &mut Vec::new())
    }

    fn take_output(&mut self, id: ClientId, unread: &mut Vec<u8>) -> Vec<Reply> {
        let Some(out) = self.engine.output(id) else { return Vec::new() };
        self.sent.extend_from_slice(out);
        unread.append(out);
        let (mut at, mut replies) = (0, Vec::new());
        while let Some(length) = reply_len(&unread[at..]) {
            replies.push(Reply::parse(&unread[at..at + length]));
            at += length;
        }
        assert_eq!(at, unread.len(), "not a reply: {}", unread[at..].escape_ascii());
        unread.clear();
        replies
    }

    /// Takes what everybody was sent: first the client whose requests ran, then those who heard of it.
    fn absorb(&mut self, who: Option<usize>) {
        self.versions_before = self.versions.clone();
        let mut watches = Vec::new();
        let mut ends = Vec::new();
        let others = (0..self.actors.len()).filter(|other| Some(*other) != who);
        for each in who.into_iter().chain(others).collect::<Vec<_>>() {
            let (id, mut unread) = (self.actors[each].id, std::mem::take(&mut self.actors[each].unread));
            for reply in self.take_output(id, &mut unread) {
                match &reply {
                    Reply::Many(b'>', parts) => self.hear(each, parts),
                    _ => {
                        let asked = self.actors[each].asked.pop_front();
                        let asked = asked.unwrap_or_else(|| panic!("{reply} answers nothing"));
                        match asked {
                            Asked::Watch(keys) if reply.error().is_none() => watches.push((each, keys)),
                            Asked::Exec(parts) => {
                                ends.push((each, reply.parts().is_some(), self.actors[each].watched.take()));
                                let replies = reply.parts().unwrap_or_default();
                                for (asked, reply) in parts.into_iter().zip(replies) {
                                    self.learn(each, asked, reply);
                                }
                            }
                            asked => self.learn(each, asked, &reply),
                        }
                    }
                }
            }
        }
        self.observe();
        for (who, ran, watched) in ends {
            self.check_watch(who, ran, watched);
        }
        for (who, keys) in watches {
            let versions = keys.into_iter().map(|key| (key, self.versions[key])).collect();
            self.actors[who].watched = Some(Watched { versions, flushes: self.flushes });
        }
        for (who, actor) in self.actors.iter().enumerate() {
            let is_open = !self.engine.is_closing(actor.id);
            assert!(actor.due.is_empty() || !is_open, "client {who} did not receive {:?}", actor.due);
        }
        self.journal.extend(self.engine.journal().take());
    }

    /// Counts the changes of texts.
    fn observe(&mut self) {
        for message in self.take_output(self.observer, &mut Vec::new()) {
            let texts = message.texts();
            if let [_, _, channel, _] = &texts[..] {
                let key = TEXTS.iter().find(|key| channel.ends_with(key.as_bytes())).expect("a key of ours");
                *self.versions.get_mut(key).expect("all are counted") += 1;
            }
        }
    }

    /// What follows from the answer to a request.
    fn learn(&mut self, who: usize, asked: Asked, reply: &Reply) {
        match asked {
            Asked::Push(elements) if reply.error().is_none() => self.there.extend(elements),
            Asked::Take => {
                for element in elements(reply) {
                    assert!(self.there.contains(&element), "{element} was never there");
                    assert!(self.taken.insert(element.clone()), "{element} was taken twice");
                }
            }
            Asked::Add { stream } if reply.error().is_none() => {
                let id = String::from_utf8(reply.texts().remove(0)).expect("an ID is text");
                self.added.entry(stream).or_default().push(id);
            }
            Asked::ReadGroup => {
                for (stream, id) in entries(reply) {
                    assert!(
                        self.delivered.insert((stream, id.clone())),
                        "{id} of {stream} was delivered twice"
                    );
                }
            }
            Asked::ReadOn { stream, after } => {
                let read: Vec<String> = entries(reply).into_iter().map(|(_, id)| id).collect();
                let added = self.added.get(stream).map_or(&[][..], Vec::as_slice);
                let next = added.iter().take_while(|id| place(id) <= place(&after)).count();
                assert!(
                    added[next..].starts_with(&read),
                    "after {after} of {stream} came {read:?}, not {:?}",
                    &added[next..]
                );
                self.actors[who].seen.extend(read.last().map(|id| (stream, id.clone())));
            }
            Asked::Publish { space, channel, message } if reply.error().is_none() => {
                self.expect(space, channel, &message, reply.integer());
            }
            Asked::Get { key, is_kept: true } => {
                self.actors[who].kept.insert(key, reply.clone());
            }
            // Whoever changes a key knows that its copy is old.
            Asked::Write { key } => drop(self.actors[who].kept.remove(key)),
            Asked::Pause(ms) => self.paused_until_ms = self.paused_until_ms.max(self.now_ms + ms),
            // It hears nothing from now on, though it may not have left yet.
            Asked::Kill { number } if reply.integer() == Some(1) => {
                let killed = self.actors.iter_mut().filter(|actor| actor.number == number);
                killed.for_each(|actor| actor.listens = Default::default());
            }
            Asked::Flush => {
                self.flushes += 1;
                self.actors[who].kept.clear();
                self.added.clear();
                self.delivered.clear();
                self.actors.iter_mut().for_each(|actor| actor.seen.clear());
            }
            _ => {}
        }
    }

    /// Has everybody who listens to a channel receive a message next.
    fn expect(&mut self, space: usize, channel: &'static str, message: &str, said: Option<i64>) {
        let mut count = 0;
        let spaces: &[usize] = if space == 0 { &[0, 1] } else { &[2] };
        for &space in spaces {
            for name in SPACES[space].names.iter().filter(|name| space != 1 || matches(name, channel)) {
                for actor in self.actors.iter_mut().filter(|actor| actor.listens[space].contains(name)) {
                    if space != 1 && *name != channel {
                        continue;
                    }
                    actor.due.push_back((space, name.to_string(), message.into()));
                    count += 1;
                }
            }
        }
        assert_eq!(said, Some(count), "how many received {message}");
    }

    /// What a client is told without asking.
    fn hear(&mut self, who: usize, parts: &[Reply]) {
        let texts =
            parts.iter().flat_map(Reply::texts).map(|text| String::from_utf8(text).expect("ours are text"));
        let texts: Vec<String> = texts.collect();
        let actor = &mut self.actors[who];
        if texts[0] == "invalidate" {
            match &texts[1..] {
                [] => actor.kept.clear(),
                keys => actor.kept.retain(|key, _| !keys.iter().any(|it| it == key)),
            }
            return;
        }
        for (number, space) in SPACES.iter().enumerate() {
            if texts[0] == space.message {
                let message = (number, texts[1].clone(), texts.last().expect("a message has a text").clone());
                let at = actor.due.iter().position(|due| *due == message);
                let at = at
                    .unwrap_or_else(|| panic!("client {who} received {texts:?} and awaits {:?}", actor.due));
                assert!(
                    at == 0 || actor.due.iter().take(at).all(|due| due.2 == message.2),
                    "messages came out of order"
                );
                actor.due.remove(at);
            } else if texts[0].eq_ignore_ascii_case(space.join) {
                let name = space.names.iter().find(|name| **name == texts[1]);
                actor.listens[number].extend(name);
            } else if texts[0].eq_ignore_ascii_case(space.leave) && texts.len() > 1 {
                actor.listens[number].retain(|name| *name != texts[1]);
            }
        }
    }

    /// Clients that were killed come back as others.
    fn reconnect_closed(&mut self) {
        for who in 0..self.actors.len() {
            if self.engine.is_closing(self.actors[who].id) {
                self.leave(who);
            }
        }
    }

    // What must hold ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// Who watched a key that changed has no transaction; who watched others has.
    fn check_watch(&self, who: usize, ran: bool, watched: Option<Watched>) {
        let Some(Watched { versions, flushes }) = watched else {
            return assert!(ran, "client {who} watched nothing");
        };
        let changed =
            |now: &BTreeMap<&str, usize>| versions.iter().any(|(key, version)| now[key] != *version);
        assert!(!ran || !changed(&self.versions_before), "client {who} watched a key that changed");
        let may_fail = changed(&self.versions) || flushes != self.flushes;
        assert!(ran || may_fail, "client {who} watched keys that did not change");
    }

    /// No copy is older than the store.
    fn check_copies(&mut self) {
        if self.now_ms < self.paused_until_ms || self.actors.iter().all(|actor| actor.kept.is_empty()) {
            return;
        }
        let lines: Vec<String> = TEXTS.iter().map(|key| format!("GET {key}")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let reader = self.reader;
        let texts = self.tell(reader, &lines);
        self.absorb(None);
        for (key, text) in TEXTS.iter().zip(texts) {
            for (who, actor) in self.actors.iter().enumerate() {
                let kept = actor.kept.get(key);
                assert!(
                    kept.is_none_or(|kept| *kept == text),
                    "client {who} believes {key} to be {kept:?}, not {text}"
                );
            }
        }
    }

    /// Every element was taken by one client or is still there.
    fn check_elements(&mut self) {
        let lists = QUEUES.iter().map(|key| format!("LRANGE {key} 0 -1"));
        let lines: Vec<String> = lists.chain(RANKED.iter().map(|key| format!("ZRANGE {key} 0 -1"))).collect();
        let reader = self.reader;
        for line in lines {
            for element in self.tell(reader, &[&line]).iter().flat_map(elements) {
                assert!(self.taken.insert(element.clone()), "{element} was taken and is still there");
            }
        }
        let lost: Vec<_> = self.there.difference(&self.taken).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        assert_eq!(self.there.len(), self.taken.len(), "more was taken than came");
    }

    /// Every entry was delivered to one consumer, or is still new to the group.
    fn check_streams(&mut self) {
        let reader = self.reader;
        for stream in STREAMS {
            let line = format!("XREADGROUP GROUP {GROUP} last STREAMS {stream} >");
            for (stream, id) in self.tell(reader, &[&line]).iter().flat_map(entries) {
                assert!(self.delivered.insert((stream, id.clone())), "{id} of {stream} was delivered twice");
            }
        }
        let added: usize = self.added.values().map(Vec::len).sum();
        assert_eq!(added, self.delivered.len(), "entries were lost");
        self.journal.extend(self.engine.journal().take());
    }
}

fn actor_mode(actor: &mut Actor, copies: Copies) {
    actor.copies = copies;
    actor.kept.clear();
}

fn waiting_of(actors: &[Actor]) -> String {
    let waiting = actors.iter().filter(|actor| !actor.asked.is_empty());
    waiting.map(|actor| format!("{} {:?}", actor.number, actor.asked)).collect::<Vec<_>>().join(", ")
}

fn words(line: &str) -> Vec<Vec<u8>> {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

fn matches(pattern: &str, channel: &str) -> bool {
    keyside::data::glob::Glob::new(pattern.as_bytes()).matches(channel.as_bytes())
}

/// The elements in a reply.
fn elements(reply: &Reply) -> Vec<String> {
    let texts = reply.texts().into_iter().filter_map(|text| String::from_utf8(text).ok());
    texts
        .filter(|text| text.strip_prefix('e').is_some_and(|number| number.parse::<usize>().is_ok()))
        .collect()
}

/// The two numbers of an ID.
fn place(id: &str) -> (u64, u64) {
    let (ms, sequence) = id.split_once('-').expect("an ID has two numbers");
    (ms.parse().expect("a number"), sequence.parse().expect("a number"))
}

/// The entries in a reply to XREAD under RESP3: the streams with their entries.
fn entries(reply: &Reply) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for pair in reply.parts().unwrap_or_default().chunks_exact(2) {
        let name = pair[0].texts().remove(0);
        let stream = *STREAMS.iter().find(|stream| stream.as_bytes() == name).expect("a stream of ours");
        for entry in pair[1].parts().unwrap_or_default() {
            let id = entry.texts().remove(0);
            found.push((stream, String::from_utf8(id).expect("an ID is text")));
        }
    }
    found
}
