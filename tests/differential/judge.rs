//! When two replies to the same request say the same. Most have to be the same bytes; here are the commands of which that
//! cannot be asked, each with the reason, and the differences that are explained.

use super::reply::Reply;

/// What has to be the same in two replies.
#[derive(Clone, Copy, PartialEq)]
enum Sameness {
    /// Every byte.
    Bytes,
    /// The parts, taken together so many at a time, in any order.
    AnyOrder(usize),
    /// Kinds and counts, as the texts are chosen by chance.
    Shape,
    /// How many parts there are, as which they are is up to the hash function.
    Length,
    /// Integers up to so much, as time passes between the two.
    Close(i64),
    /// A page of a scan: all parts when it is the first and last page of both, otherwise nothing but its shape. Where
    /// pages end is up to the hash function.
    Page(usize),
}

/// A difference that stays.
pub struct Explained {
    /// Its name in COMPATIBILITY.md; none when it is the oracle, a Redis 7.0, that is older than what is answered here.
    pub name: Option<&'static str>,
    /// The commands without which it cannot come about; none for the one that is answered differently.
    pub after: &'static [&'static str],
    holds: fn(&str, &Reply, &Reply) -> bool,
}

/// The differences that stay.
pub const EXPLAINED: &[Explained] = &[
    Explained { name: Some("Errors"), after: &[], holds: is_unread_mistake },
    Explained { name: Some("Encodings"), after: &[], holds: is_packed_since_7_2 },
    Explained { name: Some("Encodings"), after: SPOILERS, holds: is_spoilt },
    Explained { name: Some("Encodings"), after: &[], holds: is_shared },
    Explained { name: Some(DAMAGE), after: &[], holds: is_damaged },
    Explained { name: Some("Distances"), after: DISTANCES, holds: is_close },
    Explained { name: None, after: SPOILERS, holds: is_large_since_7_2 },
    Explained { name: None, after: &[], holds: is_named_since_7_2 },
    Explained { name: None, after: &[], holds: is_shorter_since_7_2 },
    Explained { name: None, after: &[], holds: is_beyond_since_7_2 },
    Explained { name: None, after: &[], holds: is_held_since_7_2 },
    Explained { name: None, after: &["XCLAIM", "XAUTOCLAIM"], holds: is_made_since_7_2 },
];

/// The name of a difference after which not even the same is stored.
pub const DAMAGE: &str = "HyperLogLog";

/// Whether an explained difference leaves something else stored.
pub fn parts(name: &str, command: &str) -> bool {
    name == DAMAGE || command == "XSETID"
}

/// Whether both may store something else although they gave the same reply: Redis has then added the elements that
/// come before the one whose register is damaged, and here a refused request changes nothing.
pub fn parts_unseen(reply: &[u8]) -> bool {
    reply.starts_with(b"-INVALIDOBJ")
}

/// Commands that leave a value in a larger encoding than its like has.
pub const SPOILERS: &[&str] = &["INCRBYFLOAT", "SORT", "SORT_RO", "SINTERSTORE"];

/// Commands that leave distances as scores.
const DISTANCES: &[&str] = &["GEORADIUS", "GEORADIUSBYMEMBER", "GEOSEARCHSTORE"];

/// The same but for the last digits of scores.
fn is_close(command: &str, redis: &Reply, keyside: &Reply) -> bool {
    let has_scores = command.starts_with(['Z', 'B']);
    has_scores && redis.is_within(8.0 * f64::EPSILON, keyside)
}

/// A request for a key that there is not, with a mistake in words that Redis then does not read.
fn is_unread_mistake(_: &str, redis: &Reply, keyside: &Reply) -> bool {
    /// What a request is refused for when its words are read.
    const MISTAKES: &[&[u8]] = &[b"ERR value is ", b"ERR syntax error", b"ERR min or max ", b"ERR weight "];
    let is_mistake = |error: &[u8]| MISTAKES.iter().any(|start| error.starts_with(start));
    is_nothing(redis) && keyside.error().is_some_and(is_mistake)
}

/// What tables have in common is a table, and members of a new value count before it is known which are the same.
fn is_large_since_7_2(command: &str, redis: &Reply, keyside: &Reply) -> bool {
    let encodings = [redis.texts(), keyside.texts()].concat();
    let pairs: [[&[u8]; 2]; 3] =
        [[b"intset", b"hashtable"], [b"listpack", b"skiplist"], [b"listpack", b"hashtable"]];
    command == "OBJECT ENCODING" && pairs.iter().any(|pair| encodings == pair)
}

/// Whether a member or field may be added twice.
pub fn adds_twice(command: &str, words: &[Vec<u8>]) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    matches!(command, "SADD" | "ZADD" | "HSET" | "HMSET")
        && !words.iter().skip(2).all(|word| seen.insert(word))
}

/// The text names the command.
fn is_named_since_7_2(command: &str, redis: &Reply, keyside: &Reply) -> bool {
    let unbalanced = |reply: &Reply| reply.to_string().contains("ERR Unbalanced ");
    command.starts_with("XREAD") && unbalanced(redis) && unbalanced(keyside)
}

/// A timeout of too many milliseconds is not said to be negative.
fn is_beyond_since_7_2(command: &str, redis: &Reply, keyside: &Reply) -> bool {
    let is_wrapped = redis.error() == Some(b"ERR timeout is negative");
    command.starts_with('B') && is_wrapped && keyside.error() == Some(b"ERR timeout is out of range")
}

/// The last ID cannot be set below what was deleted.
fn is_held_since_7_2(command: &str, redis: &Reply, keyside: &Reply) -> bool {
    let error = b"ERR The ID specified in XSETID is smaller than current max_deleted_entry_id";
    command == "XSETID" && *redis == Reply::Line(b"+OK".to_vec()) && keyside.error() == Some(error)
}

/// XCLAIM and XAUTOCLAIM make a consumer also when they claim nothing for it.
fn is_made_since_7_2(command: &str, redis: &Reply, keyside: &Reply) -> bool {
    const GROUP_LENGTH: usize = 12;
    const CONSUMERS: usize = 3;
    let (Some(redis), Some(keyside)) = (redis.parts(), keyside.parts()) else { return false };
    let is_same_group = |(redis, keyside): (&Reply, &Reply)| {
        let (Some(redis), Some(keyside)) = (redis.parts(), keyside.parts()) else { return false };
        let mut parts = redis.iter().zip(keyside).enumerate();
        redis.len() == GROUP_LENGTH
            && keyside.len() == GROUP_LENGTH
            && parts.all(|(at, (redis, keyside))| match at {
                CONSUMERS => redis.integer() <= keyside.integer(),
                _ => redis == keyside,
            })
    };
    command == "XINFO GROUPS" && redis.len() == keyside.len() && redis.iter().zip(keyside).all(is_same_group)
}

/// The same numbers in fewer digits.
fn is_shorter_since_7_2(command: &str, redis: &Reply, keyside: &Reply) -> bool {
    let has_scores = command.starts_with(['Z', 'G', 'B']);
    let [redis, keyside] = [redis, keyside].map(Reply::with_short_numbers);
    match (redis.parts(), keyside.parts()) {
        (Some([_, redis]), Some([_, keyside])) if command == "ZSCAN" => redis.sorted(2) == keyside.sorted(2),
        _ => has_scores && redis == keyside,
    }
}

/// What is answered when there is no key.
fn is_nothing(reply: &Reply) -> bool {
    match reply {
        Reply::Line(line) => matches!(&line[..], b":0" | b"_" | b"$-1" | b"*-1" | b":-1"),
        Reply::Bulk(text) => text.is_empty(),
        Reply::Many(_, parts) => parts.iter().all(is_nothing),
    }
}

fn is_packed_since_7_2(command: &str, redis: &Reply, keyside: &Reply) -> bool {
    let encodings = [redis.texts(), keyside.texts()].concat();
    let pairs: [[&[u8]; 2]; 2] = [[b"quicklist", b"listpack"], [b"hashtable", b"listpack"]];
    command == "OBJECT ENCODING" && pairs.iter().any(|pair| encodings == pair)
}

/// Redis sorts a sorted set as a skiplist, which it then stays, and does not look whether INCRBYFLOAT came to an integer.
fn is_spoilt(command: &str, redis: &Reply, keyside: &Reply) -> bool {
    let encodings = [redis.texts(), keyside.texts()].concat();
    let pairs: [[&[u8]; 2]; 2] = [[b"skiplist", b"listpack"], [b"embstr", b"int"]];
    command == "OBJECT ENCODING" && pairs.iter().any(|pair| encodings == pair)
}

/// Redis has small integers of which it made copies.
fn is_shared(command: &str, redis: &Reply, keyside: &Reply) -> bool {
    command == "OBJECT REFCOUNT" && (redis.integer(), keyside.integer()) == (Some(1), Some(i32::MAX.into()))
}

/// A counter that was changed as a text. Redis may not come across what is wrong with it.
fn is_damaged(command: &str, _: &Reply, keyside: &Reply) -> bool {
    command.starts_with("PF") && keyside.error().is_some_and(|error| error.starts_with(b"INVALIDOBJ"))
}

/// The name of the difference that explains two replies, if one does when other commands than these may have run.
pub fn explanation(command: &str, without: &[&str], redis: &[u8], keyside: &[u8]) -> Option<&'static str> {
    let (redis, keyside) = (Reply::parse(redis), Reply::parse(keyside));
    let is_possible =
        |it: &&Explained| it.after.is_empty() || !it.after.iter().all(|name| without.contains(name));
    let explained = EXPLAINED.iter().filter(is_possible).find(|it| (it.holds)(command, &redis, &keyside))?;
    Some(explained.name.unwrap_or("newer than 7.0"))
}

/// The errors, when a request is refused by both for something else.
pub fn different_refusals(redis: &[u8], keyside: &[u8]) -> Option<[Vec<u8>; 2]> {
    match [redis, keyside].map(|reply| (reply[0] == b'-').then(|| reply.to_vec())) {
        [Some(redis), Some(keyside)] => Some([redis, keyside]),
        _ => None,
    }
}

/// Errors that both give, but hardly ever for the same request.
pub const RARE_ERRORS: &[&[u8]] = &[
    b"-ERR The ID specified in XSETID is smaller than current max_deleted_entry_id\r\n",
    b"-ERR The ID specified in XSETID is smaller than the target stream top item\r\n",
    b"-ERR timeout is out of range\r\n",
    b"-ERR unknown subcommand or wrong number of arguments for 'SETID'. Try XGROUP HELP.\r\n",
];

/// An error without what it quotes.
pub fn without_quotes(error: &[u8]) -> Vec<u8> {
    error.split(|byte| *byte == b'\'').step_by(2).collect::<Vec<_>>().join(&b'\'')
}

/// Whether both replies to `words` say the same.
pub fn agree(command: &str, words: &[Vec<u8>], redis: &[u8], keyside: &[u8]) -> bool {
    if redis == keyside {
        return true;
    }
    let sameness = sameness(command, words);
    if sameness == Sameness::Bytes {
        return false;
    }
    let (redis, keyside) = (Reply::parse(redis), Reply::parse(keyside));
    match sameness {
        Sameness::Bytes => false,
        Sameness::AnyOrder(by) => redis.sorted(by) == keyside.sorted(by),
        Sameness::Shape => redis.shape() == keyside.shape(),
        Sameness::Length => {
            redis.parts().zip(keyside.parts()).is_some_and(|(redis, keyside)| redis.len() == keyside.len())
        }
        Sameness::Close(most) => match (redis.integer(), keyside.integer()) {
            (Some(redis @ 0..), Some(keyside @ 0..)) => redis.abs_diff(keyside) <= most as u64,
            _ => false,
        },
        Sameness::Page(by) => match (redis.parts(), keyside.parts()) {
            (Some([redis_next, redis]), Some([keyside_next, keyside])) => {
                let end = Reply::Bulk(b"0".to_vec());
                let is_whole = *redis_next == end && *keyside_next == end && is_first_page(words);
                !is_whole || redis.sorted(by) == keyside.sorted(by)
            }
            _ => false,
        },
    }
}

fn is_first_page(words: &[Vec<u8>]) -> bool {
    let cursor = if words[0].eq_ignore_ascii_case(b"SCAN") { 1 } else { 2 };
    words.get(cursor).is_some_and(|cursor| cursor == b"0")
}

fn sameness(command: &str, words: &[Vec<u8>]) -> Sameness {
    match command {
        "KEYS" | "SMEMBERS" | "SUNION" | "SINTER" | "SDIFF" | "HKEYS" | "HVALS" => Sameness::AnyOrder(1),
        "HGETALL" => Sameness::AnyOrder(2),
        "SCAN" | "SSCAN" => Sameness::Page(1),
        "HSCAN" | "ZSCAN" => Sameness::Page(2),
        "RANDOMKEY" | "SPOP" | "SRANDMEMBER" | "HRANDFIELD" | "ZRANDMEMBER" => Sameness::Shape,
        "TTL" | "EXPIRETIME" => Sameness::Close(2),
        // In Redis all keys with the same small integer have one access time.
        "OBJECT IDLETIME" => Sameness::Close(i64::MAX),
        "PTTL" | "PEXPIRETIME" => Sameness::Close(2000),
        // Members of a set come as they stand in memory, and so do those with equal weights.
        "SORT" | "SORT_RO" if has(words, "BY") && (has(words, "ALPHA") || is_as_is(words)) => {
            if has(words, "LIMIT") { Sameness::Length } else { Sameness::AnyOrder(1) }
        }
        _ => Sameness::Bytes,
    }
}

/// Whether SORT is to leave the order as it is.
fn is_as_is(words: &[Vec<u8>]) -> bool {
    words.windows(2).any(|pair| pair[0].eq_ignore_ascii_case(b"BY") && !pair[1].contains(&b'*'))
}

pub fn has(words: &[Vec<u8>], token: &str) -> bool {
    words.iter().any(|word| word.eq_ignore_ascii_case(token.as_bytes()))
}
