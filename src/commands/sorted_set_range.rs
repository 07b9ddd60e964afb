//! Commands on ranges of a sorted set: by rank, by score, by member.

use core::ops::{Bound, Range};

use super::{
    Command, Ctx,
    args::{Arg, Key, Kind, Limit, Member, Number, Shape, Text, Words, one_of, slice_range},
    reply::Reply,
    sorted_set::{store, write_pairs_head, write_scored},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        number::{parse_c_float, saturated},
        sorted_set::{Gathering, SortedSet},
    },
    keyspace::Event,
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "sorted-set";
    /// Returns the number of members with scores in a range.
    "ZCOUNT" = zcount(key, min, max) since "2.0.0" [READONLY FAST] O("log(N)) where N is the size of the sorted set");
    /// Returns the number of members in a range of their own, when all have the same score.
    "ZLEXCOUNT" = zlexcount(key, min, max) since "2.8.9" [READONLY FAST] O("log(N)) where N is the size of the sorted set");
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
    /// Stores the members between two ranks, or in a range of scores or of members, as a sorted set; returns how many.
    "ZRANGESTORE" = zrangestore(destination, source, range, options) since "6.2.0" [WRITE DENYOOM] O("log(N)+M) where N is the size of the sorted set and M the number of members stored");
    /// Removes the members between two ranks; returns how many there were.
    "ZREMRANGEBYRANK" = zremrangebyrank(key, start, stop) since "2.0.0" [WRITE] O("log(N)+M) where N is the size of the sorted set and M the number of members removed");
    /// Removes the members with scores in a range; returns how many there were.
    "ZREMRANGEBYSCORE" = zremrangebyscore(key, min, max) since "1.2.0" [WRITE] O("log(N)+M) where N is the size of the sorted set and M the number of members removed");
    /// Removes the members in a range of their own, when all have the same score; returns how many there were.
    "ZREMRANGEBYLEX" = zremrangebylex(key, min, max) since "2.8.9" [WRITE] O("log(N)+M) where N is the size of the sorted set and M the number of members removed");
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

fn zcount<'a>(ctx: &mut Ctx, key: Key, min: Number<'a>, max: Number<'a>) -> Result<usize> {
    count(ctx, key, &Selection::scores(min.0, max.0)?)
}

fn zlexcount<'a>(ctx: &mut Ctx, key: Key, min: Text<'a>, max: Text<'a>) -> Result<usize> {
    count(ctx, key, &Selection::members(min.0, max.0)?)
}

fn count(ctx: &mut Ctx, key: Key, selection: &Selection) -> Result<usize> {
    Ok(ctx.read::<SortedSet>(key)?.map_or(0, |zset| selection.ranks(zset).len()))
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

/// A bound of scores: `1.5`, `(1.5` without it, `-inf`, `+inf`.
fn score_bound(word: &[u8]) -> Result<Bound<f64>> {
    let parse = |text| parse_c_float(text).ok_or(Error::refused("ERR min or max is not a float"));
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

one_of! {
    /// What the ends of a range are, if not ranks.
    enum By {
        "BYSCORE" = Score,
        "BYLEX" = Lex,
    }
}

/// The options of ZRANGE and, without scores, of ZRANGESTORE. What decides what a range means may be said once.
#[derive(Clone, Copy)]
struct RangeOptions<const WITH_SCORES: bool> {
    by: Option<By>,
    reverse: bool,
    limit: Option<Limit>,
    with_scores: bool,
}

impl<'a, const WITH_SCORES: bool> Arg<'a> for RangeOptions<WITH_SCORES> {
    const SHAPE: Shape = {
        const REV_WORD: Shape = Shape::Token("REV");
        const LIMIT_WORDS: Shape = Shape::Group(&[Shape::Token("LIMIT"), Limit::SHAPE]);
        const SCORES_WORD: Shape = Shape::Token("WITHSCORES");
        Shape::Options(match WITH_SCORES {
            true => &[By::SHAPE, REV_WORD, LIMIT_WORDS, SCORES_WORD],
            false => &[By::SHAPE, REV_WORD, LIMIT_WORDS],
        })
    };
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let mut this = RangeOptions { by: None, reverse: false, limit: None, with_scores: false };
        while !words.is_empty() {
            if WITH_SCORES && words.take("WITHSCORES") {
                this.with_scores = true;
            } else if words.take_with("LIMIT", 2) {
                this.limit = Some(Limit::parse(words)?);
            } else if !this.reverse && words.take("REV") {
                this.reverse = true;
            } else if this.by.is_none() {
                this.by = Some(By::parse(words)?);
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(this)
    }
}

impl<const WITH_SCORES: bool> RangeOptions<WITH_SCORES> {
    /// What the words from `start` to `stop` mean under these options.
    fn select<'a>(self, start: &'a [u8], stop: &'a [u8]) -> Result<(Selection<'a>, Form)> {
        let RangeOptions { by, reverse, limit, with_scores } = self;
        if limit.is_some_and(Limit::counts) && by.is_none() {
            return Err(LIMIT_OF_RANKS);
        }
        if with_scores && by == Some(By::Lex) {
            return Err(SCORES_OF_LEX);
        }
        let (min, max) = if reverse { (stop, start) } else { (start, stop) };
        let selection = match by {
            Some(By::Score) => Selection::scores(min, max)?,
            Some(By::Lex) => Selection::members(min, max)?,
            None => Selection::Ranks(Member(start).integer()?, Member(stop).integer()?),
        };
        Ok((selection, Form { reverse, limit, with_scores }))
    }
}

/// `min max`: where a range begins and ends.
#[derive(Clone, Copy)]
struct Ends<'a>(&'a [u8], &'a [u8]);

impl<'a> Arg<'a> for Ends<'a> {
    const SHAPE: Shape = Shape::Group(&[Shape::Word("min", Kind::Text), Shape::Word("max", Kind::Text)]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        Ok(Ends(words.next()?, words.next()?))
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
    options: RangeOptions<true>,
) -> Result<Ranged<'c>> {
    let (selection, form) = options.select(start.0, stop.0)?;
    range(ctx, key, selection, form)
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
    let ranks = zset.map_or(0..0, |zset| form.ranks(&selection, zset));
    Ok(Ranged { zset, ranks, form })
}

impl Form {
    /// The ranks that a selection means in `zset`.
    fn ranks(&self, selection: &Selection, zset: &SortedSet) -> Range<usize> {
        let ranks = selection.ranks(zset);
        match selection {
            // Ranks count from the end that the range starts at.
            Selection::Ranks(..) if self.reverse => zset.len() - ranks.end..zset.len() - ranks.start,
            Selection::Ranks(..) => ranks,
            _ => within_limit(ranks, self.limit, self.reverse),
        }
    }
}

fn zrangestore<'a>(
    ctx: &mut Ctx,
    destination: Key,
    source: Key,
    range: Ends<'a>,
    options: RangeOptions<false>,
) -> Result<usize> {
    let (selection, form) = options.select(range.0, range.1)?;
    let mut stored = Gathering::new(&ctx.limits);
    if let Some(zset) = ctx.read::<SortedSet>(source)? {
        let ranks = form.ranks(&selection, zset);
        zset.range(ranks).for_each(|(member, score)| stored.add(member, score, |_, new| new));
    }
    Ok(store(ctx, destination, stored.sorted(), Event::ZRangeStore))
}

fn zremrangebyrank(ctx: &mut Ctx, key: Key, start: i64, stop: i64) -> Result<usize> {
    remove(ctx, key, Selection::Ranks(start, stop), Event::ZRemRangeByRank)
}

fn zremrangebyscore<'a>(ctx: &mut Ctx, key: Key, min: Number<'a>, max: Number<'a>) -> Result<usize> {
    remove(ctx, key, Selection::scores(min.0, max.0)?, Event::ZRemRangeByScore)
}

fn zremrangebylex<'a>(ctx: &mut Ctx, key: Key, min: Text<'a>, max: Text<'a>) -> Result<usize> {
    remove(ctx, key, Selection::members(min.0, max.0)?, Event::ZRemRangeByLex)
}

fn remove(ctx: &mut Ctx, key: Key, selection: Selection, event: Event) -> Result<usize> {
    let Some(mut zset) = ctx.write::<SortedSet>(key)? else { return Ok(0) };
    let ranks = selection.ranks(&zset);
    let removed = ranks.len();
    zset.remove_range(ranks, |_| ());
    if removed > 0 {
        zset.changed(event);
    }
    Ok(removed)
}

/// The part of `ranks` that LIMIT leaves, from the end that the range starts at.
fn within_limit(ranks: Range<usize>, limit: Option<Limit>, reverse: bool) -> Range<usize> {
    let Some(Limit { offset, count }) = limit else { return ranks };
    let Some(offset) = saturated(offset) else { return 0..0 };
    let offset = offset.min(ranks.len());
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(ranks.len() - offset);
    match reverse {
        true => ranks.end - offset - count..ranks.end - offset,
        false => ranks.start + offset..ranks.start + offset + count,
    }
}
