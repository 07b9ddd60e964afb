//! Commands on HyperLogLogs: texts that tell about how many different elements were added. How they are written is in
//! `data/hyperloglog.rs`.

use alloc::{string::String, vec::Vec};

use super::{
    Command, Ctx,
    args::{Arg, Key, Keys, Kind, Member, Rest, Shape, Words},
    reply::{Done, Written, typed},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        hyperloglog::{self, Form, Union},
        number::Digits,
    },
    keyspace::Event,
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "hyperloglog";
    /// Adds elements to a HyperLogLog, creating it when missing; returns whether its estimate may have changed.
    "PFADD" = pfadd(key, elements) since "2.8.9" [WRITE DENYOOM FAST] O("1) to add every element");
    /// Returns about how many different elements were added to a HyperLogLog, or to several together.
    "PFCOUNT" = pfcount(keys) since "2.8.9" [READONLY] O("1) with a very small average constant time when called with a single key. O(N) with N being the number of keys, and much bigger constant times, when called with multiple keys");
    /// Merges HyperLogLogs into the first one, creating it when missing.
    "PFMERGE" = pfmerge(destkey, sourcekeys) since "2.8.9" [WRITE DENYOOM] O("N) to merge N HyperLogLogs, but with high constant times");
    /// Shows how a HyperLogLog is kept: its registers, its runs, its form; or has it be dense.
    "PFDEBUG" = pfdebug(subcommand, key) since "2.8.9" [WRITE DENYOOM ADMIN] O("N) where N is the number of registers");
    /// Checks the counting itself.
    "PFSELFTEST" = pfselftest() since "2.8.9" [ADMIN] O("1");
};

/// No element makes an empty HyperLogLog, if there is none.
fn pfadd<'a>(ctx: &mut Ctx, key: Key, elements: Option<Rest<'a, Member<'a>>>) -> Result<bool> {
    let sparse_max = ctx.limits.hll_sparse_max_bytes;
    let words = elements.map_or(&[][..], |elements| elements.words());
    let Some(found) = ctx.find(key) else {
        let mut text = hyperloglog::empty();
        for element in words {
            hyperloglog::add(&mut text, element, sparse_max)?;
        }
        hyperloglog::outdate(&mut text);
        put(ctx, key, &text, Event::PfAdd);
        return Ok(true);
    };
    let text = ctx.database().text(found).ok_or(Error::WrongType)?;
    let mut changed = false;
    if hyperloglog::form(text.as_bytes(&mut Digits::new()))? == Form::Dense {
        let text = ctx.edit_text(found, 0);
        words.iter().for_each(|element| changed |= hyperloglog::add_dense(text, element));
        if changed {
            hyperloglog::outdate(text);
            ctx.changed(key, Event::PfAdd);
        }
        return Ok(changed);
    }
    let mut text = text.to_vec();
    for element in words {
        changed |= hyperloglog::add(&mut text, element, sparse_max)?;
    }
    if changed {
        hyperloglog::outdate(&mut text);
        put(ctx, key, &text, Event::PfAdd);
    }
    Ok(changed)
}

/// The estimate of a single one is kept in it.
fn pfcount<'a>(ctx: &mut Ctx, keys: Keys<'a>) -> Result<i64> {
    if keys.len() > 1 {
        return union(ctx, keys.iter()).map(|union| union.estimate() as i64);
    }
    let Some(key) = keys.iter().next() else { return Ok(0) };
    let Some(text) = ctx.read_text(key)? else { return Ok(0) };
    let mut digits = Digits::new();
    let text = text.as_bytes(&mut digits);
    hyperloglog::form(text)?;
    if let Some(estimate) = hyperloglog::cached(text) {
        return Ok(estimate as i64);
    }
    let estimate = hyperloglog::estimate(text)?;
    if let Some(found) = ctx.find(key) {
        hyperloglog::cache(ctx.edit_text(found, 0), estimate);
        ctx.changed(key, Event::Recode);
    }
    Ok(estimate as i64)
}

fn pfmerge<'a>(ctx: &mut Ctx, destkey: Key, sourcekeys: Option<Keys<'a>>) -> Result<Done> {
    let sources = sourcekeys.iter().flat_map(|keys| keys.iter());
    let union = union(ctx, core::iter::once(destkey).chain(sources))?;
    let mut text = ctx.read_text(destkey)?.map_or_else(hyperloglog::empty, |text| text.to_vec());
    union.merge_into(&mut text, ctx.limits.hll_sparse_max_bytes)?;
    put(ctx, destkey, &text, Event::PfAdd);
    Ok(Done)
}

fn union<'a>(ctx: &mut Ctx, keys: impl Iterator<Item = Key<'a>>) -> Result<Union> {
    let mut union = Union::new();
    for key in keys {
        if let Some(text) = ctx.read_text(key)? {
            union.include(text.as_bytes(&mut Digits::new()))?;
        }
    }
    Ok(union)
}

/// Sets a key to a HyperLogLog. Its deadline stays.
fn put(ctx: &mut Ctx, key: Key, text: &[u8], event: Event) {
    let deadline = ctx.find(key).and_then(|found| ctx.database().deadline(found));
    ctx.set_text(key, text, deadline);
    // Redis never keeps one in the encoding of short texts.
    if let Some(found) = ctx.find(key) {
        ctx.edit_text(found, 0);
    }
    ctx.changed(key, event);
}

/// What PFDEBUG is to do, looked at when the key is known.
#[derive(Clone, Copy)]
struct Subcommand<'a>(&'a [u8]);

impl<'a> Arg<'a> for Subcommand<'a> {
    const SHAPE: Shape = Shape::Word("subcommand", Kind::Text);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        words.next().map(Subcommand)
    }
}

typed! {
    /// The registers, the runs, the form, or whether the form changed.
    Insight = "number[] | string | 0 | 1";
}

enum Shown {
    Registers(Vec<u8>),
    Runs(String),
    Form(Form),
    Changed(bool),
}

fn pfdebug<'a>(
    ctx: &mut Ctx,
    subcommand: Subcommand<'a>,
    key: Key,
) -> Result<Written<Insight, impl FnOnce(&mut Writer) + use<>>> {
    let Some(text) = ctx.read_text(key)?.map(|text| text.to_vec()) else {
        return Err(Error::refused("ERR The specified key does not exist"));
    };
    let form = hyperloglog::form(&text)?;
    let is = |name: &str| subcommand.0.eq_ignore_ascii_case(name.as_bytes());
    let shown = if is("GETREG") {
        let registers = hyperloglog::registers(&text)?;
        make_dense(ctx, key, &text)?;
        Shown::Registers(registers)
    } else if is("DECODE") {
        if form == Form::Dense {
            return Err(Error::refused("ERR HLL encoding is not sparse"));
        }
        Shown::Runs(hyperloglog::describe(&text))
    } else if is("ENCODING") {
        Shown::Form(form)
    } else if is("TODENSE") {
        Shown::Changed(make_dense(ctx, key, &text)?)
    } else {
        return Err(Error::quoting("ERR Unknown PFDEBUG subcommand '", subcommand.0, "'"));
    };
    Ok(Written::new(move |out: &mut Writer| match shown {
        Shown::Registers(registers) => {
            out.array(registers.len());
            registers.iter().for_each(|register| out.integer(*register as i64));
        }
        Shown::Runs(runs) => out.bulk(runs.as_bytes()),
        Shown::Form(Form::Dense) => out.simple("dense"),
        Shown::Form(Form::Sparse) => out.simple("sparse"),
        Shown::Changed(changed) => out.integer(changed as i64),
    }))
}

/// Has a HyperLogLog be dense; whether it was not.
fn make_dense(ctx: &mut Ctx, key: Key, text: &[u8]) -> Result<bool> {
    let is_sparse = hyperloglog::form(text)? == Form::Sparse;
    if is_sparse {
        put(ctx, key, &hyperloglog::to_dense(text)?, Event::Recode);
    }
    Ok(is_sparse)
}

fn pfselftest(_: &mut Ctx) -> Result<Done> {
    hyperloglog::self_test()?;
    Ok(Done)
}
