//! Reading streams in turn: what came after an ID (XREAD), and what is new to a group (XREADGROUP). Whether there is
//! something to deliver is known before anything is written, so that a client may wait and ask the same again.

use alloc::vec::Vec;

use super::{
    Command, Ctx,
    args::{Arg, Key, Kind, Millis, Shape, Words},
    blocking::Timeout,
    reply::{Written, typed},
    spec::commands,
    stream::{parse_id, write_entry, write_id},
    stream_claim::{Claimed, log_claims, log_last_id},
};
use crate::{
    Error, Result,
    data::{
        number::{Digits, write_i64},
        stream::{Delivery, IdDigits, Reader, Stream, StreamId},
    },
    keyspace::{Event, Writing},
    resp::{Version, Writer},
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "stream";
    /// Returns the entries of several streams that came after an ID of each.
    "XREAD" = xread(request) since "5.0.0" [READONLY BLOCKING] O("N) where N is the number of entries returned");
    /// Returns the entries of several streams that are new to a group, or those that a consumer has not acknowledged.
    "XREADGROUP" = xreadgroup(group, request) since "5.0.0" [WRITE BLOCKING] O("N) where N is the number of entries returned");
};

typed! {
    /// Entries by stream.
    EntriesByStream = "Record<string, [string, Bytes[]][]> | null";
    /// Entries by stream; those that were deleted have no fields.
    PendingByStream = "Record<string, [string, Bytes[] | null][]> | null";
}

// The requests ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What both commands read.
struct ReadRequest<'a> {
    /// The most entries of each stream; 0 for all.
    most: usize,
    keys: &'a [&'a [u8]],
    ids: &'a [&'a [u8]],
    /// For how long to wait for something to deliver, if at all.
    block: Option<Timeout>,
    /// The names of group and consumer.
    group: Option<(&'a [u8], &'a [u8])>,
    acknowledges: bool,
}

impl<'a> ReadRequest<'a> {
    const COUNT: Shape = Shape::Group(&[Shape::Token("COUNT"), Shape::Word("count", Kind::Integer)]);
    const BLOCK: Shape = Shape::Group(&[Shape::Token("BLOCK"), Shape::Word("milliseconds", Kind::Integer)]);

    fn parse(words: &mut Words<'a>, of_group: bool) -> Result<Self> {
        let mut this =
            ReadRequest { most: 0, keys: &[], ids: &[], block: None, group: None, acknowledges: false };
        while !words.take_with("STREAMS", 1) {
            if words.take_with("COUNT", 1) {
                this.most = usize::try_from(i64::parse(words)?.max(0)).unwrap_or(usize::MAX);
            } else if words.take_with("BLOCK", 1) {
                this.block = Some(Millis::parse(words)?.into());
            } else if words.take_with("GROUP", 2) {
                this.group = Some((words.next()?, words.next()?));
                check_of_group(of_group, GROUP_OF_XREAD)?;
            } else if words.take("NOACK") {
                this.acknowledges = true;
                check_of_group(of_group, NOACK_OF_XREAD)?;
            } else {
                return Err(Error::Syntax);
            }
        }
        let both = words.split_off(0);
        if !both.len().is_multiple_of(2) {
            return Err(if of_group { UNBALANCED_XREADGROUP } else { UNBALANCED_XREAD });
        }
        (this.keys, this.ids) = both.split_at(both.len() / 2);
        Ok(this)
    }

    fn streams(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.keys.iter().copied().zip(self.ids.iter().copied())
    }

    fn most(&self) -> usize {
        if self.most == 0 { usize::MAX } else { self.most }
    }

    fn keys(&self) -> impl Iterator<Item = Key<'a>> + use<'a> {
        self.keys.iter().map(|&key| Key(key))
    }

    /// The words that ask for the same from exact IDs: `$` and `+` will mean others later.
    fn again_from(&self, starts: &[StreamId]) -> Vec<Vec<u8>> {
        let mut words: Vec<Vec<u8>> = [&b"XREAD"[..], b"BLOCK", b"0"].map(<[u8]>::to_vec).into();
        if self.most > 0 {
            words.extend([b"COUNT".to_vec(), write_i64(self.most as i64, &mut Digits::new()).to_vec()]);
        }
        words.push(b"STREAMS".to_vec());
        words.extend(self.keys.iter().map(|key| key.to_vec()));
        words.extend(starts.iter().map(|&id| id.text(&mut IdDigits::default()).to_vec()));
        words
    }
}

fn check_of_group(of_group: bool, error: Error) -> Result<()> {
    if of_group { Ok(()) } else { Err(error) }
}

const GROUP_OF_XREAD: Error =
    Error::refused("ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
const NOACK_OF_XREAD: Error =
    Error::refused("ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
const UNBALANCED_XREAD: Error = Error::refused(
    "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified.",
);
const UNBALANCED_XREADGROUP: Error = Error::refused(
    "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.",
);

/// `[COUNT count] [BLOCK milliseconds] STREAMS key [key …] id [id …]`
struct PlainRequest<'a>(ReadRequest<'a>);

impl<'a> Arg<'a> for PlainRequest<'a> {
    const SHAPE: Shape =
        Shape::Group(&[Shape::Options(&[ReadRequest::COUNT, ReadRequest::BLOCK]), Shape::Streams]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        ReadRequest::parse(words, false).map(PlainRequest)
    }
}

/// `GROUP group consumer`. It may stand among the other options, so it reads all of the request.
struct GroupRequest<'a>(ReadRequest<'a>);

impl<'a> Arg<'a> for GroupRequest<'a> {
    const SHAPE: Shape = Shape::Group(&[
        Shape::Token("GROUP"),
        Shape::Word("group", Kind::Text),
        Shape::Word("consumer", Kind::Text),
    ]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        ReadRequest::parse(words, true).map(GroupRequest)
    }
}

/// `[COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key …] id [id …]`, which [`GroupRequest`] has read.
struct RestOfRequest;

impl Arg<'_> for RestOfRequest {
    const SHAPE: Shape = Shape::Group(&[
        Shape::Options(&[ReadRequest::COUNT, ReadRequest::BLOCK, Shape::Token("NOACK")]),
        Shape::Streams,
    ]);
    fn parse(_: &mut Words<'_>) -> Result<Self> {
        Ok(RestOfRequest)
    }
}

// XREAD ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

fn xread<'a, 'c>(
    ctx: &'c mut Ctx,
    request: PlainRequest<'a>,
) -> Result<Written<EntriesByStream, impl FnOnce(&mut Writer) + use<'a, 'c>>> {
    let PlainRequest(request) = request;
    let deadline = request.block.map(|block| block.deadline(ctx.now_ms())).transpose()?;
    let mut wanted = Vec::with_capacity(request.keys.len());
    let mut starts = Vec::with_capacity(request.keys.len());
    for (key, id) in request.streams() {
        let found = ctx.look_up(Key(key));
        let stream =
            found.map(|found| ctx.database().get::<Stream>(found).ok_or(Error::WrongType)).transpose()?;
        let after = start_of(id, stream)?;
        starts.push(after);
        let news = stream.and_then(|stream| stream.last_entry_id()).is_some_and(|last| last > after);
        if let (Some(found), Some(from), true) = (found, after.next(), news) {
            wanted.push((key, found, from));
        }
    }
    if let (Some(deadline), true) = (deadline, wanted.is_empty()) {
        ctx.wait_for::<Stream>(request.keys(), deadline).words = Some(request.again_from(&starts));
    }
    let database = ctx.database();
    Ok(Written::new(move |out| {
        if wanted.is_empty() {
            return out.null_array();
        }
        by_stream_head(out, wanted.len());
        for (key, found, from) in wanted {
            stream_head(out, key);
            let stream = database.get::<Stream>(found).expect("a stream as just now");
            let entries = stream.range(from, StreamId::MAX).take(request.most());
            out.counted(Writer::array, |out| entries.map(|entry| write_entry(out, entry)).count());
        }
    }))
}

/// The ID that XREAD reads on from.
fn start_of(id: &[u8], stream: Option<&Stream>) -> Result<StreamId> {
    match id {
        b"$" => Ok(stream.map_or(StreamId::MIN, |stream| stream.facts().last_id)),
        b"+" => {
            let last = stream.and_then(Stream::last_entry_id).and_then(StreamId::previous);
            Ok(last.unwrap_or(StreamId::MIN))
        }
        b">" => Err(Error::refused(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        )),
        id => parse_id(id),
    }
}

fn by_stream_head(out: &mut Writer, len: usize) {
    match out.version() {
        Version::V2 => out.array(len),
        Version::V3 => out.map(len),
    }
}

fn stream_head(out: &mut Writer, key: &[u8]) {
    if out.version() == Version::V2 {
        out.array(2);
    }
    out.bulk(key);
}

// XREADGROUP ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What a consumer reads of a stream.
#[derive(Clone, Copy, PartialEq)]
enum From {
    /// What is new to the group.
    News,
    /// What it has not acknowledged after an ID.
    History(StreamId),
}

/// The words of a request that effects repeat.
#[derive(Clone, Copy)]
struct Asked<'a> {
    key: &'a [u8],
    group: &'a [u8],
    consumer: &'a [u8],
}

fn xreadgroup<'a, 'c>(
    ctx: &'c mut Ctx,
    group: GroupRequest<'a>,
    _: RestOfRequest,
) -> Result<Written<PendingByStream, impl FnOnce(&mut Writer) + use<'a, 'c>>> {
    let GroupRequest(request) = group;
    let (group, consumer) = request.group.ok_or(Error::refused("ERR Missing GROUP option for XREADGROUP"))?;
    let deadline = request.block.map(|block| block.deadline(ctx.now_ms())).transpose()?;
    let mut wanted = Vec::with_capacity(request.keys.len());
    for (key, id) in request.streams() {
        wanted.push((Asked { key, group, consumer }, check(ctx, key, group, id)?));
    }
    let mut served = Vec::with_capacity(wanted.len());
    for (asked, from) in wanted {
        if meet(ctx, asked, from, request.acknowledges)? {
            served.push((asked, from));
        }
    }
    if let (Some(deadline), true) = (deadline, served.is_empty()) {
        // The group may be destroyed while the client waits, and then it is told so.
        ctx.wait_for::<Stream>(request.keys(), deadline).needs_keys = true;
    }
    Ok(Written::new(move |out| {
        if served.is_empty() {
            return out.null_array();
        }
        by_stream_head(out, served.len());
        for (asked, from) in served {
            stream_head(out, asked.key);
            deliver(ctx, asked, from, &request, out);
        }
    }))
}

/// What is asked of a stream, if it and the group exist.
fn check(ctx: &mut Ctx, key: &[u8], group: &[u8], id: &[u8]) -> Result<From> {
    let exists = ctx.read::<Stream>(Key(key))?.is_some_and(|stream| stream.group(group).is_some());
    if !exists {
        let after = b"' in XREADGROUP with GROUP option";
        return Err(Error::quoting_all(&[
            b"NOGROUP No such key '",
            key,
            b"' or consumer group '",
            group,
            after,
        ]));
    }
    match id {
        b">" => Ok(From::News),
        b"$" => Err(Error::refused(
            "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by \
             specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
        )),
        id => Ok(match parse_id(id)? {
            // To Redis, this is how `>` is written down.
            StreamId::MAX => From::News,
            id => From::History(id),
        }),
    }
}

/// Notes that a consumer asks. Answers whether there is something to deliver; history is delivered even if it is empty.
fn meet(ctx: &mut Ctx, asked: Asked, from: From, acknowledges: bool) -> Result<bool> {
    let now_ms = ctx.now_ms();
    let Some(mut stream) = ctx.write::<Stream>(Key(asked.key))? else { return Ok(false) };
    let Some(group) = stream.group_mut(asked.group) else { return Ok(false) };
    let (consumer, is_new) = group.consumer_or_create(asked.consumer, now_ms);
    group.consumer_mut(consumer).seen_ms = now_ms;
    let has_news = stream.group(asked.group).is_some_and(|group| stream.has_news_for(group));
    if is_new {
        stream.changed(Event::XGroupCreateConsumer);
        stream.log_nothing();
        // The delivery that follows would create the consumer elsewhere.
        if acknowledges || from != From::News || !has_news {
            stream.log_as(&[b"XGROUP", b"CREATECONSUMER", asked.key, asked.group, asked.consumer]);
        }
    }
    Ok(from != From::News || has_news)
}

fn deliver(ctx: &mut Ctx, asked: Asked, from: From, request: &ReadRequest, out: &mut Writer) {
    let now_ms = ctx.now_ms();
    let Ok(Some(mut stream)) = ctx.write::<Stream>(Key(asked.key)) else { return out.array(0) };
    let Some(group) = stream.group(asked.group) else { return out.array(0) };
    let Some(consumer) = group.find_consumer(asked.consumer) else { return out.array(0) };
    let reader = Reader { group: asked.group, consumer, now_ms, acknowledges: request.acknowledges };
    match from {
        From::News => deliver_news(&mut stream, asked, reader, request.most(), out),
        From::History(after) => deliver_history(&mut stream, asked, reader, after, request.most(), out),
    }
}

fn deliver_news(stream: &mut Writing<Stream>, asked: Asked, reader: Reader, most: usize, out: &mut Writer) {
    let (mut claims, logs) = (Vec::new(), stream.is_logged());
    let mut count = 0;
    out.counted(Writer::array, |out| {
        count = stream.deliver(reader, most, |entry| {
            if logs && !reader.acknowledges {
                let delivery = Delivery { consumer: reader.consumer, at_ms: reader.now_ms, count: 1 };
                claims.push(Claimed::new(entry.id, asked.consumer, delivery));
            }
            write_entry(out, entry);
        });
        count
    });
    if count > 0 {
        log_claims(stream, asked.key, asked.group, &claims);
        log_last_id(stream, asked.key, asked.group);
    }
}

/// Delivers again what is pending. An entry that was deleted in the meantime is answered without fields.
fn deliver_history(
    stream: &mut Writing<Stream>,
    asked: Asked,
    reader: Reader,
    after: StreamId,
    most: usize,
    out: &mut Writer,
) {
    let group = stream.group(asked.group).expect("looked up just now");
    let pending = group.consumer(reader.consumer).pending();
    let from = after.next().unwrap_or(StreamId::MAX);
    let ids: Vec<StreamId> = pending.iter_from(from).map(|(id, _)| id).take(most).collect();
    let mut claims = Vec::new();
    out.array(ids.len());
    for id in ids {
        let Some(entry) = stream.get(id) else {
            out.array(2);
            write_id(out, id);
            out.null_array();
            continue;
        };
        write_entry(out, entry);
        let group = stream.group_mut(asked.group).expect("looked up just now");
        let before = group.pending().get(id).map_or(0, |delivery| delivery.count);
        let delivery =
            Delivery { consumer: reader.consumer, at_ms: reader.now_ms, count: before.wrapping_add(1) };
        group.deliver(id, delivery);
        claims.push(Claimed::new(id, asked.consumer, delivery));
    }
    log_claims(stream, asked.key, asked.group, &claims);
}
