//! Commands on the members of a sorted set. Those on its ranges and on several sorted sets together have files of their own.

use super::{
    Command, Ctx,
    args::{
        Arg, AtMostOne, Count, CountedKeys, Key, Kind, Member, Negatable, Rest, Shape, Words, one_of, options,
    },
    reply::{Array, Either, Reply},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        containers::{entry::Collection, ordered::OrderedSet},
        number::{Digits, parse_float, saturated, write_i64},
        sorted_set::{Insert, Scored, Sorted, SortedSet},
    },
    keyspace::Event,
    resp::{Version, Writer},
};
use alloc::{vec, vec::Vec};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "sorted-set";
    /// Adds members to a sorted set, or updates their scores; returns how many are new.
    "ZADD" = zadd(key, options, pairs) since "1.2.0" [WRITE DENYOOM FAST] O("log(N)) for each member, where N is the size of the sorted set");
    /// Adds to the score of a member, which is 0 when missing.
    "ZINCRBY" = zincrby(key, increment, member) since "1.2.0" [WRITE DENYOOM FAST] O("log(N)) where N is the size of the sorted set");
    /// Removes members; returns how many there were.
    "ZREM" = zrem(key, members) since "1.2.0" [WRITE FAST] O("M*log(N)) where N is the size of the sorted set and M the number of members");
    /// Returns the score of a member.
    "ZSCORE" = zscore(key, member) since "1.2.0" [READONLY FAST] O("1");
    /// Returns the scores of several members.
    "ZMSCORE" = zmscore(key, members) since "6.2.0" [READONLY FAST] O("N) where N is the number of members");
    /// Returns the number of members.
    "ZCARD" = zcard(key) since "1.2.0" [READONLY FAST] O("1");
    /// Returns the rank of a member from the lowest score on.
    "ZRANK" = zrank(key, member, with_score) since "2.0.0" [READONLY FAST] O("log(N)) where N is the size of the sorted set");
    /// Returns the rank of a member from the highest score on.
    "ZREVRANK" = zrevrank(key, member, with_score) since "2.0.0" [READONLY FAST] O("log(N)) where N is the size of the sorted set");
    /// Returns members chosen by chance; a negative count may return one several times.
    "ZRANDMEMBER" = zrandmember(key, options) since "6.2.0" [READONLY] O("N*log(M)) where N is the number of members returned and M the size of the sorted set");
    /// Removes and returns the members with the lowest scores.
    "ZPOPMIN" = zpopmin(key, count) since "5.0.0" [WRITE FAST] O("log(N)*M) where N is the size of the sorted set and M the number of members returned");
    /// Removes and returns the members with the highest scores.
    "ZPOPMAX" = zpopmax(key, count) since "5.0.0" [WRITE FAST] O("log(N)*M) where N is the size of the sorted set and M the number of members returned");
    /// Removes and returns the members with the lowest or highest scores of the first of several sorted sets that has some.
    "ZMPOP" = zmpop(keys, end, count) since "7.0.0" [WRITE] O("K) + O(M*log(N)) where K is the number of keys, N the size of the sorted set and M the number of members returned");
};

/// A rank, with the score when asked for.
struct Ranked {
    found: Option<(usize, f64)>,
    with_score: bool,
}

impl Reply for Ranked {
    const TS: &'static str = "number | [number, number] | null";
    fn write(self, out: &mut Writer<'_>) {
        match self.found {
            Some((rank, score)) if self.with_score => {
                out.array(2);
                out.integer(rank as i64);
                out.double(score);
            }
            Some((rank, _)) => out.integer(rank as i64),
            None if self.with_score => out.null_array(),
            None => out.null(),
        }
    }
}

/// Members that were removed, and their scores. Without a count there is one at most, and no array around it.
struct Popped {
    members: Vec<ScoredText>,
    is_counted: bool,
}

impl Reply for Popped {
    const TS: &'static str = "[Bytes, number] | [Bytes, number][] | []";
    fn write(self, out: &mut Writer<'_>) {
        match self.is_counted {
            true => write_pairs_head(out, self.members.len(), true),
            false => out.array(2 * self.members.len()),
        }
        for (member, score) in &self.members {
            if self.is_counted && out.version() == Version::V3 {
                out.array(2);
            }
            out.bulk(member);
            out.double(*score);
        }
    }
}

/// Members that were removed from the sorted set under `key`, and their scores: nested arrays in RESP2, too.
pub(super) struct PoppedFrom<'a> {
    pub(super) key: Key<'a>,
    pub(super) members: Vec<ScoredText>,
}

impl Reply for PoppedFrom<'_> {
    const TS: &'static str = "[Bytes, [Bytes, number][]]";
    fn write(self, out: &mut Writer<'_>) {
        out.array(2);
        out.bulk(self.key.0);
        out.array(self.members.len());
        for (member, score) in &self.members {
            out.array(2);
            out.bulk(member);
            out.double(*score);
        }
    }
}

impl Reply for Option<PoppedFrom<'_>> {
    const TS: &'static str = "[Bytes, [Bytes, number][]] | null";
    fn write(self, out: &mut Writer<'_>) {
        match self {
            Some(popped) => popped.write(out),
            None => out.null_array(),
        }
    }
}

/// A member and its score, taken out of a sorted set.
pub(super) type ScoredText = (Vec<u8>, f64);

type MemberList<'a> = Rest<'a, Member<'a>>;

// Adding ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

options! {
    /// The options of ZADD.
    struct ZaddOptions {
        only_new: bool = "NX",
        only_existing: bool = "XX",
        only_raise: bool = "GT",
        only_lower: bool = "LT",
        count_changed: bool = "CH",
        increment: bool = "INCR",
    }
}

/// `score member [score member …]`. The scores are looked at when the options are known to agree.
#[derive(Clone, Copy)]
struct ScoredMembers<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for ScoredMembers<'a> {
    const SHAPE: Shape =
        Shape::Many(&[Shape::Word("score", Kind::Double), Shape::Word("member", Kind::Text)]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let all = words.split_off(0);
        if all.is_empty() || !all.len().is_multiple_of(2) {
            Err(Error::Syntax)
        } else {
            Ok(ScoredMembers(all))
        }
    }
}

impl<'a> ScoredMembers<'a> {
    fn len(&self) -> usize {
        self.0.len() / 2
    }

    fn iter(&self) -> impl Iterator<Item = Result<(f64, &'a [u8])>> + use<'a> {
        let parse = |pair: &[&'a [u8]]| Ok((parse_float(pair[0]).ok_or(Error::NotFloat)?, pair[1]));
        self.0.chunks_exact(2).map(parse)
    }
}

impl ZaddOptions {
    fn check(&self, members: usize) -> Result<()> {
        if self.only_new && self.only_existing {
            return Err(Error::refused("ERR XX and NX options at the same time are not compatible"));
        }
        if self.only_raise && self.only_lower || self.only_new && (self.only_raise || self.only_lower) {
            return Err(Error::refused("ERR GT, LT, and/or NX options at the same time are not compatible"));
        }
        if self.increment && members > 1 {
            return Err(Error::refused("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }

    /// The score a member gets, or `None` when the options forbid the change.
    fn decide(&self, old: Option<f64>, given: f64) -> Result<Option<f64>> {
        let Some(old) = old else { return Ok((!self.only_existing).then_some(given)) };
        let score = if self.increment { old + given } else { given };
        if score.is_nan() && !self.only_new {
            return Err(Error::refused("ERR resulting score is not a number (NaN)"));
        }
        let forbidden = self.only_new || self.only_raise && score <= old || self.only_lower && score >= old;
        Ok((!forbidden).then_some(score))
    }
}

fn zadd<'a>(
    ctx: &mut Ctx,
    key: Key,
    options: ZaddOptions,
    pairs: ScoredMembers<'a>,
) -> Result<Either<usize, Option<f64>>> {
    options.check(pairs.len())?;
    pairs.iter().try_for_each(|pair| pair.map(|_| ()))?;
    let mut zset = ctx.write_or_create::<SortedSet>(key)?;
    let (inner, limits) = zset.with_limits();
    inner.expect(pairs.len(), limits);
    let (mut added, mut updated, mut last) = (0, 0, None);
    for (given, member) in pairs.iter().flatten() {
        // An old score decides only when there are options that ask for it.
        let asks = options.only_new
            || options.only_existing
            || options.only_raise
            || options.only_lower
            || options.increment;
        let old = if asks { inner.score(member) } else { None };
        last = options.decide(old, given)?;
        let Some(score) = last else { continue };
        match inner.insert(member, score, limits) {
            Insert::Added => added += 1,
            Insert::Updated => updated += 1,
            Insert::Same => {}
        }
    }
    if added + updated > 0 {
        zset.changed(if options.increment { Event::ZIncr } else { Event::ZAdd });
    }
    Ok(match options {
        ZaddOptions { increment: true, .. } => Either::Right(last),
        ZaddOptions { count_changed: true, .. } => Either::Left(added + updated),
        _ => Either::Left(added),
    })
}

fn zincrby(ctx: &mut Ctx, key: Key, increment: f64, member: Member) -> Result<f64> {
    let mut zset = ctx.write_or_create::<SortedSet>(key)?;
    let (inner, limits) = zset.with_limits();
    let score = inner.score(member.0).map_or(increment, |old| old + increment);
    if score.is_nan() {
        return Err(Error::refused("ERR resulting score is not a number (NaN)"));
    }
    if inner.insert(member.0, score, limits) != Insert::Same {
        zset.changed(Event::ZIncr);
    }
    Ok(score)
}

fn zrem<'a>(ctx: &mut Ctx, key: Key, members: MemberList<'a>) -> Result<usize> {
    let Some(mut zset) = ctx.write::<SortedSet>(key)? else { return Ok(0) };
    let removed = members.iter().filter(|member| zset.remove(member.0).is_some()).count();
    if removed > 0 {
        zset.changed(Event::ZRem);
    }
    Ok(removed)
}

// Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

fn zscore(ctx: &mut Ctx, key: Key, member: Member) -> Result<Option<f64>> {
    Ok(ctx.read::<SortedSet>(key)?.and_then(|zset| zset.score(member.0)))
}

fn zmscore<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    members: MemberList<'a>,
) -> Result<Array<impl ExactSizeIterator<Item = Option<f64>> + use<'a, 'c>>> {
    let zset = ctx.read::<SortedSet>(key)?;
    Ok(Array(members.iter().map(move |member| zset.and_then(|zset| zset.score(member.0)))))
}

fn zcard(ctx: &mut Ctx, key: Key) -> Result<usize> {
    Ok(ctx.read::<SortedSet>(key)?.map_or(0, SortedSet::len))
}

/// What ZRANK and ZREVRANK return besides the rank.
#[derive(Clone, Copy)]
struct WithScore;

impl Arg<'_> for WithScore {
    const SHAPE: Shape = Shape::Token("WITHSCORE");
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        if words.take("WITHSCORE") { Ok(WithScore) } else { Err(Error::Syntax) }
    }
}

fn zrank(ctx: &mut Ctx, key: Key, member: Member, with_score: AtMostOne<WithScore>) -> Result<Ranked> {
    rank(ctx, key, member, with_score.0.is_some(), false)
}

fn zrevrank(ctx: &mut Ctx, key: Key, member: Member, with_score: AtMostOne<WithScore>) -> Result<Ranked> {
    rank(ctx, key, member, with_score.0.is_some(), true)
}

fn rank(ctx: &mut Ctx, key: Key, member: Member, with_score: bool, reverse: bool) -> Result<Ranked> {
    let found = ctx.read::<SortedSet>(key)?.and_then(|zset| {
        let (rank, score) = zset.rank(member.0)?;
        Some((if reverse { zset.len() - 1 - rank } else { rank }, score))
    });
    Ok(Ranked { found, with_score })
}

/// Puts members under `key`, whatever was there, or nothing when there are none. Returns their number.
pub(super) fn store(ctx: &mut Ctx, key: Key, members: Sorted, event: Event) -> usize {
    let len = members.len();
    if len > 0 {
        let zset = members.into_set(&ctx.limits);
        ctx.put(key, zset.into_value(), None);
        ctx.changed(key, event);
    } else {
        ctx.delete(key);
    }
    len
}

/// The head of an array of members. With scores, RESP3 has an array a member, RESP2 one flat array.
pub(super) fn write_pairs_head(out: &mut Writer, len: usize, with_scores: bool) {
    out.array(if with_scores && out.version() == Version::V2 { 2 * len } else { len });
}

pub(super) fn write_scored(out: &mut Writer, (member, score): Scored, with_scores: bool) {
    if with_scores && out.version() == Version::V3 {
        out.array(2);
    }
    member.write_bulk(out);
    if with_scores {
        out.double(score);
    }
}

/// The longest reply of ZRANDMEMBER with a negative count.
const MOST_REPEATED: i64 = 1 << 28;

/// `[count [WITHSCORES]]`
#[derive(Clone, Copy)]
struct RandomOptions {
    count: Option<i64>,
    with_scores: bool,
}

impl<'a> Arg<'a> for RandomOptions {
    const SHAPE: Shape = Shape::Maybe(&Shape::Group(&[
        Shape::Word("count", Kind::Integer),
        Shape::Options(&[Shape::Token("WITHSCORES")]),
    ]));
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        if words.is_empty() {
            return Ok(RandomOptions { count: None, with_scores: false });
        }
        let count = Negatable::parse(words)?.0;
        let with_scores = words.take("WITHSCORES");
        words.end()?;
        // Members may repeat when the count is negative, so only this bounds the reply.
        if count < -MOST_REPEATED || with_scores && count > i64::MAX / 2 {
            return Err(Error::refused("ERR value is out of range"));
        }
        Ok(RandomOptions { count: Some(count), with_scores })
    }
}

/// Members chosen by chance. Without a count there is one at most, and no array around it.
struct Chosen<'c> {
    zset: Option<&'c SortedSet>,
    ranks: Vec<usize>,
    options: RandomOptions,
}

impl Reply for Chosen<'_> {
    const TS: &'static str = "Bytes | Bytes[] | [Bytes, number][] | null";
    fn write(self, out: &mut Writer<'_>) {
        let RandomOptions { count, with_scores } = self.options;
        if count.is_some() {
            write_pairs_head(out, self.ranks.len(), with_scores);
        } else if self.ranks.is_empty() {
            out.null();
        }
        let chosen = self.ranks.iter().filter_map(|&rank| self.zset?.get(rank));
        chosen.for_each(|scored| write_scored(out, scored, with_scores));
    }
}

fn zrandmember<'c>(ctx: &'c mut Ctx, key: Key, options: RandomOptions) -> Result<Chosen<'c>> {
    let Some(found) = ctx.look_up(key) else {
        return Ok(Chosen { zset: None, ranks: Vec::new(), options });
    };
    let (database, random) = ctx.with_random();
    let zset = database.get::<SortedSet>(found).ok_or(Error::WrongType)?;
    let mut below = |len: usize| ((random.next() as u128 * len as u128) >> 64) as usize;
    let ranks = match options.count {
        None => vec![below(zset.len())],
        Some(count) if count < 0 => (0..-count).map(|_| below(zset.len())).collect(),
        Some(count) => distinct(zset.len(), saturated(count).unwrap_or(usize::MAX), below),
    };
    Ok(Chosen { zset: Some(zset), ranks, options })
}

/// Up to `count` numbers below `len`, each once and in order, by chance (R. Floyd's algorithm).
fn distinct(len: usize, count: usize, mut below: impl FnMut(usize) -> usize) -> Vec<usize> {
    if count >= len {
        return (0..len).collect();
    }
    let mut chosen = OrderedSet::new();
    for last in len - count..len {
        let any = below(last + 1);
        if !chosen.insert(any) {
            chosen.insert(last);
        }
    }
    chosen.into_iter().collect()
}

// Popping ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

one_of! {
    /// The end of a sorted set that members are taken from.
    pub(super) enum End {
        "MIN" = Lowest,
        "MAX" = Highest,
    }
}

/// `[COUNT count]`: how many members are taken at most, one unless said.
#[derive(Clone, Copy, Debug)]
pub(super) struct PopCount(pub(super) usize);

impl<'a> Arg<'a> for PopCount {
    const SHAPE: Shape = Shape::Options(&[Shape::Group(&[Shape::Token("COUNT"), Count::SHAPE])]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        if !words.take_with("COUNT", 1) {
            return Ok(PopCount(1));
        }
        let count = Count::parse(words).ok().filter(|count| count.0 > 0);
        count.map(|count| PopCount(count.0)).ok_or(Error::refused("ERR count should be greater than 0"))
    }
}

fn zpopmin(ctx: &mut Ctx, key: Key, count: Option<Count>) -> Result<Popped> {
    let members = pop(ctx, key, End::Lowest, count.map_or(1, |count| count.0))?;
    Ok(Popped { members, is_counted: count.is_some() })
}

fn zpopmax(ctx: &mut Ctx, key: Key, count: Option<Count>) -> Result<Popped> {
    let members = pop(ctx, key, End::Highest, count.map_or(1, |count| count.0))?;
    Ok(Popped { members, is_counted: count.is_some() })
}

fn zmpop<'a>(
    ctx: &mut Ctx,
    keys: CountedKeys<'a>,
    end: End,
    count: PopCount,
) -> Result<Option<PoppedFrom<'a>>> {
    pop_first(ctx, keys.iter(), end, count)
}

/// Removes up to `count` members from one end of the first sorted set there is.
pub(super) fn pop_first<'a>(
    ctx: &mut Ctx,
    keys: impl Iterator<Item = Key<'a>>,
    end: End,
    count: PopCount,
) -> Result<Option<PoppedFrom<'a>>> {
    for key in keys {
        let members = pop(ctx, key, end, count.0)?;
        if !members.is_empty() {
            return Ok(Some(PoppedFrom { key, members }));
        }
    }
    Ok(None)
}

/// Removes up to `count` members from one end of the sorted set under `key`, and returns them from that end on; none when
/// there is no such key.
pub(super) fn pop(ctx: &mut Ctx, key: Key, end: End, count: usize) -> Result<Vec<ScoredText>> {
    let Some(mut zset) = ctx.write::<SortedSet>(key)? else { return Ok(Vec::new()) };
    let count = count.min(zset.len());
    let ranks = match end {
        End::Lowest => 0..count,
        End::Highest => zset.len() - count..zset.len(),
    };
    let mut members = Vec::with_capacity(count);
    zset.remove_range(ranks, |(member, score)| {
        members.push((member.text(&mut Digits::new()).to_vec(), score));
    });
    if end == End::Highest {
        members.reverse();
    }
    if count > 0 {
        let (event, name): (_, &[u8]) = match end {
            End::Lowest => (Event::ZPopMin, b"ZPOPMIN"),
            End::Highest => (Event::ZPopMax, b"ZPOPMAX"),
        };
        zset.changed(event);
        // Replayed, no other key the request named is looked at, and nobody waits.
        zset.log_as(&[name, key.0, write_i64(count as i64, &mut Digits::new())]);
    }
    Ok(members)
}
