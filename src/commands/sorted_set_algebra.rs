//! Commands on several sorted sets together: union, intersection and difference. Plain sets take part as if each member had
//! the score 1.

use alloc::{format, vec, vec::Vec};

use super::{
    Command, Ctx,
    args::{Arg, Key, Kind, OneOf, Shape, Words, one_of},
    reply::Reply,
    sorted_set::{store, write_pairs_head, write_scored},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        containers::entry,
        number::{Digits, parse_count, parse_float, parse_i64, saturated},
        set::Set,
        sorted_set::{Gathering, Scored, Sorted, SortedSet},
        sorting::sort_by_number,
    },
    keyspace::Event,
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "sorted-set";
    /// Returns the members that are in any of several sorted sets.
    "ZUNION" = zunion(keys, options) since "6.2.0" [READONLY] O("N) + O(M*log(M)) where N is the size of all sorted sets together and M that of the result");
    /// Stores the members that are in any of several sorted sets as a sorted set; returns how many.
    "ZUNIONSTORE" = zunionstore(destination, keys, options) since "2.0.0" [WRITE DENYOOM] O("N) + O(M*log(M)) where N is the size of all sorted sets together and M that of the result");
    /// Returns the members that are in all of several sorted sets.
    "ZINTER" = zinter(keys, options) since "6.2.0" [READONLY] O("N*K) + O(M*log(M)) where N is the size of the smallest sorted set, K the number of sorted sets and M the size of the result");
    /// Stores the members that are in all of several sorted sets as a sorted set; returns how many.
    "ZINTERSTORE" = zinterstore(destination, keys, options) since "2.0.0" [WRITE DENYOOM] O("N*K) + O(M*log(M)) where N is the size of the smallest sorted set, K the number of sorted sets and M the size of the result");
    /// Returns the number of members that are in all of several sorted sets.
    "ZINTERCARD" = zintercard(keys, options) since "7.0.0" [READONLY] O("N*K) where N is the size of the smallest sorted set and K the number of sorted sets");
    /// Returns the members of the first sorted set that are in none of the others.
    "ZDIFF" = zdiff(keys, options) since "6.2.0" [READONLY] O("N*K + M*log(M)) where N is the size of the first sorted set, K the number of sorted sets and M the size of the result");
    /// Stores the members of the first sorted set that are in none of the others as a sorted set; returns how many.
    "ZDIFFSTORE" = zdiffstore(destination, keys, options) since "6.2.0" [WRITE DENYOOM] O("N*K + M*log(M)) where N is the size of the first sorted set, K the number of sorted sets and M the size of the result");
};

// Arguments ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/// `numkeys key [key …]`. That there are none is refused by the command, by its name.
#[derive(Clone, Copy)]
struct InputKeys<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for InputKeys<'a> {
    const SHAPE: Shape = Shape::CountedKeys;
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        match parse_i64(words.next()?).ok_or(Error::NotInteger)? {
            ..1 => Ok(InputKeys(&[])),
            count => words.take_n(saturated(count).unwrap_or(usize::MAX)).map(InputKeys),
        }
    }
}

one_of! {
    /// How the scores that a member has are made one.
    enum Aggregate {
        "SUM" = Sum,
        "MIN" = Min,
        "MAX" = Max,
        "COUNT" = Count,
    }
}

/// The words behind the keys, which are read when the kinds of the values are known to be right. Which words a command can make
/// use of is in its type.
#[derive(Clone, Copy)]
struct Unread<'a, const WEIGHTS: bool, const SCORES: bool, const LIMIT: bool>(Words<'a>);

/// What may follow the keys of ZUNION and ZINTER.
type Returned<'a> = Unread<'a, true, true, false>;
/// What may follow the keys of ZUNIONSTORE and ZINTERSTORE.
type Stored<'a> = Unread<'a, true, false, false>;
/// What may follow the keys of ZDIFF.
type DiffReturned<'a> = Unread<'a, false, true, false>;
/// What may follow the keys of ZDIFFSTORE: nothing.
type DiffStored<'a> = Unread<'a, false, false, false>;
/// What may follow the keys of ZINTERCARD.
type Counted<'a> = Unread<'a, false, false, true>;

/// What was said behind the keys.
struct Options {
    /// One for each key.
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    limit: usize,
}

impl<'a, const WEIGHTS: bool, const SCORES: bool, const LIMIT: bool> Arg<'a>
    for Unread<'a, WEIGHTS, SCORES, LIMIT>
{
    const SHAPE: Shape = {
        const MANY: Shape = Shape::Many(&[Shape::Word("weight", Kind::Double)]);
        const WEIGHTS_WORDS: Shape = Shape::Group(&[Shape::Token("WEIGHTS"), MANY]);
        const AGGREGATE_WORDS: Shape = Shape::Group(&[Shape::Token("AGGREGATE"), Aggregate::SHAPE]);
        const SCORES_WORD: Shape = Shape::Token("WITHSCORES");
        const LIMIT_WORDS: Shape =
            Shape::Group(&[Shape::Token("LIMIT"), Shape::Word("limit", Kind::Integer)]);
        Shape::Options(match (WEIGHTS, SCORES, LIMIT) {
            (true, true, _) => &[WEIGHTS_WORDS, AGGREGATE_WORDS, SCORES_WORD],
            (true, false, _) => &[WEIGHTS_WORDS, AGGREGATE_WORDS],
            (false, true, _) => &[SCORES_WORD],
            (false, false, true) => &[LIMIT_WORDS],
            (false, false, false) => &[],
        })
    };
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        Ok(Unread(Words::new(words.split_off(0))))
    }
}

impl<const WEIGHTS: bool, const SCORES: bool, const LIMIT: bool> Unread<'_, WEIGHTS, SCORES, LIMIT> {
    fn read(self, keys: usize) -> Result<Options> {
        let Unread(mut words) = self;
        let mut options =
            Options { weights: vec![1.0; keys], aggregate: Aggregate::Sum, with_scores: false, limit: 0 };
        while !words.is_empty() {
            if WEIGHTS && words.take_with("WEIGHTS", keys) {
                for weight in &mut options.weights {
                    *weight = read_weight(words.next()?)?;
                }
            } else if WEIGHTS && words.take_with("AGGREGATE", 1) {
                options.aggregate = Aggregate::take(&mut words).ok_or(Error::Syntax)?;
            } else if SCORES && words.take("WITHSCORES") {
                options.with_scores = true;
            } else if LIMIT && words.take_with("LIMIT", 1) {
                options.limit = read_limit(words.next()?)?;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }
}

fn read_weight(word: &[u8]) -> Result<f64> {
    parse_float(word).ok_or(Error::refused("ERR weight value is not a float"))
}

fn read_limit(word: &[u8]) -> Result<usize> {
    let limit = parse_count(word);
    limit.ok_or(Error::refused("ERR LIMIT can't be negative"))
}

// Inputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What takes part.
#[derive(Clone, Copy)]
enum Source<'c> {
    None,
    Set(&'c Set),
    SortedSet(&'c SortedSet),
}

/// What takes part, and by how much its scores are multiplied.
#[derive(Clone, Copy)]
struct Input<'c> {
    source: Source<'c>,
    weight: f64,
    /// Whether all its scores count as 1.
    is_counted: bool,
}

impl<'c> Input<'c> {
    fn len(&self) -> usize {
        match self.source {
            Source::None => 0,
            Source::Set(set) => set.len(),
            Source::SortedSet(zset) => zset.len(),
        }
    }

    /// The members with their scores as they are weighted here.
    fn for_each(&self, mut visit: impl FnMut(Scored<'c>)) {
        match self.source {
            Source::None => {}
            Source::Set(set) => set.iter().for_each(|member| visit((member, self.weighted(1.0)))),
            Source::SortedSet(zset) => {
                zset.iter().for_each(|(member, score)| visit((member, self.weighted(score))));
            }
        }
    }

    /// The score of a member as it is weighted here.
    fn score(&self, member: &[u8]) -> Option<f64> {
        let score = match self.source {
            Source::None => None,
            Source::Set(set) => set.contains(member).then_some(1.0),
            Source::SortedSet(zset) => zset.score(member),
        };
        score.map(|score| self.weighted(score))
    }

    fn weighted(&self, score: f64) -> f64 {
        self.weight * if self.is_counted { 1.0 } else { score }
    }
}

impl Aggregate {
    fn combine(self, old: f64, new: f64) -> f64 {
        match self {
            Aggregate::Sum | Aggregate::Count => number_or_zero(old + new),
            // In these words, NaN changes nothing.
            Aggregate::Min => {
                if new < old {
                    new
                } else {
                    old
                }
            }
            Aggregate::Max => {
                if new > old {
                    new
                } else {
                    old
                }
            }
        }
    }
}

/// What Redis has in place of no number, which infinities of both signs come to, and an infinity zero times.
fn number_or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// The values under the keys in their order and what is said of them. `command` is the name for the complaint that there is no key.
fn read<'c, const WEIGHTS: bool, const SCORES: bool, const LIMIT: bool>(
    ctx: &'c mut Ctx,
    command: &str,
    keys: InputKeys,
    unread: Unread<WEIGHTS, SCORES, LIMIT>,
) -> Result<(Vec<Input<'c>>, Options)> {
    if keys.0.is_empty() {
        return Err(format!("ERR at least 1 input key is needed for '{command}' command").into());
    }
    let mut found = Vec::with_capacity(keys.0.len());
    for key in keys.0 {
        let entry = ctx.look_up(Key(key));
        if let Some(entry) = entry
            && !matches!(ctx.database().kind(entry), entry::Kind::Set | entry::Kind::SortedSet)
        {
            return Err(Error::WrongType);
        }
        found.push(entry);
    }
    let options = unread.read(found.len())?;
    let database = ctx.database();
    let inputs = found.into_iter().zip(&options.weights).map(|(entry, &weight)| {
        let source = entry.map_or(Source::None, |entry| match database.get::<Set>(entry) {
            Some(set) => Source::Set(set),
            None => database.get(entry).map_or(Source::None, Source::SortedSet),
        });
        Input { source, weight, is_counted: options.aggregate == Aggregate::Count }
    });
    Ok((inputs.collect(), options))
}

// Algebra ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The members that are in any of the inputs. Sums are of floating-point numbers, so their order matters: from the smallest input
/// to the largest.
fn union(mut inputs: Vec<Input>, aggregate: Aggregate, mut result: Gathering) -> Gathering {
    sort_by_number(&mut inputs, |input| input.len() as u64);
    for input in inputs {
        input.for_each(|(member, score)| {
            result.add(member, number_or_zero(score), |old, new| aggregate.combine(old, new));
        });
    }
    result
}

/// Visits the members that are in all of the inputs, while `visit` returns true.
fn intersect<'c>(
    mut inputs: Vec<Input<'c>>,
    aggregate: Aggregate,
    mut visit: impl FnMut(Scored<'c>) -> bool,
) {
    sort_by_number(&mut inputs, |input| input.len() as u64);
    let Some((smallest, others)) = inputs.split_first() else { return };
    let (mut digits, mut goes_on) = (Digits::new(), true);
    smallest.for_each(|(member, score)| {
        let text = member.text(&mut digits);
        let combine = |old, other: &Input| Some(aggregate.combine(old, other.score(text)?));
        if goes_on && let Some(score) = others.iter().try_fold(number_or_zero(score), combine) {
            goes_on = visit((member, score));
        }
    });
}

fn inter(inputs: Vec<Input>, aggregate: Aggregate, mut result: Gathering) -> Gathering {
    intersect(inputs, aggregate, |(member, score)| {
        result.add(member, score, |_, new| new);
        true
    });
    result
}

/// The members of the first input that are in none of the others.
fn diff(inputs: Vec<Input>, _: Aggregate, mut result: Gathering) -> Gathering {
    let mut digits = Digits::new();
    if let Some((first, others)) = inputs.split_first() {
        first.for_each(|(member, score)| {
            let text = member.text(&mut digits);
            if others.iter().all(|other| other.score(text).is_none()) {
                result.add(member, score, |_, new| new);
            }
        });
    }
    result
}

// Commands ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What came of several sorted sets, in order.
struct Combined {
    members: Sorted,
    with_scores: bool,
}

impl Reply for Combined {
    const TS: &'static str = "Bytes[] | [Bytes, number][]";
    fn write(self, out: &mut Writer<'_>) {
        write_pairs_head(out, self.members.len(), self.with_scores);
        self.members.iter().for_each(|scored| write_scored(out, scored, self.with_scores));
    }
}

/// What the commands differ in: how inputs become one.
type Operation = for<'c> fn(Vec<Input<'c>>, Aggregate, Gathering) -> Gathering;

fn combine<const WEIGHTS: bool, const SCORES: bool>(
    ctx: &mut Ctx,
    command: &str,
    keys: InputKeys,
    unread: Unread<WEIGHTS, SCORES, false>,
    operation: Operation,
) -> Result<Combined> {
    let result = Gathering::new(&ctx.limits);
    let (inputs, options) = read(ctx, command, keys, unread)?;
    let result = operation(inputs, options.aggregate, result);
    Ok(Combined { members: result.sorted(), with_scores: options.with_scores })
}

fn zunion<'a>(ctx: &mut Ctx, keys: InputKeys<'a>, options: Returned<'a>) -> Result<Combined> {
    combine(ctx, "zunion", keys, options, union)
}

fn zinter<'a>(ctx: &mut Ctx, keys: InputKeys<'a>, options: Returned<'a>) -> Result<Combined> {
    combine(ctx, "zinter", keys, options, inter)
}

fn zdiff<'a>(ctx: &mut Ctx, keys: InputKeys<'a>, options: DiffReturned<'a>) -> Result<Combined> {
    combine(ctx, "zdiff", keys, options, diff)
}

fn zunionstore<'a>(
    ctx: &mut Ctx,
    destination: Key,
    keys: InputKeys<'a>,
    options: Stored<'a>,
) -> Result<usize> {
    let union = combine(ctx, "zunionstore", keys, options, union)?;
    Ok(store(ctx, destination, union.members, Event::ZUnionStore))
}

fn zinterstore<'a>(
    ctx: &mut Ctx,
    destination: Key,
    keys: InputKeys<'a>,
    options: Stored<'a>,
) -> Result<usize> {
    let inter = combine(ctx, "zinterstore", keys, options, inter)?;
    Ok(store(ctx, destination, inter.members, Event::ZInterStore))
}

fn zdiffstore<'a>(
    ctx: &mut Ctx,
    destination: Key,
    keys: InputKeys<'a>,
    options: DiffStored<'a>,
) -> Result<usize> {
    let diff = combine(ctx, "zdiffstore", keys, options, diff)?;
    Ok(store(ctx, destination, diff.members, Event::ZDiffStore))
}

fn zintercard<'a>(ctx: &mut Ctx, keys: InputKeys<'a>, options: Counted<'a>) -> Result<usize> {
    let (inputs, options) = read(ctx, "zintercard", keys, options)?;
    let (mut count, limit) = (0, if options.limit == 0 { usize::MAX } else { options.limit });
    intersect(inputs, options.aggregate, |_| {
        count += 1;
        count < limit
    });
    Ok(count)
}
