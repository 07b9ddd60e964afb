//! The same requests put to a `redis-server` and to keyside, drawn from the shapes of the rows: replies have to be the same
//! bytes, and now and then everything that both store is read back and compared.
//!
//! In any order are compared what has no order; by kind and count what is chosen by chance; up to a little what counts
//! time. See `differential/judge.rs`. What a batch left different on purpose (SPOP) is made equal again.
//!
//! `make differential COUNT=1000000` asks so many; `SEED=7` draws the same again. Without a count it stops after 20 seconds.

#[allow(dead_code, reason = "what is newer than the oracle is explained in judge.rs")]
#[path = "generate/differences.rs"]
mod differences;
#[path = "differential/judge.rs"]
mod judge;
#[path = "differential/newer.rs"]
mod newer;
#[allow(dead_code, reason = "keyside is asked in process")]
#[path = "transcript/peer.rs"]
mod peer;
#[path = "simulation/random.rs"]
mod random;
#[path = "differential/reply.rs"]
mod reply;
#[path = "simulation/requests.rs"]
mod requests;
#[path = "differential/sides.rs"]
mod sides;

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use keyside::{
    commands::{Flags, Spec},
    engine::dispatch::Table,
};
use newer::Newer;
use peer::Peer;
use random::Random;
use reply::Reply;
use requests::Clock;
use sides::{Replies, Sides, words};

type Words = Vec<Vec<u8>>;

/// A command, and what each of the two refused it for.
type Refusal = (&'static str, [Vec<u8>; 2]);

/// The groups of commands on values.
const GROUPS: &[&str] =
    &["string", "bitmap", "hash", "list", "set", "sorted-set", "stream", "geo", "hyperloglog", "generic"];

/// Commands of other groups that are drawn, too.
const MORE: &[&str] = &["DBSIZE", "FLUSHDB", "FLUSHALL", "SWAPDB"];

/// Commands that are not drawn, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("MIGRATE", "connects to another server"),
    ("DUMP", "7.2 writes another version of the format"),
    ("OBJECT HELP", "the texts are keyside's own"),
    ("XGROUP HELP", "the texts are keyside's own"),
    ("XINFO HELP", "the texts are keyside's own"),
    ("XINFO STREAM", "shows what is inside, and since 7.2 when consumers were active"),
    ("XINFO CONSUMERS", "since 7.2 shows when consumers were active"),
    ("PFDEBUG", "shows what is inside"),
    ("PFSELFTEST", "takes seconds in Redis"),
];

/// Ranges of members in their order, which mean nothing definite unless all scores are the same.
const BY_MEMBER: &[&str] =
    &["ZLEXCOUNT", "ZRANGEBYLEX", "ZREVRANGEBYLEX", "ZREMRANGEBYLEX", "ZRANGE", "ZRANGESTORE"];

/// Commands that make scores of their own.
const SCORING: &[&str] = &[
    "ZUNIONSTORE",
    "ZINTERSTORE",
    "ZDIFFSTORE",
    "GEOADD",
    "GEOSEARCHSTORE",
    "GEORADIUS",
    "GEORADIUSBYMEMBER",
];

/// Requests at a time.
const BATCH: usize = 256;
/// After so many requests everything stored is compared, and after so many of these it is thrown away.
const SWEEP: usize = 4096;
const SWEEPS_A_ROUND: usize = 5;
/// With how many differences a run ends.
const ENOUGH: usize = 30;

/// A request that was drawn.
#[derive(Clone)]
struct Drawn {
    spec: &'static Spec,
    words: Words,
    db: u8,
}

struct Run {
    sides: Sides,
    random: Random,
    specs: Vec<&'static Spec>,
    newer: Newer,
    /// Commands that are not drawn in this round; if any, no member is added twice at once, either.
    without: &'static [&'static str],
    /// Whether every score is 0 in this round.
    is_scoreless: bool,
    /// Requests since everything was thrown away.
    history: Vec<Drawn>,
    asked: usize,
    explained: BTreeMap<&'static str, usize>,
    /// Errors that both have given for the same request, without what they quote.
    common_errors: BTreeSet<Vec<u8>>,
    /// Requests that were refused by each for something else: an example, and how many there were.
    refusals: BTreeMap<Refusal, (String, usize)>,
    differences: Vec<String>,
}

#[test]
fn both_answer_the_same() {
    let Some(oracle) = Peer::oracle() else { return };
    let seed = number("SEED").unwrap_or_else(|| {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        since_1970.as_micros() as u64 % 1_000_000
    });
    let count = number("COUNT").map(|count| count as usize);
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut run = Run::new(Sides::connect(oracle.address, seed), seed);
    println!("SEED={seed}, {} commands", run.specs.len());
    while count.map_or(Instant::now() < deadline, |count| run.asked < count) && run.differences.len() < ENOUGH
    {
        run.round();
    }
    run.judge_refusals();
    println!("SEED={seed}: {} requests; explained differences: {:?}", run.asked, run.explained);
    let again = format!("make differential SEED={seed} COUNT={}", run.asked);
    assert!(
        run.differences.is_empty(),
        "{} differences; again with: {again}\n\n{}\n",
        run.differences.len(),
        run.differences.join("\n\n")
    );
}

#[test]
fn what_is_accepted_is_said_to_users() {
    for name in judge::EXPLAINED.iter().filter_map(|explained| explained.name) {
        assert!(differences::DIFFERENCES.iter().any(|(listed, ..)| *listed == name), "{name}");
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

impl Run {
    fn new(mut sides: Sides, seed: u64) -> Run {
        let documents = sides.ask(0, &[words("COMMAND DOCS")]).remove(0);
        let newer = Newer::than(&Reply::parse(&documents.redis));
        let is_left_out = |spec: &Spec| LEFT_OUT.iter().any(|(name, _)| *name == spec.name);
        let table = Table::new();
        let specs = table.all().map(|known| table.spec(known)).filter(|spec| {
            (GROUPS.contains(&spec.group) || MORE.contains(&spec.name))
                && newer.is_known(spec)
                && !is_left_out(spec)
        });
        Run {
            sides,
            random: Random::new(seed),
            specs: specs.collect(),
            newer,
            without: &[],
            is_scoreless: false,
            history: Vec::new(),
            asked: 0,
            explained: BTreeMap::new(),
            common_errors: judge::RARE_ERRORS.iter().map(|error| judge::without_quotes(error)).collect(),
            refusals: BTreeMap::new(),
            differences: Vec::new(),
        }
    }

    /// Begins with nothing and limits of its own for the small encodings.
    fn round(&mut self) {
        self.forget();
        let mut set = vec!["set-max-intset-entries", "hash-max-listpack-entries", "hash-max-listpack-value"];
        set.extend(["zset-max-listpack-entries", "zset-max-listpack-value", "stream-node-max-entries"]);
        self.without = if self.random.one_in(2) { judge::SPOILERS } else { &[] };
        self.is_scoreless = self.random.one_in(3);
        let is_small = self.random.one_in(2);
        for directive in set {
            let most = if is_small { 1 + self.random.below(9) } else { 64 };
            self.sides.ask(0, &[words(&format!("CONFIG SET {directive} {most}"))]);
        }
        let size = if is_small { 1 + self.random.below(5) as i64 } else { -2 };
        self.sides.ask(0, &[words(&format!("CONFIG SET list-max-listpack-size {size}"))]);
        let packed = if is_small { 0 } else { 128 };
        self.sides.tell_keyside(0, &words(&format!("CONFIG SET set-max-listpack-entries {packed}")));
        for _ in 0..SWEEPS_A_ROUND {
            let until = self.asked + SWEEP;
            while self.asked < until {
                self.batch();
            }
            self.sweep();
        }
    }

    fn forget(&mut self) {
        self.history.clear();
        self.sides.ask(0, &[words("FLUSHALL")]);
    }

    fn batch(&mut self) {
        let client = self.random.below(2);
        let db = if self.random.one_in(8) { 1 } else { 0 };
        let mut drawn: Vec<Drawn> = Vec::new();
        while drawn.len() < BATCH {
            let next = self.draw(db);
            drawn.push(next);
            // What it takes has to be put back before anybody looks.
            if drawn.last().is_some_and(|last| last.spec.name == "SPOP") {
                break;
            }
        }
        let mut requests = vec![words(&format!("SELECT {db}"))];
        for Drawn { spec, words: own, .. } in &drawn {
            // Inside a transaction nothing waits.
            if spec.flags.has(Flags::BLOCKING) {
                requests.extend([words("MULTI"), own.clone(), words("EXEC")]);
            } else {
                requests.push(own.clone());
            }
        }
        let replies = self.sides.ask(client, &requests);
        self.asked += drawn.len();
        let mut replies = replies.into_iter().skip(1);
        for drawn in drawn {
            let parts = if drawn.spec.flags.has(Flags::BLOCKING) { 3 } else { 1 };
            self.history.push(drawn.clone());
            for mut reply in replies.by_ref().take(parts) {
                if parts > 1 {
                    reply.unwrap_exec();
                }
                if !self.compare(&drawn, &reply) {
                    return self.forget();
                }
                if drawn.spec.name == "SPOP" {
                    self.put_back(client, &drawn, &reply);
                }
            }
        }
    }

    /// A request with several mistakes may be refused for either, but only with a text that is Redis's.
    fn judge_refusals(&mut self) {
        for ((_, errors), (request, count)) in &self.refusals {
            if errors.iter().all(|error| self.common_errors.contains(&judge::without_quotes(error))) {
                *self.explained.entry("Errors").or_default() += count;
            } else {
                let [redis, keyside] = errors.each_ref().map(|error| error.trim_ascii_end().escape_ascii());
                self.differences.push(format!("{request}\n  redis   {redis}\n  keyside {keyside}"));
            }
        }
    }

    /// A request, changed where chance or the hash function would decide what is stored.
    fn draw(&mut self, db: u8) -> Drawn {
        loop {
            let spec = *self.random.pick(&self.specs);
            let is_rare = spec.name.starts_with("FLUSH") && !self.random.one_in(20);
            if is_rare || self.without.contains(&spec.name) {
                continue;
            }
            let mut words = requests::request(spec, Clock::Runs, &mut self.random);
            // A word that was left out may make another command of it: FLUSHALL SYNC becomes SYNC.
            let is_other = words[0].eq_ignore_ascii_case(b"SYNC");
            if is_other || self.newer.asks_for_more(spec, &words) || !self.has_definite_range(spec, &words) {
                continue;
            }
            if self.is_scoreless && matches!(spec.name, "ZADD" | "ZINCRBY") {
                let is_number = |word: &[u8]| {
                    let text = str::from_utf8(word).unwrap_or_default();
                    text.starts_with("0x") || text.parse::<f64>().is_ok()
                };
                words.iter_mut().filter(|word| is_number(word)).for_each(|word| *word = b"0".to_vec());
            }
            if !self.without.is_empty() && judge::adds_twice(spec.name, &words) {
                continue;
            }
            // Redis's SORT takes the mistake of the number before for one of its own.
            if self.without.is_empty() && words.iter().any(|word| has_great_exponent(word)) {
                continue;
            }
            // Members of a set with equal weights are stored in an order of their own.
            if spec.name == "SORT" && judge::has(&words, "BY") && judge::has(&words, "STORE") {
                words.retain(|word| !word.eq_ignore_ascii_case(b"ALPHA"));
            }
            return Drawn { spec, words, db };
        }
    }

    fn has_definite_range(&self, spec: &Spec, words: &[Vec<u8>]) -> bool {
        let is_by_member =
            BY_MEMBER.contains(&spec.name) && (spec.name.contains("LEX") || judge::has(words, "BYLEX"));
        if self.is_scoreless { !SCORING.contains(&spec.name) } else { !is_by_member }
    }

    /// Notes a difference unless it is explained; false when the two have parted.
    fn compare(&mut self, drawn: &Drawn, Replies { redis, keyside }: &Replies) -> bool {
        let command = drawn.spec.name;
        if judge::agree(command, &drawn.words, redis, keyside) {
            if redis[0] == b'-' {
                self.common_errors.insert(judge::without_quotes(redis));
            }
            return !judge::parts_unseen(redis);
        }
        if let Some(name) = judge::explanation(command, self.without, redis, keyside) {
            *self.explained.entry(name).or_default() += 1;
            return !judge::parts(name, command);
        }
        if let Some(errors) = judge::different_refusals(redis, keyside) {
            let request = line(&drawn.words);
            let (_, count) = self.refusals.entry((command, errors)).or_insert((request, 0));
            *count += 1;
            return true;
        }
        let keys = keys(drawn);
        self.note(&line(&drawn.words), &keys, redis, keyside);
        // A number of keys says nothing of which there are.
        if command == "DBSIZE" {
            self.sweep();
        }
        false
    }

    fn note(&mut self, request: &str, keys: &[Vec<u8>], redis: &[u8], keyside: &[u8]) {
        const SHOWN: usize = 12;
        let related = self.history.iter().filter(|earlier| {
            let is_whole = earlier.spec.name.starts_with("FLUSH");
            earlier.spec.flags.has(Flags::WRITE)
                && (is_whole || earlier.words.iter().any(|word| keys.contains(word)))
        });
        let related: Vec<String> = related.map(|it| format!("    {}: {}", it.db, line(&it.words))).collect();
        let shown = &related[related.len().saturating_sub(SHOWN)..];
        self.differences.push(format!(
            "{request}\n  redis   {}\n  keyside {}\n  after\n{}",
            Reply::parse(redis),
            Reply::parse(keyside),
            shown.join("\n")
        ));
    }

    /// Gives a set back what either side has taken from it by chance.
    fn put_back(&mut self, client: usize, drawn: &Drawn, replies: &Replies) {
        let taken = [&replies.redis, &replies.keyside].map(|reply| Reply::parse(reply).texts()).concat();
        let taken: BTreeSet<Vec<u8>> = taken.into_iter().collect();
        if !taken.is_empty() {
            let words: Words = [b"SADD".to_vec(), drawn.words[1].clone()].into_iter().chain(taken).collect();
            self.sides.ask(client, std::slice::from_ref(&words));
            self.history.push(Drawn { words, ..drawn.clone() });
        }
    }

    /// Compares everything that both store.
    fn sweep(&mut self) {
        for db in 0..16 {
            let replies = self.sides.ask(0, &[words(&format!("SELECT {db}")), words("KEYS *")]);
            let [redis, keyside] =
                [&replies[1].redis, &replies[1].keyside].map(|keys| Reply::parse(keys).sorted(1));
            if redis != keyside {
                let (mut ours, mut theirs) = (keyside.texts(), redis.texts());
                ours.retain(|key| !redis.texts().contains(key));
                theirs.retain(|key| !keyside.texts().contains(key));
                self.note(
                    &format!("KEYS * in {db}"),
                    &[ours, theirs].concat(),
                    &replies[1].redis,
                    &replies[1].keyside,
                );
                return self.forget();
            }
            for key in redis.texts() {
                if !self.sweep_key(&key) {
                    return self.forget();
                }
            }
        }
    }

    /// Compares what both have under a key; true when it is the same.
    fn sweep_key(&mut self, key: &[u8]) -> bool {
        let ask = |line: &str| {
            words(line)
                .into_iter()
                .map(|word| if word == b"KEY" { key.to_vec() } else { word })
                .collect::<Words>()
        };
        let kind = self.sides.ask(0, &[ask("TYPE KEY")]).remove(0);
        let content = match &kind.redis[..] {
            b"+string\r\n" => "GET KEY",
            b"+list\r\n" => "LRANGE KEY 0 -1",
            b"+set\r\n" => "SMEMBERS KEY",
            b"+zset\r\n" => "ZRANGE KEY 0 -1 WITHSCORES",
            b"+hash\r\n" => "HGETALL KEY",
            _ => "XRANGE KEY - +",
        };
        let looks = ["TYPE KEY", content, "OBJECT ENCODING KEY", "PTTL KEY"];
        let replies = self.sides.ask(0, &looks.map(ask));
        looks.iter().zip(replies).all(|(look, reply)| {
            let command = look.split(" KEY").next().unwrap_or_default();
            let agrees = judge::agree(command, &ask(look), &reply.redis, &reply.keyside)
                || judge::explanation(command, self.without, &reply.redis, &reply.keyside).is_some();
            if !agrees {
                self.note(&line(&ask(look)), &[key.to_vec()], &reply.redis, &reply.keyside);
            }
            agrees
        })
    }
}

/// The keys of a request, or its first words if they cannot be told.
fn keys(drawn: &Drawn) -> Vec<Vec<u8>> {
    let words: Vec<&[u8]> = drawn.words.iter().map(Vec::as_slice).collect();
    match drawn.spec.find_keys(&words) {
        Some(found) if words.len() >= drawn.spec.name_words() => {
            found.iter().map(|key| drawn.words[key.at].clone()).collect()
        }
        _ => drawn.words.iter().skip(1).take(1).cloned().collect(),
    }
}

/// Whether a word is a number out of the range of doubles.
fn has_great_exponent(word: &[u8]) -> bool {
    [&b"1e400"[..], b"1e-400", b"1e5000"].iter().any(|number| word.ends_with(number))
}

fn line(words: &[Vec<u8>]) -> String {
    let shown = words.iter().map(|word| match &word[..] {
        word if word.len() > 200 => format!("{}…({})", word[..20].escape_ascii(), word.len()),
        b"" => "\"\"".into(),
        word => word.escape_ascii().to_string(),
    });
    shown.collect::<Vec<_>>().join(" ")
}
