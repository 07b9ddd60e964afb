//! Commands on the consumer groups of streams: making them, acknowledging, and handing over what is pending. Reading as a
//! consumer is in `stream_read.rs`.

use alloc::{format, vec::Vec};

use super::{
    Command, Ctx,
    args::{Arg, Key, Kind, Rest, Shape, Words},
    help::{HelpLines, help},
    reply::{Array, Done, Written, typed},
    spec::commands,
    stream::{
        DELETED, DeleteRequest, NOT_THERE, STILL_NEEDED, delete_with, parse_end, parse_id, parse_start,
        write_entry, write_id,
    },
};
use crate::{
    Error, Result,
    data::{
        number::{Digits, parse_i64, write_i64},
        stream::{ConsumerIndex, Delivery, Group, IdDigits, References, Stream, StreamId},
    },
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
    /// Hands pending entries over to a consumer.
    "XCLAIM" = xclaim(key, group, consumer, request) since "5.0.0" [WRITE FAST] O("log N) where N is the number of pending entries");
    /// Hands entries over to a consumer that have been pending for long.
    "XAUTOCLAIM" = xautoclaim(key, group, consumer, request) since "6.2.0" [WRITE FAST] O("1) if COUNT is small");
};

typed! {
    /// A summary, or entries with consumer, idle time and number of deliveries.
    Pending = "[number, string | null, string | null, [Bytes, Bytes][] | null] | [string, Bytes, number, number][]";
    /// Entries, or their IDs with JUSTID.
    ClaimedEntries = "[string, Bytes[]][] | string[]";
    /// Where to go on from, entries or their IDs with JUSTID, and the IDs of those deleted in the meantime.
    AutoClaimed = "[string, [string, Bytes[]][] | string[], string[]]";
}

// XGROUP ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// The name of a group.
#[derive(Clone, Copy)]
pub(super) struct GroupName<'a>(pub(super) &'a [u8]);

/// The name of a consumer.
#[derive(Clone, Copy)]
struct ConsumerName<'a>(&'a [u8]);

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
                let name = if CREATE { "CREATE" } else { "SETID" };
                return Err(format!(
                    "ERR unknown subcommand or wrong number of arguments for '{name}'. Try XGROUP HELP."
                )
                .into());
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
    let parts = [&b"NOGROUP No such consumer group '"[..], group.0, b"' for key name '", key.0, b"'"];
    Error::Quoting(parts.concat())
}

/// What is said when there is no stream or no group of a name in it.
fn no_key_or_group(key: Key, group: GroupName) -> Error {
    let parts = [&b"NOGROUP No such key '"[..], key.0, b"' or consumer group '", group.0, b"'"];
    Error::Quoting(parts.concat())
}

// Acknowledging ───────────────────────────────────────────────────────────────────────────────────────────────────────

fn xack<'a>(ctx: &mut Ctx, key: Key, name: GroupName, ids: Rest<'a, LateId<'a>>) -> Result<usize> {
    let Some(mut stream) = ctx.write::<Stream>(key)? else { return Ok(0) };
    let Some(group) = stream.group_mut(name.0) else { return Ok(0) };
    // All of them are read before the first is acknowledged.
    ids.iter().try_for_each(|id| parse_id(id.0).map(drop))?;
    let acknowledged = ids.iter().filter(|id| parse_id(id.0).is_ok_and(|id| group.acknowledge(id))).count();
    if acknowledged > 0 {
        match stream.is_logged() {
            true => {
                let words = [&[&b"XACK"[..], key.0, name.0], ids.words()].concat();
                stream.changed_quietly(&words);
            }
            false => stream.changed_quietly(&[]),
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
    stream.changed_quietly(&words.collect::<Vec<_>>());
}

// XPENDING ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// `[[IDLE min-idle-time] start end count [consumer]]`
struct PendingRange<'a>(Option<Wanted<'a>>);

struct Wanted<'a> {
    min_idle: i64,
    start: StreamId,
    end: StreamId,
    count: usize,
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
        let count = i64::parse(words)?.max(0) as usize;
        let (start, end) = (parse_start(start)?, parse_end(end)?);
        // Redis passes over words behind the consumer.
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

// Handing over ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// An entry that changed hands, or was found gone when it should have: what another copy of the stream has to do.
pub(super) struct Claimed<'a> {
    id: StreamId,
    consumer: &'a [u8],
    delivery: Delivery,
}

impl<'a> Claimed<'a> {
    /// An entry that now is with a consumer of this name.
    pub(super) fn new(id: StreamId, consumer: &'a [u8], delivery: Delivery) -> Self {
        Claimed { id, consumer, delivery }
    }
}

/// Logs who has what, each in a form that does the same however often it is repeated.
pub(super) fn log_claims(stream: &mut Writing<Stream>, key: &[u8], name: &[u8], claims: &[Claimed]) {
    if !stream.is_logged() {
        return;
    }
    let Some(last_id) = stream.group(name).map(|group| group.last_id) else { return };
    for claimed in claims {
        let (mut id, mut last) = (IdDigits::default(), IdDigits::default());
        let (mut time, mut count) = (Digits::new(), Digits::new());
        stream.changed_quietly(&[
            b"XCLAIM",
            key,
            name,
            claimed.consumer,
            b"0",
            claimed.id.text(&mut id),
            b"TIME",
            write_i64(claimed.delivery.at_ms as i64, &mut time),
            b"RETRYCOUNT",
            write_i64(claimed.delivery.count as i64, &mut count),
            b"FORCE",
            b"JUSTID",
            b"LASTID",
            last_id.text(&mut last),
        ]);
    }
}

/// `min-idle-time [id …] [IDLE ms] [TIME ms] [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID id]`, looked at only when the
/// group is known.
#[derive(Clone, Copy)]
struct ClaimWords<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for ClaimWords<'a> {
    const SHAPE: Shape = Shape::Group(&[
        Shape::Word("min-idle-time", Kind::Integer),
        Shape::Many(&[Shape::Word("id", Kind::Text)]),
        Shape::Options(&[
            Shape::Group(&[Shape::Token("IDLE"), Shape::Word("milliseconds", Kind::Integer)]),
            Shape::Group(&[Shape::Token("TIME"), Shape::Word("unix-time-milliseconds", Kind::UnixTime)]),
            Shape::Group(&[Shape::Token("RETRYCOUNT"), Shape::Word("count", Kind::Integer)]),
            Shape::Token("FORCE"),
            Shape::Token("JUSTID"),
            Shape::Group(&[Shape::Token("LASTID"), Shape::Word("id", Kind::Text)]),
        ]),
    ]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        Ok(ClaimWords(words.split_off(0)))
    }
}

#[derive(Default)]
struct ClaimRequest {
    min_idle: i64,
    ids: Vec<StreamId>,
    at_ms: Option<i64>,
    retry_count: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: Option<StreamId>,
}

impl ClaimRequest {
    fn parse(words: ClaimWords, now_ms: u64) -> Result<Self> {
        let mut words = Words::new(words.0);
        let min_idle = integer(words.next()?, "ERR Invalid min-idle-time argument for XCLAIM")?.max(0);
        let mut this = ClaimRequest { min_idle, ..ClaimRequest::default() };
        while let Some(id) = words.peek().and_then(|word| parse_id(word).ok()) {
            this.ids.push(id);
            words.next()?;
        }
        while !words.is_empty() {
            if words.take("FORCE") {
                this.force = true;
            } else if words.take("JUSTID") {
                this.just_id = true;
            } else if words.take_with("IDLE", 1) {
                let idle = integer(words.next()?, "ERR Invalid IDLE option argument for XCLAIM")?;
                this.at_ms = Some((now_ms as i64).wrapping_sub(idle));
            } else if words.take_with("TIME", 1) {
                this.at_ms = Some(integer(words.next()?, "ERR Invalid TIME option argument for XCLAIM")?);
            } else if words.take_with("RETRYCOUNT", 1) {
                let count = integer(words.next()?, "ERR Invalid RETRYCOUNT option argument for XCLAIM")?;
                this.retry_count = u64::try_from(count).ok();
            } else if words.take_with("LASTID", 1) {
                this.last_id = Some(parse_id(words.next()?)?);
            } else {
                return Err(Error::quoting("ERR Unrecognized XCLAIM option '", words.next()?, "'"));
            }
        }
        Ok(this)
    }

    /// When the entries count as delivered. A time to come counts as now, but for a copy of another store, which says
    /// LASTID and whose clock may be ahead.
    fn delivered_ms(&self, now_ms: u64) -> u64 {
        let at = self.at_ms.and_then(|at| u64::try_from(at).ok());
        at.filter(|&at| at <= now_ms || self.last_id.is_some()).unwrap_or(now_ms)
    }
}

fn integer(word: &[u8], error: &'static str) -> Result<i64> {
    parse_i64(word).ok_or(Error::refused(error))
}

fn xclaim<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key<'a>,
    name: GroupName<'a>,
    consumer: ConsumerName<'a>,
    request: ClaimWords<'a>,
) -> Result<Written<ClaimedEntries, impl FnOnce(&mut Writer) + use<'a, 'c>>> {
    let now_ms = ctx.now_ms();
    let stream = ctx.write::<Stream>(key)?.filter(|stream| stream.group(name.0).is_some());
    let mut stream = stream.ok_or_else(|| no_key_or_group(key, name))?;
    let request = ClaimRequest::parse(request, now_ms)?;
    let mut handover = Handover::begin(&mut stream, key, name, consumer, now_ms);
    handover.raise_last_id(&mut stream, request.last_id);
    let at_ms = request.delivered_ms(now_ms);
    for &id in &request.ids {
        handover.claim(&mut stream, id, &request, at_ms);
    }
    let claimed = handover.end(&mut stream);
    Ok(Written::new(move |out| write_claimed(out, &stream, &claimed, request.just_id)))
}

fn write_claimed(out: &mut Writer, stream: &Stream, ids: &[StreamId], just_id: bool) {
    out.array(ids.len());
    for &id in ids {
        match stream.get(id) {
            Some(entry) if !just_id => write_entry(out, entry),
            _ => write_id(out, id),
        }
    }
}

/// Entries of a group on their way to one of its consumers.
struct Handover<'a> {
    key: &'a [u8],
    group: &'a [u8],
    name: &'a [u8],
    consumer: ConsumerIndex,
    is_new: bool,
    now_ms: u64,
    claimed: Vec<StreamId>,
    /// Entries that were pending and are gone from the stream, with who had them.
    gone: Vec<(StreamId, Vec<u8>, Delivery)>,
    raised: bool,
}

impl<'a> Handover<'a> {
    fn begin(
        stream: &mut Writing<Stream>,
        key: Key<'a>,
        group: GroupName<'a>,
        consumer: ConsumerName<'a>,
        now_ms: u64,
    ) -> Self {
        let (key, group, name) = (key.0, group.0, consumer.0);
        let own = stream.group_mut(group).expect("looked up just now");
        let (consumer, is_new) = own.consumer_or_create(name, now_ms);
        own.consumer_mut(consumer).seen_ms = now_ms;
        if is_new {
            stream.changed(Event::XGroupCreateConsumer);
        }
        stream.log_nothing();
        let (claimed, gone) = (Vec::new(), Vec::new());
        Handover { key, group, name, consumer, is_new, now_ms, claimed, gone, raised: false }
    }

    fn raise_last_id(&mut self, stream: &mut Stream, last_id: Option<StreamId>) {
        let group = stream.group_mut(self.group).expect("looked up just now");
        if let Some(last_id) = last_id.filter(|&id| id > group.last_id) {
            group.last_id = last_id;
            self.raised = true;
        }
    }

    fn claim(&mut self, stream: &mut Stream, id: StreamId, request: &ClaimRequest, at_ms: u64) {
        if self.forget_if_gone(stream, id) {
            return;
        }
        let group = stream.group_mut(self.group).expect("looked up just now");
        let count = match group.pending().get(id) {
            Some(before) if self.is_recent(before, request.min_idle) => return,
            Some(before) => before.count,
            // What is forced counts as delivered once before.
            None if request.force => 1,
            None => return,
        };
        let count = request.retry_count.unwrap_or(count.wrapping_add(!request.just_id as u64));
        self.give(stream, id, at_ms, count);
    }

    fn give(&mut self, stream: &mut Stream, id: StreamId, at_ms: u64, count: u64) {
        let group = stream.group_mut(self.group).expect("looked up just now");
        group.deliver(id, Delivery { consumer: self.consumer, at_ms, count });
        group.consumer_mut(self.consumer).active_ms = Some(self.now_ms);
        self.claimed.push(id);
    }

    /// Whether an entry is gone from the stream. Then nobody needs to have it.
    fn forget_if_gone(&mut self, stream: &mut Stream, id: StreamId) -> bool {
        if stream.get(id).is_some() {
            return false;
        }
        let group = stream.group_mut(self.group).expect("looked up just now");
        if let Some(&delivery) = group.pending().get(id) {
            self.gone.push((id, group.consumer(delivery.consumer).name().into(), delivery));
            group.acknowledge(id);
        }
        true
    }

    fn is_recent(&self, delivery: &Delivery, min_idle: i64) -> bool {
        min_idle > 0 && (self.now_ms.wrapping_sub(delivery.at_ms) as i64) < min_idle
    }

    /// Logs what was done; the IDs of the entries that changed hands.
    fn end(self, stream: &mut Writing<Stream>) -> Vec<StreamId> {
        if self.is_new && self.claimed.is_empty() {
            stream.changed_quietly(&[b"XGROUP", b"CREATECONSUMER", self.key, self.group, self.name]);
        }
        let group = stream.group(self.group).expect("looked up just now");
        // One that was claimed twice is logged twice as it is in the end.
        let pending = |id: &StreamId| Some(Claimed::new(*id, self.name, *group.pending().get(*id)?));
        let mut claims: Vec<Claimed> = self.claimed.iter().filter_map(pending).collect();
        claims.extend(self.gone.iter().map(|(id, owner, delivery)| Claimed::new(*id, owner, *delivery)));
        if self.raised {
            log_last_id(stream, self.key, self.group);
        }
        log_claims(stream, self.key, self.group, &claims);
        self.claimed
    }
}

/// Logs how far a group has read.
pub(super) fn log_last_id(stream: &mut Writing<Stream>, key: &[u8], name: &[u8]) {
    let Some(group) = stream.group(name) else { return };
    let (last_id, read) = (group.last_id, group.entries_read.map_or(-1, |read| read as i64));
    let (mut id, mut digits) = (IdDigits::default(), Digits::new());
    let (last_id, read) = (last_id.text(&mut id), write_i64(read, &mut digits));
    stream.changed_quietly(&[b"XGROUP", b"SETID", key, name, last_id, b"ENTRIESREAD", read]);
}

// XAUTOCLAIM ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// `min-idle-time start [COUNT count] [JUSTID]`
struct AutoClaimRequest {
    min_idle: i64,
    start: StreamId,
    count: usize,
    just_id: bool,
}

impl AutoClaimRequest {
    /// For each entry to be claimed, so many are looked at.
    const ATTEMPTS: usize = 10;
    const MAX_COUNT: i64 = i64::MAX / 16;
}

impl Arg<'_> for AutoClaimRequest {
    const SHAPE: Shape = Shape::Group(&[
        Shape::Word("min-idle-time", Kind::Integer),
        Shape::Word("start", Kind::Text),
        Shape::Options(&[
            Shape::Group(&[Shape::Token("COUNT"), Shape::Word("count", Kind::Integer)]),
            Shape::Token("JUSTID"),
        ]),
    ]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        const COUNT: Error = Error::refused("ERR COUNT must be > 0");
        let min_idle = integer(words.next()?, "ERR Invalid min-idle-time argument for XAUTOCLAIM")?.max(0);
        let start = parse_start(words.next()?)?;
        let mut this = AutoClaimRequest { min_idle, start, count: 100, just_id: false };
        while !words.is_empty() {
            if words.take_with("COUNT", 1) {
                let count =
                    parse_i64(words.next()?).filter(|n| (1..=AutoClaimRequest::MAX_COUNT).contains(n));
                this.count = count.ok_or(COUNT)? as usize;
            } else if words.take("JUSTID") {
                this.just_id = true;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(this)
    }
}

fn xautoclaim<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key<'a>,
    name: GroupName<'a>,
    consumer: ConsumerName<'a>,
    request: AutoClaimRequest,
) -> Result<Written<AutoClaimed, impl FnOnce(&mut Writer) + use<'a, 'c>>> {
    let now_ms = ctx.now_ms();
    let stream = ctx.write::<Stream>(key)?.filter(|stream| stream.group(name.0).is_some());
    let mut stream = stream.ok_or_else(|| no_key_or_group(key, name))?;
    let mut handover = Handover::begin(&mut stream, key, name, consumer, now_ms);
    let next = claim_idle(&mut stream, &mut handover, &request);
    let gone: Vec<StreamId> = handover.gone.iter().map(|(id, ..)| *id).collect();
    let claimed = handover.end(&mut stream);
    Ok(Written::new(move |out| {
        out.array(3);
        write_id(out, next);
        write_claimed(out, &stream, &claimed, request.just_id);
        out.array(gone.len());
        gone.into_iter().for_each(|id| write_id(out, id));
    }))
}

/// Claims what has been idle for long enough. Answers the ID to go on from, `0-0` when all was looked at.
fn claim_idle(stream: &mut Stream, handover: &mut Handover, request: &AutoClaimRequest) -> StreamId {
    let name = handover.group;
    let pending_from = |stream: &Stream, from: StreamId| {
        let pending = stream.group(name)?.pending().iter_from(from).next();
        pending.map(|(id, delivery)| (id, *delivery))
    };
    let mut next = pending_from(stream, request.start);
    for _ in 0..request.count.saturating_mul(AutoClaimRequest::ATTEMPTS) {
        let Some((id, delivery)) = next else { break };
        if handover.claimed.len() + handover.gone.len() == request.count {
            break;
        }
        if !handover.forget_if_gone(stream, id) && !handover.is_recent(&delivery, request.min_idle) {
            let count = delivery.count.wrapping_add(!request.just_id as u64);
            handover.give(stream, id, handover.now_ms, count);
        }
        next = id.next().and_then(|from| pending_from(stream, from));
    }
    next.map_or(StreamId::MIN, |(id, _)| id)
}
