//! Commands on keys of every kind: whether they exist, how long they live, what they are called; and on whole databases.

use alloc::{format, vec::Vec};

use super::{
    Command, Ctx, Kind as WordKind, Shape,
    args::{Arg, DbIndex, Key, Keys, Pattern, Switch, Words, one_of, options},
    help::{HelpLines, help},
    reply::{Bulk, Done, ManyBytes, Simple, Written},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{glob::Glob, number::parse_i64},
    keyspace::{Database, Event, Found, Sweep, Text, Value},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "generic";
    /// Deletes keys; returns how many there were.
    "DEL" = del(keys) since "1.0.0" [WRITE] O("N) where N is the number of keys to remove, plus the number of elements of collections");
    /// Deletes keys; returns how many there were.
    "UNLINK" = del(keys) since "4.0.0" [WRITE FAST] O("1) for each key, plus the number of elements of collections");
    /// Returns how many of some keys exist; one named twice counts twice.
    "EXISTS" = exists(keys) since "1.0.0" [READONLY FAST] O("N) where N is the number of keys to check");
    /// Returns how many of some keys exist, and counts that as an access to them.
    "TOUCH" = touch(keys) since "3.2.1" [READONLY FAST] O("N) where N is the number of keys to touch");
    /// Returns the kind of value of a key.
    "TYPE" = type_of(key) since "1.0.0" [READONLY FAST] O("1");
    /// Returns the keys that match a pattern.
    "KEYS" = keys(pattern) since "1.0.0" [READONLY DANGEROUS] O("N) where N is the number of keys in the database");
    /// Returns a key by chance.
    "RANDOMKEY" = randomkey() since "1.0.0" [READONLY] O("1");
    /// Gives a key another name, replacing what had it.
    "RENAME" = rename(key, newkey) since "1.0.0" [WRITE] O("1");
    /// Gives a key another name that no key has.
    "RENAMENX" = renamenx(key, newkey) since "1.0.0" [WRITE FAST] O("1");
    /// Copies a key, also to another database.
    "COPY" = copy(source, destination, options) since "6.2.0" [WRITE DENYOOM] O("N) worst case for collections, where N is the number of elements; O(1) for texts");
    /// Moves a key to another database.
    "MOVE" = move_to(key, db) since "1.0.0" [WRITE FAST] O("1");
    /// Has a key expire after some seconds.
    "EXPIRE" = expire(key, seconds, condition) since "1.0.0" [WRITE FAST] O("1");
    /// Has a key expire after some milliseconds.
    "PEXPIRE" = pexpire(key, milliseconds, condition) since "2.6.0" [WRITE FAST] O("1");
    /// Has a key expire at a time in seconds since 1970.
    "EXPIREAT" = expireat(key, seconds, condition) since "1.2.0" [WRITE FAST] O("1");
    /// Has a key expire at a time in milliseconds since 1970.
    "PEXPIREAT" = pexpireat(key, milliseconds, condition) since "2.6.0" [WRITE FAST] O("1");
    /// Returns for how many seconds a key still lives; -1 for ever, -2 if there is none.
    "TTL" = ttl(key) since "1.0.0" [READONLY FAST] O("1");
    /// Returns for how many milliseconds a key still lives; -1 for ever, -2 if there is none.
    "PTTL" = pttl(key) since "2.6.0" [READONLY FAST] O("1");
    /// Returns when a key expires, in seconds since 1970; -1 for never, -2 if there is none.
    "EXPIRETIME" = expiretime(key) since "7.0.0" [READONLY FAST] O("1");
    /// Returns when a key expires, in milliseconds since 1970; -1 for never, -2 if there is none.
    "PEXPIRETIME" = pexpiretime(key) since "7.0.0" [READONLY FAST] O("1");
    /// Moves keys to another server, which is refused: DUMP and RESTORE do it.
    "MIGRATE" = migrate(request) since "2.6.0" [WRITE DANGEROUS] O("1");
    /// Has a key live for ever.
    "PERSIST" = persist(key) since "2.2.0" [WRITE FAST] O("1");
    /// Returns how a value is kept in memory.
    "OBJECT ENCODING" = object_encoding(key) since "2.2.3" [READONLY] O("1");
    /// Returns how often a value is referred to, which is once.
    "OBJECT REFCOUNT" = object_refcount(key) since "2.2.3" [READONLY] O("1");
    /// Returns for how many seconds a key has not been accessed.
    "OBJECT IDLETIME" = object_idletime(key) since "2.2.3" [READONLY] O("1");
    /// Returns how often a key is accessed, on a logarithmic scale, under an LFU policy.
    "OBJECT FREQ" = object_freq(key) since "4.0.0" [READONLY] O("1");
    /// Returns what the subcommands of OBJECT do.
    "OBJECT HELP" = object_help() since "6.2.0" [LOADING STALE] O("1");
};

/// The rows about whole databases.
pub const SERVER_COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "server";
    /// Returns how many keys the database has.
    "DBSIZE" = dbsize() since "1.0.0" [READONLY FAST KEYSPACE] O("1");
    /// Deletes every key of the database.
    "FLUSHDB" = flushdb(mode) since "1.0.0" [WRITE KEYSPACE DANGEROUS] O("N) where N is the number of keys in the database");
    /// Deletes every key of every database.
    "FLUSHALL" = flushall(mode) since "1.0.0" [WRITE KEYSPACE DANGEROUS] O("N) where N is the number of keys in all databases");
    /// Exchanges two databases for all clients.
    "SWAPDB" = swapdb(index1, index2) since "4.0.0" [WRITE FAST KEYSPACE DANGEROUS] O("1");
};

fn del(ctx: &mut Ctx, keys: Keys) -> Result<usize> {
    Ok(keys.iter().filter(|key| ctx.delete(*key)).count())
}

fn exists(ctx: &mut Ctx, keys: Keys) -> Result<usize> {
    Ok(keys.iter().filter(|key| ctx.peek(*key).is_some()).count())
}

fn touch(ctx: &mut Ctx, keys: Keys) -> Result<usize> {
    let found = keys.iter().filter_map(|key| ctx.peek(key).map(|found| ctx.access(found)));
    Ok(found.count())
}

fn type_of(ctx: &mut Ctx, key: Key) -> Result<Simple> {
    let found = ctx.peek(key);
    Ok(Simple(found.map_or("none", |found| ctx.database().kind(found).name())))
}

fn keys<'c, 'a>(
    ctx: &'c mut Ctx,
    pattern: Pattern<'a>,
) -> Result<Written<ManyBytes, impl FnOnce(&mut Writer) + use<'c, 'a>>> {
    Ok(Written::new(move |out| {
        let (glob, database) = (Glob::new(pattern.0), ctx.database());
        let alive = database.iter().filter(|(_, found)| ctx.is_alive(database, *found));
        out.counted(Writer::array, |out| {
            alive.filter(|(key, _)| glob.is_star() || glob.matches(key)).map(|(key, _)| out.bulk(key)).count()
        });
    }))
}

fn randomkey(ctx: &mut Ctx) -> Result<Option<Vec<u8>>> {
    Ok(ctx.random_key())
}

fn rename(ctx: &mut Ctx, key: Key, newkey: Key) -> Result<Done> {
    let found = ctx.find(key).ok_or(Error::NoSuchKey)?;
    if key != newkey {
        rename_found(ctx, found, key, newkey);
    }
    Ok(Done)
}

fn renamenx(ctx: &mut Ctx, key: Key, newkey: Key) -> Result<bool> {
    let found = ctx.find(key).ok_or(Error::NoSuchKey)?;
    let free = ctx.find(newkey).is_none();
    if free {
        rename_found(ctx, found, key, newkey);
    }
    Ok(free)
}

fn rename_found(ctx: &mut Ctx, found: Found, key: Key, newkey: Key) {
    if let Some(replaced) = ctx.find(newkey) {
        ctx.remove(replaced);
    }
    let facts = Facts::of(ctx.database(), found);
    let value = ctx.take(found);
    facts.insert(ctx, newkey, value);
    ctx.changed(key, Event::RenameFrom);
    ctx.changed(newkey, Event::RenameTo);
}

/// What a value takes along to another key.
struct Facts {
    deadline: Option<u64>,
    /// It is a text that was edited, which Redis keeps in another encoding from then on.
    is_raw: bool,
}

impl Facts {
    fn of(database: &Database, found: Found) -> Facts {
        Facts { deadline: database.deadline(found), is_raw: database.encoding(found) == "raw" }
    }

    fn insert(self, ctx: &mut Ctx, key: Key, value: Value) {
        let found = ctx.insert(key, value, self.deadline);
        if self.is_raw {
            ctx.edit_text(found, 0);
        }
    }
}

options! {
    /// The options of COPY.
    struct CopyOptions {
        db: Targets = "DB",
        replace: bool = "REPLACE",
    }
}

/// Databases that are named. The last one counts, but there have to be all of them.
#[derive(Clone, Copy, Debug, Default)]
struct Targets {
    last: Option<DbIndex>,
    least: Option<DbIndex>,
    most: Option<DbIndex>,
}

impl<'a> Switch<'a> for Targets {
    const FOLLOWS: Option<Shape> = Some(DbIndex::SHAPE);
    const SHAPE: Shape = DbIndex::SHAPE;
    fn take(&mut self, token: &str, words: &mut Words<'a>) -> Result<bool> {
        let found = words.take_with(token, 1);
        if found {
            let db = DbIndex::parse(words)?;
            let (least, most) =
                (self.least.map_or(db, |it| it.min(db)), self.most.map_or(db, |it| it.max(db)));
            *self = Targets { last: Some(db), least: Some(least), most: Some(most) };
        }
        Ok(found)
    }
}

impl Targets {
    /// The number of the one that counts, if each is one of `count` databases.
    fn among(self, count: usize) -> Result<Option<usize>> {
        let numbers = [self.least, self.most, self.last].map(|db| db.map(|db| db.among(count)).transpose());
        let [least, most, last] = numbers;
        least.and(most).and(last)
    }
}

fn copy(ctx: &mut Ctx, source: Key, destination: Key, options: CopyOptions) -> Result<bool> {
    let from = ctx.selected();
    let to = options.db.among(ctx.count())?.unwrap_or(from);
    if from == to && source == destination {
        return Err(same_object());
    }
    let Some(found) = ctx.look_up(source) else { return Ok(false) };
    let facts = Facts::of(ctx.database(), found);
    ctx.select(to);
    let replaced = ctx.find(destination);
    let free = replaced.is_none() || options.replace;
    if free {
        let value = ctx.databases()[from].copy(found);
        if let Some(replaced) = replaced {
            ctx.remove(replaced);
        }
        facts.insert(ctx, destination, value);
        ctx.changed(destination, Event::CopyTo);
    }
    ctx.select(from);
    Ok(free)
}

fn move_to(ctx: &mut Ctx, key: Key, db: DbIndex) -> Result<bool> {
    let (from, to) = (ctx.selected(), db.among(ctx.count())?);
    if from == to {
        return Err(same_object());
    }
    let Some(found) = ctx.find(key) else { return Ok(false) };
    ctx.select(to);
    let free = ctx.find(key).is_none();
    ctx.select(from);
    if free {
        let facts = Facts::of(ctx.database(), found);
        let value = ctx.take(found);
        ctx.select(to);
        facts.insert(ctx, key, value);
        ctx.select(from);
        ctx.changed(key, Event::MoveFrom);
        ctx.select(to);
        ctx.changed(key, Event::MoveTo);
        ctx.select(from);
    }
    Ok(free)
}

fn same_object() -> Error {
    Error::refused("ERR source and destination objects are the same")
}

/// An integer that is looked at only when the whole request is known to be well formed.
struct Unread<'a>(&'a [u8]);

impl<'a> Arg<'a> for Unread<'a> {
    const SHAPE: Shape = Shape::Word("integer", WordKind::Integer);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        words.next().map(Unread)
    }
}

/// When a deadline is set.
#[derive(Clone, Copy, Debug, Default)]
struct Condition {
    /// NX: there is none.
    no_deadline: bool,
    /// XX: there is one.
    has_deadline: bool,
    /// GT: the new one is later.
    later: bool,
    /// LT: the new one is earlier.
    earlier: bool,
}

impl Arg<'_> for Condition {
    const SHAPE: Shape =
        Shape::Options(&[Shape::Token("NX"), Shape::Token("XX"), Shape::Token("GT"), Shape::Token("LT")]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let mut this = Condition::default();
        while let Some(word) = words.peek() {
            let known = [
                ("NX", &mut this.no_deadline),
                ("XX", &mut this.has_deadline),
                ("GT", &mut this.later),
                ("LT", &mut this.earlier),
            ];
            let Some((_, switch)) = known.into_iter().find(|(token, _)| words.take(token)) else {
                return Err(Error::quoting("ERR Unsupported option ", word, ""));
            };
            *switch = true;
        }
        if this.no_deadline && (this.has_deadline || this.later || this.earlier) {
            return Err(Error::refused(
                "ERR NX and XX, GT or LT options at the same time are not compatible",
            ));
        }
        if this.later && this.earlier {
            return Err(Error::refused("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(this)
    }
}

impl Condition {
    /// Whether a key with the deadline `old` is to get `new`. Without one it lives for ever.
    fn allows(self, old: Option<u64>, new: i64) -> bool {
        let is_later = old.is_some_and(|old| new > old as i64);
        let is_earlier = old.is_none_or(|old| new < old as i64);
        (!self.no_deadline || old.is_none())
            && (!self.has_deadline || old.is_some())
            && (!self.later || is_later)
            && (!self.earlier || is_earlier)
    }
}

const SECOND_MS: i64 = 1000;

fn expire(ctx: &mut Ctx, key: Key, seconds: Unread, condition: Condition) -> Result<bool> {
    let base_ms = ctx.now_ms() as i64;
    set_deadline(ctx, key, seconds, SECOND_MS, base_ms, condition, "expire")
}

fn pexpire(ctx: &mut Ctx, key: Key, milliseconds: Unread, condition: Condition) -> Result<bool> {
    let base_ms = ctx.now_ms() as i64;
    set_deadline(ctx, key, milliseconds, 1, base_ms, condition, "pexpire")
}

fn expireat(ctx: &mut Ctx, key: Key, seconds: Unread, condition: Condition) -> Result<bool> {
    set_deadline(ctx, key, seconds, SECOND_MS, 0, condition, "expireat")
}

fn pexpireat(ctx: &mut Ctx, key: Key, milliseconds: Unread, condition: Condition) -> Result<bool> {
    set_deadline(ctx, key, milliseconds, 1, 0, condition, "pexpireat")
}

fn set_deadline(
    ctx: &mut Ctx,
    key: Key,
    time: Unread,
    unit_ms: i64,
    base_ms: i64,
    condition: Condition,
    command: &str,
) -> Result<bool> {
    let time = parse_i64(time.0).ok_or(Error::NotInteger)?;
    let at = time.checked_mul(unit_ms).and_then(|time| time.checked_add(base_ms));
    let at = at.ok_or_else(|| format!("ERR invalid expire time in '{command}' command"))?;
    let Some(found) = ctx.find(key) else { return Ok(false) };
    let allowed = condition.allows(ctx.database().deadline(found), at);
    Ok(allowed && ctx.expire_at(key, at.max(0) as u64))
}

fn ttl(ctx: &mut Ctx, key: Key) -> Result<i64> {
    Ok(deadline(ctx, key).map_or_else(|none| none, |at| rounded(at - ctx.now_ms() as i64)))
}

fn pttl(ctx: &mut Ctx, key: Key) -> Result<i64> {
    Ok(deadline(ctx, key).map_or_else(|none| none, |at| at - ctx.now_ms() as i64))
}

fn expiretime(ctx: &mut Ctx, key: Key) -> Result<i64> {
    Ok(deadline(ctx, key).map_or_else(|none| none, rounded))
}

fn pexpiretime(ctx: &mut Ctx, key: Key) -> Result<i64> {
    Ok(deadline(ctx, key).unwrap_or_else(|none| none))
}

/// The deadline of a key, or what is answered in its place: -1 when it has none, -2 when there is no key.
fn deadline(ctx: &mut Ctx, key: Key) -> Result<i64, i64> {
    let found = ctx.peek(key).ok_or(-2)?;
    ctx.database().deadline(found).map(|at| at as i64).ok_or(-1)
}

/// Milliseconds as seconds, to the nearest.
fn rounded(ms: i64) -> i64 {
    ms / SECOND_MS + (ms % SECOND_MS >= SECOND_MS / 2) as i64
}

fn persist(ctx: &mut Ctx, key: Key) -> Result<bool> {
    Ok(ctx.persist(key))
}

/// What MIGRATE is asked for: of that, only the keys matter, as nothing is moved.
struct Migration<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for Migration<'a> {
    const SHAPE: Shape = Shape::Group(&[
        Shape::Word("host", WordKind::Text),
        Shape::Word("port", WordKind::Integer),
        Shape::Key,
        Shape::Word("destination-db", WordKind::Integer),
        Shape::Word("timeout", WordKind::Integer),
        Shape::Options(&[
            Shape::Token("COPY"),
            Shape::Token("REPLACE"),
            Shape::Group(&[Shape::Token("AUTH"), Shape::Word("password", WordKind::Text)]),
            Shape::Group(&[
                Shape::Token("AUTH2"),
                Shape::Word("username", WordKind::Text),
                Shape::Word("password", WordKind::Text),
            ]),
            Shape::Group(&[Shape::Token("KEYS"), Shape::Many(&[Shape::Key])]),
        ]),
    ]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let (_host, _port) = (words.next()?, words.next()?);
        let key = words.take_n(1)?;
        let (_db, _timeout) = (i64::parse(words)?, i64::parse(words)?);
        while !words.is_empty() {
            if words.take_with("KEYS", 1) {
                if key != [b""] {
                    return Err(Error::refused(
                        "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
                    ));
                }
                return Ok(Migration(words.split_off(0)));
            } else if words.take_with("AUTH", 1) {
                words.next()?;
            } else if words.take_with("AUTH2", 2) {
                (words.next()?, words.next()?);
            } else if !words.take("COPY") && !words.take("REPLACE") {
                return Err(Error::Syntax);
            }
        }
        Ok(Migration(key))
    }
}

/// Moves nothing, which is all there is to do when none of the keys exists.
fn migrate(ctx: &mut Ctx, Migration(keys): Migration) -> Result<Simple> {
    if keys.iter().all(|key| ctx.find(Key(key)).is_none()) {
        return Ok(Simple("NOKEY"));
    }
    Err(Error::refused(
        "ERR MIGRATE is not supported: this server connects to no other. Use DUMP and RESTORE",
    ))
}

fn object_encoding(ctx: &mut Ctx, key: Key) -> Result<Option<Bulk<'static>>> {
    let found = ctx.find(key);
    Ok(found.map(|found| Bulk(ctx.database().encoding(found).as_bytes())))
}

fn object_refcount(ctx: &mut Ctx, key: Key) -> Result<Option<i64>> {
    let Some(found) = ctx.find(key) else { return Ok(None) };
    // Redis keeps each small integer once, and counts no references to it.
    let is_shared = ctx.shares_integers && matches!(ctx.database().text(found), Some(Text::Int(0..10_000)));
    Ok(Some(if is_shared { i32::MAX.into() } else { 1 }))
}

fn object_idletime(ctx: &mut Ctx, key: Key) -> Result<Option<i64>> {
    match ctx.find(key) {
        None => Ok(None),
        Some(_) if ctx.eviction().counts_uses() => Err(Error::refused(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
        )),
        Some(found) => Ok(Some(ctx.idle_seconds(found) as i64)),
    }
}

fn object_freq(ctx: &mut Ctx, key: Key) -> Result<Option<i64>> {
    match ctx.find(key) {
        None => Ok(None),
        Some(found) if ctx.eviction().counts_uses() => Ok(Some(ctx.frequency(found) as i64)),
        Some(_) => Err(Error::refused(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.",
        )),
    }
}

fn object_help(_: &mut Ctx) -> Result<HelpLines> {
    Ok(help("OBJECT", COMMANDS))
}

fn dbsize(ctx: &mut Ctx) -> Result<usize> {
    Ok(ctx.database().len())
}

one_of! {
    /// How memory is freed. Here it is always done at once.
    enum FlushMode { "ASYNC" = Async, "SYNC" = Sync }
}

fn flushdb(ctx: &mut Ctx, _: Option<FlushMode>) -> Result<Done> {
    flush(ctx, ctx.selected());
    Ok(Done)
}

fn flushall(ctx: &mut Ctx, _: Option<FlushMode>) -> Result<Done> {
    for db in 0..ctx.count() {
        flush(ctx, db);
    }
    Ok(Done)
}

fn flush(ctx: &mut Ctx, db: usize) {
    ctx.flush(db);
    ctx.effects.sweep(Sweep::Flushed(db));
}

fn swapdb<'a>(ctx: &mut Ctx, index1: Unread<'a>, index2: Unread<'a>) -> Result<Done> {
    let a = DbIndex::read(index1.0).ok_or(Error::refused("ERR invalid first DB index"))?;
    let b = DbIndex::read(index2.0).ok_or(Error::refused("ERR invalid second DB index"))?;
    let (a, b) = (a.among(ctx.count())?, b.among(ctx.count())?);
    ctx.swap(a, b);
    ctx.effects.sweep(Sweep::Swapped(a, b));
    Ok(Done)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;
    use crate::engine::testing::Session;

    /// What is logged when `line` follows `setup`, without the database.
    fn logged(setup: &str, line: &str) -> Vec<String> {
        let mut session = Session::new();
        session.ask(setup);
        session.logged();
        session.ask(line);
        session.logged()
    }

    #[test]
    fn what_is_logged_has_the_same_effect_later() {
        for (setup, line, log) in [
            ("SET k v", "EXPIRE k 10", "PEXPIREAT k 1010000"),
            ("SET k v", "PEXPIRE k 10", "PEXPIREAT k 1000010"),
            ("SET k v", "EXPIREAT k 2000", "PEXPIREAT k 2000000"),
            ("SET k v", "EXPIREAT k 2", "DEL k"),
            ("SET k v", "EXPIRE k -1", "DEL k"),
            ("SET k v EX 10", "PERSIST k", "PERSIST k"),
            ("SET k v", "RENAME k other", "RENAME k other"),
            ("SET k v", "RENAMENX k other", "RENAMENX k other"),
            ("SET k v", "COPY k other DB 1", "COPY k other DB 1"),
            ("SET k v", "MOVE k 1", "MOVE k 1"),
            ("SET k v", "DEL k missing", "DEL k missing"),
            ("SET k v", "SWAPDB 0 1", "SWAPDB 0 1"),
            ("SET k v", "FLUSHALL", "FLUSHALL"),
            ("PING", "SET k v\nDEL k\nFLUSHDB ASYNC", "SET k v,DEL k,FLUSHDB ASYNC"),
            ("PING", "FLUSHALL", "FLUSHALL"),
        ] {
            let mut logged = logged(setup, line);
            logged.retain(|command| command != "SELECT 0");
            assert_eq!(logged.join(","), log, "{line}");
        }
        for (setup, line) in [
            ("PING", "DEL k"),
            ("PING", "EXPIRE k 10"),
            ("SET k v", "EXPIRE k 10 XX"),
            ("SET k v", "PERSIST k"),
            ("SET k v", "RENAME k k"),
            ("SET k v", "RENAMENX k k"),
            ("SET k v\nSET other v", "COPY k other"),
            ("SET k v", "TOUCH k"),
        ] {
            assert_eq!(logged(setup, line), [""; 0], "{line}");
        }
    }

    #[test]
    fn a_name_takes_its_deadline_along() {
        let mut session = Session::new();
        let reply = session.ask("SET k v PX 5000\nSET other w\nRENAME k other\nPTTL other\nCOPY other copy\nPTTL copy\nMOVE copy 1");
        assert!(reply.ends_with(":5000\r\n:1\r\n:5000\r\n:1\r\n"), "{reply}");
        assert_eq!(session.ask("SELECT 1\nPTTL copy\nDBSIZE"), "+OK\r\n:5000\r\n:1\r\n");
    }

    #[test]
    fn an_edited_text_stays_one_under_another_name() {
        let mut session = Session::new();
        session.ask("SET k a\nAPPEND k b\nRENAME k l\nCOPY l m\nMOVE m 1");
        assert_eq!(
            session.ask("OBJECT ENCODING l\nSELECT 1\nOBJECT ENCODING m"),
            "$3\r\nraw\r\n+OK\r\n$3\r\nraw\r\n"
        );
    }

    #[test]
    fn a_copy_is_another_value() {
        let mut session = Session::new();
        session.ask("RPUSH l a\nCOPY l m\nRPUSH m b");
        assert_eq!(session.ask("LLEN l\nLLEN m"), ":1\r\n:2\r\n");
    }

    #[test]
    fn an_expired_key_is_not_seen_before_it_is_removed() {
        let mut session = Session::new();
        session.ask("SET k v PX 10\nSET kept v");
        session.now_ms += 10;
        assert_eq!(session.ask("DBSIZE\nKEYS *"), ":2\r\n*1\r\n$4\r\nkept\r\n");
        assert_eq!(session.ask("SCAN 0\nDBSIZE"), "*2\r\n$1\r\n0\r\n*1\r\n$4\r\nkept\r\n:1\r\n");
        assert_eq!(session.logged().last().unwrap(), "DEL k");
    }

    #[test]
    fn idle_time_starts_at_each_access_but_those_of_no_touch() {
        let mut session = Session::new();
        session.ask("SET k v");
        session.now_ms += 3000;
        assert_eq!(session.ask("TYPE k\nOBJECT IDLETIME k"), "+string\r\n:3\r\n");
        assert_eq!(session.ask("CLIENT NO-TOUCH ON\nGET k\nOBJECT IDLETIME k"), "+OK\r\n$1\r\nv\r\n:3\r\n");
        assert_eq!(session.ask("CLIENT NO-TOUCH OFF\nGET k\nOBJECT IDLETIME k"), "+OK\r\n$1\r\nv\r\n:0\r\n");
    }
}
