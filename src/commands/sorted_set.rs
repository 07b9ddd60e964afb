//! Commands on sorted sets.

use alloc::vec::Vec;
use core::ops::{Bound, Range};

use super::{
    Command, Ctx,
    args::{
        Arg, AtMostOne, Count, CountedKeys, Key, Kind, Limit, Member, Number, Rest, Shape, Text, Words,
        one_of, options, slice_range,
    },
    reply::{Array, Either, Reply},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        number::{Digits, parse_float, write_i64},
        sorted_set::{Insert, Scored, SortedSet},
    },
    keyspace::Event,
    resp::{Version, Writer},
};

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
    /// Returns the number of members with scores in a range.
    "ZCOUNT" = zcount(key, min, max) since "2.0.0" [READONLY FAST] O("log(N)) where N is the size of the sorted set");
    /// Returns the number of members in a range of their own, when all have the same score.
    "ZLEXCOUNT" = zlexcount(key, min, max) since "2.8.9" [READONLY FAST] O("log(N)) where N is the size of the sorted set");
    /// Returns the rank of a member from the lowest score on.
    "ZRANK" = zrank(key, member, with_score) since "2.0.0" [READONLY FAST] O("log(N)) where N is the size of the sorted set");
    /// Returns the rank of a member from the highest score on.
    "ZREVRANK" = zrevrank(key, member, with_score) since "2.0.0" [READONLY FAST] O("log(N)) where N is the size of the sorted set");
    /// Returns the members between two ranks, or in a range of scores or of members.
    "ZRANGE" = zrange(key, start, stop, options) since "1.2.0" [READONLY] O("log(N)+M) where N is the size of the sorted set and M the number of members returned");
    /// Returns the members between two ranks from the highest score on.
    "ZREVRANGE" = zrevrange(key, start, stop, options) since "1.2.0" [READONLY] O("log(N)+M) where N is the size of the sorted set and M the number of members returned");
    /// Returns the members with scores in a range.
    "ZRANGEBYSCORE" = zrangebyscore(key, min, max, options) since "1.0.5" [READONLY] O("log(N)+M) where N is the size of the sorted set and M the number of members returned");
    /// Returns the members with scores in a range from the highest score on.
    "ZREVRANGEBYSCORE" = zrevrangebyscore(key, max, min, options) since "2.2.0" [READONLY] O("log(N)+M) where N is the size of the sorted set and M the number of members returned");
    /// Returns the members in a range of their own, when all have the same score.
    "ZRANGEBYLEX" = zrangebylex(key, min, max, options) since "2.8.9" [READONLY] O("log(N)+M) where N is the size of the sorted set and M the number of members returned");
    /// Returns the members in a range of their own from the last one on, when all have the same score.
    "ZREVRANGEBYLEX" = zrevrangebylex(key, max, min, options) since "2.8.9" [READONLY] O("log(N)+M) where N is the size of the sorted set and M the number of members returned");
    /// Removes and returns the members with the lowest scores.
    "ZPOPMIN" = zpopmin(key, count) since "5.0.0" [WRITE FAST] O("log(N)*M) where N is the size of the sorted set and M the number of members returned");
    /// Removes and returns the members with the highest scores.
    "ZPOPMAX" = zpopmax(key, count) since "5.0.0" [WRITE FAST] O("log(N)*M) where N is the size of the sorted set and M the number of members returned");
    /// Removes and returns the members with the lowest or highest scores of the first of several sorted sets that has some.
    "ZMPOP" = zmpop(keys, options) since "7.0.0" [WRITE] O("K) + O(M*log(N)) where K is the number of keys, N the size of the sorted set and M the number of members returned");
};

/// The members at some ranks, with their scores when asked for.
struct Ranged<'c> {
    zset: Option<&'c SortedSet>,
    ranks: Range<usize>,
    form: Form,
}

impl Reply for Ranged<'_> {
    const TS: &'static str = "Bytes[] | [Bytes, number][]";
    fn write(self, out: &mut Writer<'_>) {
        let Form { reverse, with_scores, .. } = self.form;
        write_pairs_head(out, self.ranks.len(), with_scores);
        let Some(zset) = self.zset else { return };
        let write = |scored| write_scored(out, scored, with_scores);
        match reverse {
            true => zset.range(self.ranks).rev().for_each(write),
            false => zset.range(self.ranks).for_each(write),
        }
    }
}

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
    if inner.is_empty() && !options.only_existing {
        inner.expect(pairs.len(), limits);
    }
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
    let score = inner.score(member.0).unwrap_or(0.0) + increment;
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

fn zcount<'a>(ctx: &mut Ctx, key: Key, min: Number<'a>, max: Number<'a>) -> Result<usize> {
    count(ctx, key, &Selection::scores(min.0, max.0)?)
}

fn zlexcount<'a>(ctx: &mut Ctx, key: Key, min: Text<'a>, max: Text<'a>) -> Result<usize> {
    count(ctx, key, &Selection::members(min.0, max.0)?)
}

fn count(ctx: &mut Ctx, key: Key, selection: &Selection) -> Result<usize> {
    Ok(ctx.read::<SortedSet>(key)?.map_or(0, |zset| selection.ranks(zset).len()))
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

type Between<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// Which members a range command means.
enum Selection<'a> {
    /// Those between two ranks, negative ones from the end.
    Ranks(i64, i64),
    /// Those with scores between two bounds.
    Scores(Bound<f64>, Bound<f64>),
    /// Those between two bounds themselves; `None` when nothing is.
    Members(Option<Between<'a>>),
}

impl<'a> Selection<'a> {
    fn scores(min: &[u8], max: &[u8]) -> Result<Self> {
        Ok(Selection::Scores(score_bound(min)?, score_bound(max)?))
    }

    fn members(min: &'a [u8], max: &'a [u8]) -> Result<Self> {
        let (min, max) = (LexBound::parse(min)?, LexBound::parse(max)?);
        Ok(Selection::Members(match (min, max) {
            (LexBound::Last, _) | (_, LexBound::First) => None,
            (min, max) => Some((min.bound(), max.bound())),
        }))
    }

    /// The ranks it means in `zset`, counted from the lowest.
    fn ranks(&self, zset: &SortedSet) -> Range<usize> {
        match *self {
            Selection::Ranks(start, stop) => slice_range(start, stop, zset.len()).unwrap_or_default(),
            Selection::Scores(min, max) => zset.ranks_by_score(min, max),
            Selection::Members(None) => 0..0,
            Selection::Members(Some((min, max))) => zset.ranks_by_member(min, max),
        }
    }
}

/// A bound of scores: `1.5`, `(1.5` without it, `-inf`, `+inf`. Nothing at all is 0, as Redis has it.
fn score_bound(word: &[u8]) -> Result<Bound<f64>> {
    let parse = |text: &[u8]| match text {
        b"" => Ok(0.0),
        text => parse_float(text).ok_or(Error::refused("ERR min or max is not a float")),
    };
    match word {
        [b'(', text @ ..] => parse(text).map(Bound::Excluded),
        text => parse(text).map(Bound::Included),
    }
}

/// A bound of members: `[a`, `(a` without it, `-` before all, `+` after all.
#[derive(Clone, Copy)]
enum LexBound<'a> {
    First,
    Last,
    Member(Bound<&'a [u8]>),
}

impl<'a> LexBound<'a> {
    fn parse(word: &'a [u8]) -> Result<Self> {
        match word {
            b"-" => Ok(LexBound::First),
            b"+" => Ok(LexBound::Last),
            [b'[', member @ ..] => Ok(LexBound::Member(Bound::Included(member))),
            [b'(', member @ ..] => Ok(LexBound::Member(Bound::Excluded(member))),
            _ => Err(Error::refused("ERR min or max not valid string range item")),
        }
    }

    fn bound(self) -> Bound<&'a [u8]> {
        match self {
            LexBound::First | LexBound::Last => Bound::Unbounded,
            LexBound::Member(bound) => bound,
        }
    }
}

options! {
    /// The options of ZRANGE.
    struct RangeOptions {
        by_score: bool = "BYSCORE",
        by_lex: bool = "BYLEX",
        reverse: bool = "REV",
        limit: Option<Limit> = "LIMIT",
        with_scores: bool = "WITHSCORES",
    }
}

/// The options of the commands that ZRANGE came to replace. All of them read the same words; which ones a command can
/// make use of is in its type.
#[derive(Clone, Copy)]
struct OldOptions<const WITH_SCORES: bool, const LIMIT: bool> {
    with_scores: bool,
    limit: Option<Limit>,
}

impl<'a, const WITH_SCORES: bool, const LIMIT: bool> Arg<'a> for OldOptions<WITH_SCORES, LIMIT> {
    const SHAPE: Shape = {
        const SCORES_WORD: Shape = Shape::Token("WITHSCORES");
        const LIMIT_WORDS: Shape = Shape::Group(&[Shape::Token("LIMIT"), Limit::SHAPE]);
        Shape::Options(match (WITH_SCORES, LIMIT) {
            (true, true) => &[SCORES_WORD, LIMIT_WORDS],
            (true, false) => &[SCORES_WORD],
            (false, true) => &[LIMIT_WORDS],
            (false, false) => &[],
        })
    };
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let mut this = OldOptions { with_scores: false, limit: None };
        while !words.is_empty() {
            if words.take("WITHSCORES") {
                this.with_scores = true;
            } else if words.take_with("LIMIT", 2) {
                this.limit = Some(Limit::parse(words)?);
            } else {
                return Err(Error::Syntax);
            }
        }
        if !LIMIT && this.limit.is_some_and(Limit::counts) {
            return Err(LIMIT_OF_RANKS);
        }
        if !WITH_SCORES && this.with_scores {
            return Err(SCORES_OF_LEX);
        }
        Ok(this)
    }
}

impl<const WITH_SCORES: bool, const LIMIT: bool> OldOptions<WITH_SCORES, LIMIT> {
    fn form(self, reverse: bool) -> Form {
        Form { reverse, limit: self.limit, with_scores: self.with_scores }
    }
}

const LIMIT_OF_RANKS: Error =
    Error::refused("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
const SCORES_OF_LEX: Error =
    Error::refused("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

/// How the members of a range are returned.
#[derive(Clone, Copy)]
struct Form {
    reverse: bool,
    limit: Option<Limit>,
    with_scores: bool,
}

fn zrange<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    start: Text<'a>,
    stop: Text<'a>,
    options: RangeOptions,
) -> Result<Ranged<'c>> {
    let RangeOptions { by_score, by_lex, reverse, limit, with_scores } = options;
    if by_score && by_lex {
        return Err(Error::Syntax);
    }
    if limit.is_some_and(Limit::counts) && !by_score && !by_lex {
        return Err(LIMIT_OF_RANKS);
    }
    if with_scores && by_lex {
        return Err(SCORES_OF_LEX);
    }
    let (min, max) = if reverse { (stop.0, start.0) } else { (start.0, stop.0) };
    let selection = if by_score {
        Selection::scores(min, max)?
    } else if by_lex {
        Selection::members(min, max)?
    } else {
        Selection::Ranks(Member(start.0).integer()?, Member(stop.0).integer()?)
    };
    let limit = limit.filter(|_| by_score || by_lex);
    range(ctx, key, selection, Form { reverse, limit, with_scores })
}

fn zrevrange<'c>(
    ctx: &'c mut Ctx,
    key: Key,
    start: i64,
    stop: i64,
    options: OldOptions<true, false>,
) -> Result<Ranged<'c>> {
    range(ctx, key, Selection::Ranks(start, stop), options.form(true))
}

fn zrangebyscore<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    min: Number<'a>,
    max: Number<'a>,
    options: OldOptions<true, true>,
) -> Result<Ranged<'c>> {
    range(ctx, key, Selection::scores(min.0, max.0)?, options.form(false))
}

fn zrevrangebyscore<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    max: Number<'a>,
    min: Number<'a>,
    options: OldOptions<true, true>,
) -> Result<Ranged<'c>> {
    range(ctx, key, Selection::scores(min.0, max.0)?, options.form(true))
}

fn zrangebylex<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    min: Text<'a>,
    max: Text<'a>,
    options: OldOptions<false, true>,
) -> Result<Ranged<'c>> {
    range(ctx, key, Selection::members(min.0, max.0)?, options.form(false))
}

fn zrevrangebylex<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    max: Text<'a>,
    min: Text<'a>,
    options: OldOptions<false, true>,
) -> Result<Ranged<'c>> {
    range(ctx, key, Selection::members(min.0, max.0)?, options.form(true))
}

fn range<'a, 'c>(ctx: &'c mut Ctx, key: Key, selection: Selection<'a>, form: Form) -> Result<Ranged<'c>> {
    let zset = ctx.read::<SortedSet>(key)?;
    let ranks = zset.map_or(0..0, |zset| match selection {
        // Ranks count from the end that the range starts at.
        Selection::Ranks(start, stop) if form.reverse => {
            let range = slice_range(start, stop, zset.len()).unwrap_or_default();
            zset.len() - range.end..zset.len() - range.start
        }
        selection => within_limit(selection.ranks(zset), form.limit, form.reverse),
    });
    Ok(Ranged { zset, ranks, form })
}

/// The part of `ranks` that LIMIT leaves, from the end that the range starts at.
fn within_limit(ranks: Range<usize>, limit: Option<Limit>, reverse: bool) -> Range<usize> {
    let Some(Limit { offset, count }) = limit else { return ranks };
    let Ok(offset) = usize::try_from(offset) else { return 0..0 };
    let offset = offset.min(ranks.len());
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(ranks.len() - offset);
    match reverse {
        true => ranks.end - offset - count..ranks.end - offset,
        false => ranks.start + offset..ranks.start + offset + count,
    }
}

/// The head of an array of members. With scores, RESP3 has an array a member, RESP2 one flat array.
fn write_pairs_head(out: &mut Writer, len: usize, with_scores: bool) {
    out.array(if with_scores && out.version() == Version::V2 { 2 * len } else { len });
}

fn write_scored(out: &mut Writer, (member, score): Scored, with_scores: bool) {
    if with_scores && out.version() == Version::V3 {
        out.array(2);
    }
    member.write_bulk(out);
    if with_scores {
        out.double(score);
    }
}

// Popping ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

one_of! {
    /// The end of a sorted set that members are taken from.
    pub(super) enum End {
        "MIN" = Lowest,
        "MAX" = Highest,
    }
}

/// `MIN | MAX [COUNT count]`: which members are taken, and how many at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct PopOptions {
    pub(super) end: End,
    pub(super) count: usize,
}

impl<'a> Arg<'a> for PopOptions {
    const SHAPE: Shape =
        Shape::Group(&[End::SHAPE, Shape::Options(&[Shape::Group(&[Shape::Token("COUNT"), Count::SHAPE])])]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let end = End::parse(words)?;
        let count = match words.take_with("COUNT", 1) {
            true => Count::parse(words).ok().map(|count| count.0).filter(|&count| count > 0),
            false => Some(1),
        };
        let count = count.ok_or(Error::refused("ERR count should be greater than 0"))?;
        Ok(PopOptions { end, count })
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

fn zmpop<'a>(ctx: &mut Ctx, keys: CountedKeys<'a>, options: PopOptions) -> Result<Option<PoppedFrom<'a>>> {
    for key in keys.iter() {
        let members = pop(ctx, key, options.end, options.count)?;
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
