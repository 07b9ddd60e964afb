//! Commands on the consumer groups of streams: making them, acknowledging, and looking at what is pending. Reading as a
//! consumer is in `stream_read.rs`, handing over to another one in `stream_claim.rs`.

use alloc::{format, vec::Vec};

use super::{
    Command, Ctx,
    args::{Arg, Key, Kind, Rest, Shape, Words},
    help::{HelpLines, help},
    reply::{Array, Done, Written, typed},
    spec::commands,
    stream::{
        DELETED, DeleteRequest, NOT_THERE, STILL_NEEDED, delete_with, parse_end, parse_id, parse_start,
        write_id,
    },
};
use crate::{
    Error, Result,
    data::stream::{Delivery, Group, IdDigits, References, Stream, StreamId},
    keyspace::{Event, Writing},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "stream";
    /// Creates a group that reads a stream from an ID on, `$` for what is yet to come.
    "XGROUP CREATE" = xgroup_create(key, group, id, options) since "5.0.0" [WRITE DENYOOM] O("1");
    /// Sets the ID that a group reads on from.
    "XGROUP SETID" = xgroup_setid(key, group, id, options) since "5.0.0" [WRITE] O("1");
    /// Removes a group.
    "XGROUP DESTROY" = xgroup_destroy(key, group) since "5.0.0" [WRITE] O("N) where N is the number of pending entries");
    /// Creates a consumer in a group; returns whether it is new.
    "XGROUP CREATECONSUMER" = xgroup_createconsumer(key, group, consumer) since "6.2.0" [WRITE DENYOOM] O("1");
    /// Removes a consumer from a group; returns how many entries were pending for it.
    "XGROUP DELCONSUMER" = xgroup_delconsumer(key, group, consumer) since "5.0.0" [WRITE] O("N) where N is the number of pending entries");
    /// Lists the subcommands of XGROUP.
    "XGROUP HELP" = xgroup_help() since "5.0.0" [LOADING STALE] O("1");
    /// Notes that a group is done with entries; returns how many were pending.
    "XACK" = xack(key, group, ids) since "5.0.0" [WRITE FAST] O("1) for each entry");
    /// Notes that a group is done with entries and deletes them as far as other groups allow it; returns for each what
    /// became of it: 1 deleted, 2 kept because a group needs it, -1 not pending.
    "XACKDEL" = xackdel(key, group, request) since "8.2.0" [WRITE FAST] O("1) for each entry");
    /// Returns how much is pending in a group, or what.
    "XPENDING" = xpending(key, group, range) since "5.0.0" [READONLY] O("N) where N is the number of entries returned");
};

typed! {
    /// A summary, or entries with consumer, idle time and number of deliveries.
    Pending = "[number, string | null, string | null, [Bytes, Bytes][] | null] | [string, Bytes, number, number][]";
}

// XGROUP ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The name of a group.
#[derive(Clone, Copy)]
pub(super) struct GroupName<'a>(pub(super) &'a [u8]);

/// The name of a consumer.
#[derive(Clone, Copy)]
pub(super) struct ConsumerName<'a>(pub(super) &'a [u8]);

/// An ID that is looked at only when the stream is known.
#[derive(Clone, Copy)]
struct LateId<'a>(&'a [u8]);

impl<'a> Arg<'a> for GroupName<'a> {
    const SHAPE: Shape = Shape::Word("group", Kind::Text);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        words.next().map(GroupName)
    }
}

impl<'a> Arg<'a> for ConsumerName<'a> {
    const SHAPE: Shape = Shape::Word("consumer", Kind::Text);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        words.next().map(ConsumerName)
    }
}

impl<'a> Arg<'a> for LateId<'a> {
    const SHAPE: Shape = Shape::Word("id", Kind::Text);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        words.next().map(LateId)
    }
}

/// `[MKSTREAM] [ENTRIESREAD entries-read]`, the former of CREATE alone.
#[derive(Clone, Copy, Default)]
struct GroupOptions<const CREATE: bool> {
    make: bool,
    entries_read: Option<u64>,
}

const ENTRIES_READ: Shape =
    Shape::Group(&[Shape::Token("ENTRIESREAD"), Shape::Word("entries-read", Kind::Integer)]);

impl<const CREATE: bool> Arg<'_> for GroupOptions<CREATE> {
    const SHAPE: Shape = match CREATE {
        true => Shape::Options(&[Shape::Token("MKSTREAM"), ENTRIES_READ]),
        false => Shape::Options(&[ENTRIES_READ]),
    };
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let (name, most) = if CREATE { ("CREATE", 3) } else { ("SETID", 2) };
        let unfit =
            format!("ERR unknown subcommand or wrong number of arguments for '{name}'. Try XGROUP HELP.");
        if words.len() > most {
            return Err(unfit.into());
        }
        let mut this = GroupOptions::default();
        while !words.is_empty() {
            if CREATE && words.take("MKSTREAM") {
                this.make = true;
            } else if words.take_with("ENTRIESREAD", 1) {
                this.entries_read =
                    match i64::parse(words)? {
                        -1 => None,
                        read => Some(u64::try_from(read).map_err(|_| {
                            Error::refused("ERR value for ENTRIESREAD must be positive or -1")
                        })?),
                    };
            } else {
                return Err(unfit.into());
            }
        }
        Ok(this)
    }
}

const KEY_REQUIRED: Error = Error::refused(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to \
     create an empty stream automatically.",
);

fn xgroup_create(
    ctx: &mut Ctx,
    key: Key,
    group: GroupName,
    id: LateId,
    options: GroupOptions<true>,
) -> Result<Done> {
    let last_id = ctx.write::<Stream>(key)?.map(|stream| stream.facts().last_id);
    if last_id.is_none() && !options.make {
        return Err(KEY_REQUIRED);
    }
    let id = match id.0 {
        b"$" => last_id.unwrap_or(StreamId::MIN),
        id => parse_id(id)?,
    };
    let mut stream = ctx.write_or_create::<Stream>(key)?;
    if !stream.add_group(Group::new(group.0, id, options.entries_read)) {
        return Err(Error::refused("BUSYGROUP Consumer Group name already exists"));
    }
    stream.changed(Event::XGroupCreate);
    Ok(Done)
}

fn xgroup_setid(
    ctx: &mut Ctx,
    key: Key,
    name: GroupName,
    id: LateId,
    options: GroupOptions<false>,
) -> Result<Done> {
    let mut stream = open_group(ctx, key, name)?;
    let id = match id.0 {
        b"$" => stream.facts().last_id,
        b"-" => StreamId::MIN,
        b"+" => StreamId::MAX,
        id => parse_id(id)?,
    };
    let group = stream.group_mut(name.0).expect("looked up just now");
    (group.last_id, group.entries_read) = (id, options.entries_read);
    stream.changed(Event::XGroupSetId);
    Ok(Done)
}

fn xgroup_destroy(ctx: &mut Ctx, key: Key, group: GroupName) -> Result<bool> {
    let mut stream = ctx.write::<Stream>(key)?.ok_or(KEY_REQUIRED)?;
    let removed = stream.remove_group(group.0);
    if removed {
        stream.changed(Event::XGroupDestroy);
    }
    Ok(removed)
}

fn xgroup_createconsumer(ctx: &mut Ctx, key: Key, name: GroupName, consumer: ConsumerName) -> Result<bool> {
    let now_ms = ctx.now_ms();
    let mut stream = open_group(ctx, key, name)?;
    let group = stream.group_mut(name.0).expect("looked up just now");
    let (_, is_new) = group.consumer_or_create(consumer.0, now_ms);
    if is_new {
        stream.changed(Event::XGroupCreateConsumer);
    }
    Ok(is_new)
}

fn xgroup_delconsumer(ctx: &mut Ctx, key: Key, name: GroupName, consumer: ConsumerName) -> Result<usize> {
    let mut stream = open_group(ctx, key, name)?;
    let group = stream.group_mut(name.0).expect("looked up just now");
    let pending = group.delete_consumer(consumer.0);
    if pending.is_some() {
        stream.changed(Event::XGroupDelConsumer);
    }
    Ok(pending.unwrap_or(0))
}

fn xgroup_help(_: &mut Ctx) -> Result<HelpLines> {
    Ok(help("XGROUP", COMMANDS))
}

/// Opens a stream that has a group of a name.
fn open_group<'c>(ctx: &'c mut Ctx, key: Key, group: GroupName) -> Result<Writing<'c, Stream>> {
    let stream = ctx.write::<Stream>(key)?.ok_or(KEY_REQUIRED)?;
    if stream.group(group.0).is_some() { Ok(stream) } else { Err(no_such_group(key, group)) }
}

/// What is said of a group that a stream does not have.
pub(super) fn no_such_group(key: Key, group: GroupName) -> Error {
    Error::quoting_all(&[b"NOGROUP No such consumer group '", group.0, b"' for key name '", key.0, b"'"])
}

/// What is said when there is no stream or no group of a name in it.
pub(super) fn no_key_or_group(key: Key, group: GroupName) -> Error {
    Error::quoting_all(&[b"NOGROUP No such key '", key.0, b"' or consumer group '", group.0, b"'"])
}

// Acknowledging ───────────────────────────────────────────────────────────────────────────────────────────────────────

fn xack<'a>(ctx: &mut Ctx, key: Key, name: GroupName, ids: Rest<'a, LateId<'a>>) -> Result<usize> {
    let Some(mut stream) = ctx.write::<Stream>(key)? else { return Ok(0) };
    let Some(group) = stream.group_mut(name.0) else { return Ok(0) };
    // All of them are read before the first is acknowledged.
    ids.iter().try_for_each(|id| parse_id(id.0).map(drop))?;
    let acknowledged = ids.iter().filter(|id| parse_id(id.0).is_ok_and(|id| group.acknowledge(id))).count();
    if acknowledged > 0 {
        stream.changed_quietly();
        if stream.is_logged() {
            stream.log_as(&[&[&b"XACK"[..], key.0, name.0], ids.words()].concat());
        }
    }
    Ok(acknowledged)
}

fn xackdel(
    ctx: &mut Ctx,
    key: Key,
    name: GroupName,
    request: DeleteRequest,
) -> Result<Array<impl ExactSizeIterator<Item = i64> + use<>>> {
    let mut outcomes = Vec::from_iter(request.ids.iter().map(|_| NOT_THERE));
    let Some(mut stream) = ctx.write::<Stream>(key)? else { return Ok(Array(outcomes.into_iter())) };
    for (&id, outcome) in request.ids.iter().zip(&mut outcomes) {
        if stream.group_mut(name.0).is_some_and(|group| group.acknowledge(id)) {
            *outcome = acknowledged_and_deleted(&mut stream, id, request.references);
        }
    }
    if outcomes.contains(&DELETED) {
        stream.changed(Event::XDel);
    } else if outcomes.contains(&STILL_NEEDED) {
        log_acknowledged(&mut stream, key, name, &request.ids);
    }
    Ok(Array(outcomes.into_iter()))
}

/// An entry that is gone already counts as deleted.
fn acknowledged_and_deleted(stream: &mut Stream, id: StreamId, references: References) -> i64 {
    match delete_with(stream, id, references) {
        NOT_THERE => DELETED,
        outcome => outcome,
    }
}

fn log_acknowledged(stream: &mut Writing<Stream>, key: Key, group: GroupName, ids: &[StreamId]) {
    let ids: Vec<Vec<u8>> = ids.iter().map(|id| id.text(&mut IdDigits::default()).to_vec()).collect();
    let words = [&b"XACK"[..], key.0, group.0].into_iter().chain(ids.iter().map(Vec::as_slice));
    stream.changed_quietly();
    stream.log_as(&words.collect::<Vec<_>>());
}

// XPENDING ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// `[[IDLE min-idle-time] start end count]`
struct PendingRange<'a>(Option<Wanted<'a>>);

struct Wanted<'a> {
    min_idle: i64,
    start: StreamId,
    end: StreamId,
    count: usize,
    /// The consumer whose entries are asked for, if it is one's.
    consumer: Option<&'a [u8]>,
}

impl<'a> Arg<'a> for PendingRange<'a> {
    const SHAPE: Shape = Shape::Maybe(&Shape::Group(&[
        Shape::Maybe(&Shape::Group(&[Shape::Token("IDLE"), Shape::Word("min-idle-time", Kind::Integer)])),
        Shape::Word("start", Kind::Text),
        Shape::Word("end", Kind::Text),
        Shape::Word("count", Kind::Integer),
        Shape::Maybe(&ConsumerName::SHAPE),
    ]));
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        match words.len() {
            0 => return Ok(PendingRange(None)),
            3..=6 => {}
            _ => return Err(Error::Syntax),
        }
        let mut min_idle = 0;
        if words.take("IDLE") {
            min_idle = i64::parse(words)?;
        }
        if words.len() < 3 {
            return Err(Error::Syntax);
        }
        let (start, end) = (words.next()?, words.next()?);
        let count = usize::try_from(i64::parse(words)?.max(0)).unwrap_or(usize::MAX);
        let (start, end) = (parse_start(start)?, parse_end(end)?);
        // Redis passes over a word behind the consumer.
        let consumer = words.split_off(0).first().copied();
        Ok(PendingRange(Some(Wanted { min_idle, start, end, count, consumer })))
    }
}

fn xpending<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key<'a>,
    name: GroupName<'a>,
    range: PendingRange<'a>,
) -> Result<Written<Pending, impl FnOnce(&mut Writer) + use<'a, 'c>>> {
    let now_ms = ctx.now_ms();
    let group = ctx.read::<Stream>(key)?.and_then(|stream| stream.group(name.0));
    let group = group.ok_or_else(|| no_key_or_group(key, name))?;
    Ok(Written::new(move |out| match range.0 {
        None => write_summary(out, group),
        Some(wanted) => write_pending(out, group, wanted, now_ms),
    }))
}

fn write_summary(out: &mut Writer, group: &Group) {
    let pending = group.pending();
    out.array(4);
    out.integer(pending.len() as i64);
    let (Some((first, _)), Some((last, _))) = (pending.first(), pending.last()) else {
        out.null();
        out.null();
        return out.null_array();
    };
    write_id(out, first);
    write_id(out, last);
    let busy = || group.consumers().map(|(_, consumer)| consumer).filter(|it| !it.pending().is_empty());
    out.array(busy().count());
    for consumer in busy() {
        out.array(2);
        out.bulk(consumer.name());
        out.bulk_integer(consumer.pending().len() as i64);
    }
}

fn write_pending(out: &mut Writer, group: &Group, wanted: Wanted, now_ms: u64) {
    let owner = wanted.consumer.map(|name| group.find_consumer(name));
    let idle = |delivery: &Delivery| now_ms.wrapping_sub(delivery.at_ms) as i64;
    let write = |out: &mut Writer, id, delivery: &Delivery| {
        out.array(4);
        write_id(out, id);
        out.bulk(group.consumer(delivery.consumer).name());
        out.integer(idle(delivery).max(0));
        out.integer(delivery.count as i64);
    };
    let is_wanted = |delivery: &Delivery| wanted.min_idle == 0 || idle(delivery) >= wanted.min_idle;
    out.counted(Writer::array, |out| match owner {
        Some(None) => 0,
        Some(Some(consumer)) => {
            let ids = group.consumer(consumer).pending().iter_from(wanted.start).map(|(id, _)| id);
            let pending = ids.take_while(|id| *id <= wanted.end);
            let pending = pending.filter_map(|id| Some((id, group.pending().get(id)?)));
            let pending = pending.filter(|(_, delivery)| is_wanted(delivery)).take(wanted.count);
            pending.map(|(id, delivery)| write(out, id, delivery)).count()
        }
        None => {
            let pending = group.pending().iter_from(wanted.start).take_while(|(id, _)| *id <= wanted.end);
            let pending = pending.filter(|(_, delivery)| is_wanted(delivery)).take(wanted.count);
            pending.map(|(id, delivery)| write(out, id, delivery)).count()
        }
    });
}
