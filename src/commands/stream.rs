//! Commands on streams.

use alloc::{format, vec::Vec};

use super::{
    Command, Ctx,
    args::{Arg, Key, Kind, Rest, Shape, Text, Words, options},
    blocking::Timeout,
    reply::{Written, typed},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        number::{Digits, parse_i64, write_i64},
        stream::{BoundError, IdError, Keep, NewId, Precision, Stream, StreamEntry, StreamId},
    },
    keyspace::{Event, Writing},
    resp::{Version, Writer},
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "stream";
    /// Appends an entry to a stream, creating it when missing; returns the entry's ID.
    "XADD" = xadd(key, options, id, fields) since "5.0.0" [WRITE DENYOOM FAST] O("1) when adding, O(N) when trimming where N is the number of entries evicted");
    /// Returns the number of entries.
    "XLEN" = xlen(key) since "5.0.0" [READONLY FAST] O("1");
    /// Returns the entries between two IDs.
    "XRANGE" = xrange(key, start, end, options) since "5.0.0" [READONLY] O("N) where N is the number of entries returned");
    /// Returns the entries between two IDs from the last on.
    "XREVRANGE" = xrevrange(key, end, start, options) since "5.0.0" [READONLY] O("N) where N is the number of entries returned");
    /// Deletes entries; returns how many there were.
    "XDEL" = xdel(key, ids) since "5.0.0" [WRITE FAST] O("1) for each entry");
    /// Removes the oldest entries down to a length or an ID; returns how many.
    "XTRIM" = xtrim(key, trimming) since "5.0.0" [WRITE] O("N) where N is the number of entries removed");
    /// Returns the entries of several streams that came after an ID of each.
    "XREAD" = xread(request) since "5.0.0" [READONLY BLOCKING] O("N) where N is the number of entries returned");
};

typed! {
    /// An ID, or null with NOMKSTREAM.
    Added = "string | null";
    /// Entries: an ID, and its fields each followed by its value.
    Entries = "[string, Bytes[]][] | null";
    /// Entries by stream.
    EntriesByStream = "Record<string, [string, Bytes[]][]> | null";
}

const INVALID_ID: Error = Error::refused("ERR Invalid stream ID specified as stream command argument");

// Adding and trimming ─────────────────────────────────────────────────────────────────────────────────────────────────

/// `MAXLEN | MINID [= | ~] threshold [LIMIT count]`
#[derive(Clone, Copy, Default)]
struct Trimming {
    keep: Option<Keep>,
    approximate: bool,
    limit: Option<u64>,
}

impl Trimming {
    const EXACTNESS: Shape = Shape::Maybe(&Shape::OneOf(&[Shape::Token("="), Shape::Token("~")]));
    const MAXLEN: Shape =
        Shape::Group(&[Shape::Token("MAXLEN"), Trimming::EXACTNESS, Shape::Word("threshold", Kind::Integer)]);
    const MINID: Shape =
        Shape::Group(&[Shape::Token("MINID"), Trimming::EXACTNESS, Shape::Word("threshold", Kind::Text)]);
    const LIMIT: Shape = Shape::Group(&[Shape::Token("LIMIT"), Shape::Word("count", Kind::Integer)]);

    /// Reads one of its options; false when the next word is none.
    fn take(&mut self, words: &mut Words) -> Result<bool> {
        if words.take_with("MAXLEN", 1) {
            self.check_first()?;
            let most = self.threshold(words, |word| parse_i64(word).ok_or(Error::NotInteger))?;
            let most =
                u64::try_from(most).map_err(|_| Error::refused("ERR The MAXLEN argument must be >= 0."))?;
            self.keep = Some(Keep::Last(most));
        } else if words.take_with("MINID", 1) {
            self.check_first()?;
            self.keep = Some(Keep::From(self.threshold(words, parse_id)?));
        } else if words.take_with("LIMIT", 1) {
            let limit = parse_i64(words.next()?).ok_or(Error::NotInteger)?;
            let limit =
                u64::try_from(limit).map_err(|_| Error::refused("ERR The LIMIT argument must be >= 0."))?;
            self.limit = Some(limit);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn threshold<T>(&mut self, words: &mut Words, parse: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        if words.len() > 1 {
            self.approximate = words.take("~");
            if !self.approximate {
                words.take("=");
            }
        }
        parse(words.next()?)
    }

    fn check_first(&self) -> Result<()> {
        match self.keep {
            None => Ok(()),
            Some(_) => Err(Error::refused(
                "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
            )),
        }
    }

    fn check(&self) -> Result<()> {
        if self.limit.is_some() && self.keep.is_none() {
            return Err(Error::refused(
                "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
            ));
        }
        if self.limit.is_some() && !self.approximate {
            return Err(Error::refused(
                "ERR syntax error, LIMIT cannot be used without the special ~ option",
            ));
        }
        Ok(())
    }

    /// Trims; how many entries went.
    fn trim(&self, stream: &mut Stream, node_entries: usize) -> u64 {
        let Some(keep) = self.keep else { return 0 };
        // Without a limit of its own, approximate trimming looks at a hundred nodes at most.
        let usual = if node_entries == 0 { 10_000 } else { (100 * node_entries as u64).min(1_000_000) };
        let precision = match self.approximate {
            true => Precision::Nodes { most: self.limit.unwrap_or(usual) },
            false => Precision::Exact,
        };
        stream.trim(keep, precision)
    }

    /// The words that trim another copy of `stream`, which was just trimmed, to the same entries.
    fn effect(&self, stream: &Stream) -> Option<(&'static [u8], Vec<u8>)> {
        Some(match (self.keep?, stream.first()) {
            (Keep::From(id), _) if !self.approximate => (b"MINID", id_text(id)),
            (Keep::From(_), Some(first)) => (b"MINID", id_text(first.id)),
            _ => (b"MAXLEN", write_i64(stream.len() as i64, &mut Digits::new()).to_vec()),
        })
    }
}

/// What XADD takes in front of the ID.
#[derive(Clone, Copy, Default)]
struct AddOptions {
    no_make: bool,
    trimming: Trimming,
}

impl Arg<'_> for AddOptions {
    const SHAPE: Shape =
        Shape::Options(&[Shape::Token("NOMKSTREAM"), Trimming::MAXLEN, Trimming::MINID, Trimming::LIMIT]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let mut this = AddOptions::default();
        loop {
            if words.take("NOMKSTREAM") {
                this.no_make = true;
            } else if !this.trimming.take(words)? {
                return Ok(this);
            }
        }
    }
}

/// The ID of a new entry.
impl Arg<'_> for NewId {
    const SHAPE: Shape = Shape::Word("id", Kind::Text);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        NewId::parse(words.next()?).ok_or(INVALID_ID)
    }
}

/// `field value [field value …]`
#[derive(Clone, Copy)]
struct FieldValues<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for FieldValues<'a> {
    const SHAPE: Shape = Shape::Many(&[Shape::Word("field", Kind::Text), Shape::Word("value", Kind::Text)]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let all = words.split_off(0);
        if all.is_empty() || !all.len().is_multiple_of(2) { Err(Error::Arity) } else { Ok(FieldValues(all)) }
    }
}

fn xadd<'a>(
    ctx: &mut Ctx,
    key: Key,
    options: AddOptions,
    id: NewId,
    fields: FieldValues<'a>,
) -> Result<Written<Added, impl FnOnce(&mut Writer) + use<>>> {
    options.trimming.check()?;
    if id == NewId::Exact(StreamId::MIN) {
        return Err(id_error(IdError::Zero));
    }
    let mut added = None;
    if !options.no_make || ctx.find(key).is_some() {
        added = Some(add(ctx, key, options.trimming, id, fields)?);
    }
    Ok(Written::new(move |out| match added {
        Some(id) => out.bulk(&id_text(id)),
        None => out.null(),
    }))
}

fn add(ctx: &mut Ctx, key: Key, trimming: Trimming, id: NewId, fields: FieldValues) -> Result<StreamId> {
    let (now_ms, limit) = (ctx.now_ms(), ctx.limits.stream_node_limit);
    let id = match ctx.read::<Stream>(key)? {
        Some(stream) => stream.next_id(id, now_ms),
        None => Stream::default().next_id(id, now_ms),
    };
    let id = id.map_err(id_error)?;
    let mut stream = ctx.write_or_create::<Stream>(key)?;
    stream.append(id, fields.0.chunks_exact(2).map(|pair| (pair[0], pair[1])), limit);
    stream.changed(Event::XAdd);
    if trimming.trim(&mut stream, limit.entries) > 0 {
        stream.changed(Event::XTrim);
    }
    log_add(&mut stream, key, trimming, id, fields);
    Ok(id)
}

/// The entry replays under the ID it got, and approximate trimming as the exact one it came to.
fn log_add(stream: &mut Writing<Stream>, key: Key, trimming: Trimming, id: StreamId, fields: FieldValues) {
    let (effect, id) = (trimming.effect(stream), id_text(id));
    let mut words: Vec<&[u8]> = Vec::with_capacity(6 + fields.0.len());
    words.extend([&b"XADD"[..], key.0]);
    if let Some((token, threshold)) = &effect {
        words.extend([token, &b"="[..], threshold]);
    }
    words.push(&id);
    words.extend(fields.0);
    stream.log_as(&words);
}

impl Arg<'_> for Trimming {
    const SHAPE: Shape = Shape::Group(&[
        Shape::OneOf(&[Trimming::MAXLEN, Trimming::MINID]),
        Shape::Options(&[Trimming::LIMIT]),
    ]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        let mut this = Trimming::default();
        while !words.is_empty() {
            if !this.take(words)? {
                return Err(Error::Syntax);
            }
        }
        if this.keep.is_none() && this.limit.is_none() {
            return Err(Error::refused("ERR syntax error, XTRIM must be called with a trimming strategy"));
        }
        this.check()?;
        Ok(this)
    }
}

fn xtrim(ctx: &mut Ctx, key: Key, trimming: Trimming) -> Result<i64> {
    let entries = ctx.limits.stream_node_limit.entries;
    let Some(mut stream) = ctx.write::<Stream>(key)? else { return Ok(0) };
    let removed = trimming.trim(&mut stream, entries);
    if removed > 0 {
        stream.changed(Event::XTrim);
        if let Some((token, threshold)) = trimming.effect(&stream) {
            stream.log_as(&[b"XTRIM", key.0, token, b"=", &threshold]);
        }
    }
    Ok(removed as i64)
}

fn xdel<'a>(ctx: &mut Ctx, key: Key, ids: Rest<'a, Text<'a>>) -> Result<usize> {
    let Some(mut stream) = ctx.write::<Stream>(key)? else { return Ok(0) };
    let ids: Vec<StreamId> = ids.iter().map(|id| parse_id(id.0)).collect::<Result<_>>()?;
    let deleted = ids.into_iter().filter(|id| stream.delete(*id)).count();
    if deleted > 0 {
        stream.changed(Event::XDel);
    }
    Ok(deleted)
}

// Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

fn xlen(ctx: &mut Ctx, key: Key) -> Result<i64> {
    Ok(ctx.read::<Stream>(key)?.map_or(0, |stream| stream.len() as i64))
}

options! {
    /// The options of XRANGE and XREVRANGE.
    struct RangeOptions {
        count: Option<i64> = "COUNT",
    }
}

fn xrange<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    start: Text<'a>,
    end: Text<'a>,
    options: RangeOptions,
) -> Result<Written<Entries, impl FnOnce(&mut Writer) + use<'c>>> {
    range(ctx, key, start, end, options, false)
}

fn xrevrange<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    end: Text<'a>,
    start: Text<'a>,
    options: RangeOptions,
) -> Result<Written<Entries, impl FnOnce(&mut Writer) + use<'c>>> {
    range(ctx, key, start, end, options, true)
}

fn range<'c>(
    ctx: &'c mut Ctx,
    key: Key,
    start: Text,
    end: Text,
    options: RangeOptions,
    backwards: bool,
) -> Result<Written<Entries, impl FnOnce(&mut Writer) + use<'c>>> {
    let refuse = |error, which| match error {
        BoundError::Invalid => INVALID_ID,
        BoundError::Beyond => format!("ERR invalid {which} ID for the interval").into(),
    };
    let start = StreamId::parse_start(start.0).map_err(|error| refuse(error, "start"))?;
    let end = StreamId::parse_end(end.0).map_err(|error| refuse(error, "end"))?;
    let stream = ctx.read::<Stream>(key)?;
    Ok(Written::new(move |out| {
        let Some(stream) = stream else { return out.array(0) };
        let most = match options.count {
            None => usize::MAX,
            Some(count) if count <= 0 => return out.null_array(),
            Some(count) => count as usize,
        };
        let entries = if backwards { stream.range_backwards(start, end) } else { stream.range(start, end) };
        out.counted(Writer::array, |out| entries.take(most).map(|entry| write_entry(out, entry)).count());
    }))
}

/// `[COUNT count] [BLOCK milliseconds] STREAMS key [key …] id [id …]`
struct ReadRequest<'a> {
    count: Option<i64>,
    block: Option<Timeout>,
    keys: &'a [&'a [u8]],
    ids: &'a [&'a [u8]],
}

impl<'a> Arg<'a> for ReadRequest<'a> {
    const SHAPE: Shape = Shape::Group(&[
        Shape::Options(&[
            Shape::Group(&[Shape::Token("COUNT"), Shape::Word("count", Kind::Integer)]),
            Shape::Group(&[Shape::Token("BLOCK"), Shape::Word("milliseconds", Kind::Integer)]),
        ]),
        Shape::Streams,
    ]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        let (mut count, mut block) = (None, None);
        while !words.take_with("STREAMS", 1) {
            if words.take_with("COUNT", 1) {
                count = Some(i64::parse(words)?);
            } else if words.take_with("BLOCK", 1) {
                block = Some(Timeout::of_millis(words.next()?)?);
            } else if words.take_with("GROUP", 2) {
                return Err(Error::refused(
                    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
                ));
            } else if words.take("NOACK") {
                return Err(Error::refused(
                    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
                ));
            } else {
                return Err(Error::Syntax);
            }
        }
        let both = words.split_off(0);
        if !both.len().is_multiple_of(2) {
            return Err(Error::refused(
                "ERR Unbalanced 'xread' list of streams: for each stream key an ID, '+', or '$' must be specified.",
            ));
        }
        let (keys, ids) = both.split_at(both.len() / 2);
        Ok(ReadRequest { count, block, keys, ids })
    }
}

impl ReadRequest<'_> {
    /// The words that ask for the same from exact IDs: `$` will mean another one later.
    fn again_from(&self, starts: &[StreamId]) -> Vec<Vec<u8>> {
        let mut words: Vec<Vec<u8>> = [&b"XREAD"[..], b"BLOCK", b"0"].map(<[u8]>::to_vec).into();
        if let Some(count) = self.count {
            words.extend([b"COUNT".to_vec(), write_i64(count, &mut Digits::new()).to_vec()]);
        }
        words.push(b"STREAMS".to_vec());
        words.extend(self.keys.iter().map(|key| key.to_vec()));
        words.extend(starts.iter().map(|&id| id_text(id)));
        words
    }
}

fn xread<'a, 'c>(
    ctx: &'c mut Ctx,
    request: ReadRequest<'a>,
) -> Result<Written<EntriesByStream, impl FnOnce(&mut Writer) + use<'a, 'c>>> {
    let deadline = request.block.map(|block| block.deadline(ctx.now_ms())).transpose()?;
    let mut wanted = Vec::with_capacity(request.keys.len());
    let mut starts = Vec::with_capacity(request.keys.len());
    for (key, id) in request.keys.iter().zip(request.ids) {
        let stream = ctx.look_up(Key(key));
        let last = match stream
            .map(|found| ctx.database().get::<Stream>(found).ok_or(Error::WrongType))
            .transpose()?
        {
            Some(stream) => stream.facts().last_id,
            None => StreamId::MIN,
        };
        let after = match *id {
            b"$" => last,
            b">" => {
                return Err(Error::refused(
                    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
                ));
            }
            id => parse_id(id)?,
        };
        starts.push(after);
        // An ID after all others has nothing behind it.
        if let (Some(found), Some(from)) = (stream, after.next().filter(|_| after < last)) {
            wanted.push((*key, found, from));
        }
    }
    let database = ctx.database();
    wanted.retain(|(_, found, from)| {
        let stream = database.get::<Stream>(*found);
        stream.is_some_and(|stream| stream.range(*from, StreamId::MAX).next().is_some())
    });
    if let (Some(deadline), true) = (deadline, wanted.is_empty()) {
        let wait = ctx.wait_for::<Stream>(request.keys.iter().map(|&key| Key(key)), deadline);
        wait.words = Some(request.again_from(&starts));
    }
    let most = request.count.filter(|&count| count > 0).map_or(usize::MAX, |count| count as usize);
    let database = ctx.database();
    let read: Vec<_> = wanted
        .into_iter()
        .filter_map(|(key, found, from)| {
            Some((key, database.get::<Stream>(found)?.range(from, StreamId::MAX)))
        })
        .collect();
    Ok(Written::new(move |out| {
        if read.is_empty() {
            return out.null_array();
        }
        match out.version() {
            Version::V2 => out.array(read.len()),
            Version::V3 => out.map(read.len()),
        }
        for (key, entries) in read {
            if out.version() == Version::V2 {
                out.array(2);
            }
            out.bulk(key);
            out.counted(Writer::array, |out| entries.take(most).map(|entry| write_entry(out, entry)).count());
        }
    }))
}

fn write_entry(out: &mut Writer, entry: StreamEntry) {
    out.array(2);
    out.bulk(&id_text(entry.id));
    out.array(2 * entry.fields.len());
    for (field, value) in entry.fields {
        field.write_bulk(out);
        value.write_bulk(out);
    }
}

fn parse_id(word: &[u8]) -> Result<StreamId> {
    StreamId::parse(word, 0).ok_or(INVALID_ID)
}

fn id_text(id: StreamId) -> Vec<u8> {
    let mut text = Vec::with_capacity(24);
    id.write(&mut text);
    text
}

fn id_error(error: IdError) -> Error {
    Error::refused(match error {
        IdError::Zero => "ERR The ID specified in XADD must be greater than 0-0",
        IdError::NotGreater => {
            "ERR The ID specified in XADD is equal or smaller than the target stream top item"
        }
        IdError::Exhausted => "ERR The stream has exhausted the last possible ID, unable to add more items",
    })
}
