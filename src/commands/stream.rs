//! Commands on the entries of streams: adding, reading by range, deleting and trimming. Reading in turn (XREAD), groups and
//! XINFO have files of their own.

use alloc::{format, vec::Vec};

use super::{
    Command, Ctx,
    args::{Arg, Choice, Key, Kind, OneOf, Rest, Shape, Switch, Text, Words, one_of, options},
    reply::{Array, Done, Written, typed},
    spec::commands,
};
use crate::{
    Error, Result,
    data::{
        number::{Digits, parse_count, parse_i64, write_i64},
        stream::{
            BoundError, Facts, IdDigits, IdError, Keep, NewId, Precision, References, Stream, StreamEntry,
            StreamId,
        },
    },
    keyspace::{Event, Writing},
    resp::Writer,
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
    /// Deletes entries as far as groups refer to them or not; returns for each what became of it: 1 deleted, 2 kept because
    /// a group needs it, -1 not there.
    "XDELEX" = xdelex(key, request) since "8.2.0" [WRITE FAST] O("1) for each entry");
    /// Sets the last ID of a stream, and what it remembers of deleted entries.
    "XSETID" = xsetid(key, id, options) since "5.0.0" [WRITE DENYOOM FAST] O("1");
};

typed! {
    /// An ID, or null with NOMKSTREAM.
    Added = "string | null";
    /// Entries: an ID, and its fields each followed by its value.
    Entries = "[string, Bytes[]][] | null";
}

pub(super) const INVALID_ID: Error =
    Error::refused("ERR Invalid stream ID specified as stream command argument");

// Adding and trimming ─────────────────────────────────────────────────────────────────────────────────────────────────

one_of! {
    /// What happens to entries that groups refer to.
    pub(super) enum Policy {
        "KEEPREF" = Keep,
        "DELREF" = Drop,
        "ACKED" = Respect,
    }
}

impl Policy {
    /// What it means to the data.
    pub(super) fn references(self) -> References {
        match self {
            Policy::Keep => References::Keep,
            Policy::Drop => References::Drop,
            Policy::Respect => References::Respect,
        }
    }

    fn token(self) -> &'static [u8] {
        match self {
            Policy::Keep => b"KEEPREF",
            Policy::Drop => b"DELREF",
            Policy::Respect => b"ACKED",
        }
    }
}

/// `MAXLEN | MINID [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]`
#[derive(Clone, Copy, Default)]
struct Trimming {
    keep: Option<Keep>,
    approximate: bool,
    limit: Option<u64>,
    policy: Choice<Policy>,
}

impl Trimming {
    const EXACTNESS: Shape = Shape::Maybe(&Shape::OneOf(&[Shape::Token("="), Shape::Token("~")]));
    const MAXLEN: Shape =
        Shape::Group(&[Shape::Token("MAXLEN"), Trimming::EXACTNESS, Shape::Word("threshold", Kind::Integer)]);
    const MINID: Shape =
        Shape::Group(&[Shape::Token("MINID"), Trimming::EXACTNESS, Shape::Word("threshold", Kind::Text)]);
    const LIMIT: Shape = Shape::Group(&[Shape::Token("LIMIT"), Shape::Word("count", Kind::Integer)]);
    const POLICY: Shape = Shape::OneOf(Policy::SHAPES);

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
            return self.policy.take("", words);
        }
        Ok(true)
    }

    fn policy(&self) -> Policy {
        self.policy.0.unwrap_or(Policy::Keep)
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
        stream.trim(keep, precision, self.policy().references())
    }

    /// The words that trim another copy of `stream`, which was just trimmed, to the same entries.
    fn effect(&self, stream: &Stream) -> Option<Effect> {
        let mut digits = IdDigits::default();
        let (token, threshold) = match (self.keep?, stream.first()) {
            (Keep::From(id), _) if !self.approximate => (&b"MINID"[..], id.text(&mut digits).to_vec()),
            (Keep::From(_), Some(first)) if self.policy() == Policy::Keep => {
                (&b"MINID"[..], first.id.text(&mut digits).to_vec())
            }
            // Entries go from the first on whatever the policy, so the length left says which ones went.
            _ => (&b"MAXLEN"[..], write_i64(stream.len() as i64, &mut Digits::new()).to_vec()),
        };
        let policy = self.policy.0.map(Policy::token);
        Some(Effect { token, threshold, policy })
    }
}

/// An exact trimming, as it is logged.
struct Effect {
    token: &'static [u8],
    threshold: Vec<u8>,
    policy: Option<&'static [u8]>,
}

impl Effect {
    fn words(&self) -> impl Iterator<Item = &[u8]> {
        [self.token, b"=", &self.threshold].into_iter().chain(self.policy)
    }
}

/// What XADD takes in front of the ID.
#[derive(Clone, Copy, Default)]
struct AddOptions {
    no_make: bool,
    trimming: Trimming,
}

impl Arg<'_> for AddOptions {
    const SHAPE: Shape = Shape::Options(&[
        Shape::Token("NOMKSTREAM"),
        Trimming::MAXLEN,
        Trimming::MINID,
        Trimming::LIMIT,
        Trimming::POLICY,
    ]);
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
    let added = add(ctx, key, options, id, fields)?;
    Ok(Written::new(move |out| match added {
        Some(id) => write_id(out, id),
        None => out.null(),
    }))
}

fn add(
    ctx: &mut Ctx,
    key: Key,
    options: AddOptions,
    id: NewId,
    fields: FieldValues,
) -> Result<Option<StreamId>> {
    let now_ms = ctx.now_ms();
    if let Some(stream) = ctx.write::<Stream>(key)? {
        let id = stream.next_id(id, now_ms).map_err(id_error)?;
        append(stream, key, options.trimming, id, fields);
        return Ok(Some(id));
    }
    if options.no_make {
        return Ok(None);
    }
    let id = id.after(StreamId::MIN, now_ms).map_err(id_error)?;
    append(ctx.write_or_create(key)?, key, options.trimming, id, fields);
    Ok(Some(id))
}

fn append(mut stream: Writing<Stream>, key: Key, trimming: Trimming, id: StreamId, fields: FieldValues) {
    let (entries, limits) = stream.with_limits();
    let limit = limits.stream_node_limit;
    entries.append(id, fields.0.chunks_exact(2).map(|pair| (pair[0], pair[1])), limit);
    stream.changed(Event::XAdd);
    if trimming.trim(&mut stream, limit.entries) > 0 {
        stream.changed(Event::XTrim);
    }
    if stream.is_logged() {
        log_append(&mut stream, key, trimming, id, fields);
    }
}

/// The entry replays under the ID it got, and approximate trimming as the exact one it came to.
fn log_append(stream: &mut Writing<Stream>, key: Key, trimming: Trimming, id: StreamId, fields: FieldValues) {
    let (effect, mut digits) = (trimming.effect(stream), IdDigits::default());
    let mut words: Vec<&[u8]> = Vec::with_capacity(7 + fields.0.len());
    words.extend([&b"XADD"[..], key.0]);
    words.extend(effect.iter().flat_map(Effect::words));
    words.push(id.text(&mut digits));
    words.extend(fields.0);
    stream.log_as(&words);
}

impl Arg<'_> for Trimming {
    const SHAPE: Shape = Shape::Group(&[
        Shape::OneOf(&[Trimming::MAXLEN, Trimming::MINID]),
        Shape::Options(&[Trimming::LIMIT, Trimming::POLICY]),
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
        if let Some(effect) = trimming.effect(&stream) {
            let words: Vec<&[u8]> = [&b"XTRIM"[..], key.0].into_iter().chain(effect.words()).collect();
            stream.log_as(&words);
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

/// `IDS numids id [id …]` and `KEEPREF | DELREF | ACKED`, in any order.
pub(super) struct DeleteRequest {
    pub(super) ids: Vec<StreamId>,
    pub(super) references: References,
}

impl Arg<'_> for DeleteRequest {
    const SHAPE: Shape = Shape::Group(&[
        Shape::Maybe(&Trimming::POLICY),
        Shape::Token("IDS"),
        Shape::Word("numids", Kind::Integer),
        Shape::Many(&[Shape::Word("id", Kind::Text)]),
    ]);
    fn parse(words: &mut Words<'_>) -> Result<Self> {
        const UNEQUAL: Error =
            Error::refused("ERR The `numids` parameter must match the number of arguments");
        let (mut policy, mut ids) = (Choice::<Policy>::default(), None);
        while !words.is_empty() {
            if words.take_with("IDS", 1) && ids.is_none() {
                let count = parse_count(words.next()?).filter(|&n| n > 0);
                let count = count.ok_or(Error::refused("ERR Number of IDs must be a positive integer"))?;
                ids = Some(words.take_n(count).map_err(|_| UNEQUAL)?);
            } else if !policy.take("", words)? {
                return Err(if ids.is_some() { UNEQUAL } else { Error::Syntax });
            }
        }
        let ids = ids.ok_or(Error::Syntax)?.iter().map(|id| parse_id(id)).collect::<Result<_>>()?;
        Ok(DeleteRequest { ids, references: policy.0.unwrap_or(Policy::Keep).references() })
    }
}

/// What became of an entry that was to be deleted.
pub(super) const NOT_THERE: i64 = -1;
pub(super) const DELETED: i64 = 1;
pub(super) const STILL_NEEDED: i64 = 2;

fn xdelex(
    ctx: &mut Ctx,
    key: Key,
    request: DeleteRequest,
) -> Result<Array<impl ExactSizeIterator<Item = i64> + use<>>> {
    let Some(mut stream) = ctx.write::<Stream>(key)? else {
        return Ok(Array(Vec::from_iter(request.ids.iter().map(|_| NOT_THERE)).into_iter()));
    };
    let mut forgotten = false;
    let outcomes = Vec::from_iter(request.ids.iter().map(|&id| {
        forgotten |= request.references == References::Drop && stream.drop_references(id);
        delete_with(&mut stream, id, request.references)
    }));
    if outcomes.contains(&DELETED) {
        stream.changed(Event::XDel);
    } else if forgotten {
        log_forgotten(&mut stream, key, &request.ids);
    }
    Ok(Array(outcomes.into_iter()))
}

/// Groups forgot entries that were gone before.
fn log_forgotten(stream: &mut Writing<Stream>, key: Key, ids: &[StreamId]) {
    let mut digits = Digits::new();
    let ids: Vec<Vec<u8>> = ids.iter().map(|id| id.text(&mut IdDigits::default()).to_vec()).collect();
    let words = [&b"XDELEX"[..], key.0, b"DELREF", b"IDS", write_i64(ids.len() as i64, &mut digits)];
    stream.changed_quietly();
    stream.log_as(&words.into_iter().chain(ids.iter().map(Vec::as_slice)).collect::<Vec<_>>());
}

/// Deletes an entry as far as the groups allow it. Groups forget an entry also when it was gone before.
pub(super) fn delete_with(stream: &mut Stream, id: StreamId, references: References) -> i64 {
    let is_kept = references == References::Respect && stream.get(id).is_some() && stream.is_referenced(id);
    if is_kept {
        return STILL_NEEDED;
    }
    if references == References::Drop {
        stream.drop_references(id);
    }
    if stream.delete(id) { DELETED } else { NOT_THERE }
}

/// The options of XSETID, each read as often as it is given, when the last ID is known.
#[derive(Clone, Copy)]
struct SetIdOptions<'a>(Words<'a>);

impl<'a> Arg<'a> for SetIdOptions<'a> {
    const SHAPE: Shape = Shape::Options(&[
        Shape::Group(&[Shape::Token("ENTRIESADDED"), Shape::Word("entries-added", Kind::Integer)]),
        Shape::Group(&[Shape::Token("MAXDELETEDID"), Shape::Word("max-deleted-id", Kind::Text)]),
    ]);
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        Ok(SetIdOptions(Words::new(words.split_off(0))))
    }
}

impl SetIdOptions<'_> {
    /// How many entries were added, and the greatest ID that was deleted, which may be as great as `last_id`.
    fn read(mut self, last_id: StreamId) -> Result<(Option<i64>, Option<StreamId>)> {
        let (mut entries_added, mut max_deleted) = (None, None);
        while !self.0.is_empty() {
            if self.0.take_with("ENTRIESADDED", 1) {
                let added = i64::parse(&mut self.0)?;
                if added < 0 {
                    return Err(Error::refused("ERR entries_added must be positive"));
                }
                entries_added = Some(added);
            } else if self.0.take_with("MAXDELETEDID", 1) {
                let id = parse_id(self.0.next()?)?;
                if id > last_id {
                    return Err(Error::refused(
                        "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                    ));
                }
                max_deleted = Some(id);
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok((entries_added, max_deleted))
    }
}

fn xsetid<'a>(ctx: &mut Ctx, key: Key, id: Text<'a>, options: SetIdOptions<'a>) -> Result<Done> {
    let last_id = parse_id(id.0)?;
    let (entries_added, max_deleted) = options.read(last_id)?;
    let Some(mut stream) = ctx.write::<Stream>(key)? else { return Err(Error::NoSuchKey) };
    let facts = stream.facts();
    if last_id < facts.max_deleted_id {
        return Err(Error::refused(
            "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
        ));
    }
    if stream.last_entry_id().is_some_and(|last| last > last_id) {
        return Err(Error::refused(
            "ERR The ID specified in XSETID is smaller than the target stream top item",
        ));
    }
    if !stream.is_empty() && entries_added.is_some_and(|added| (added as u64) < stream.len()) {
        return Err(Error::refused(
            "ERR The entries_added specified in XSETID is smaller than the target stream length",
        ));
    }
    let max_deleted = max_deleted.filter(|&id| id != StreamId::MIN);
    stream.set_facts(Facts {
        last_id,
        max_deleted_id: max_deleted.unwrap_or(facts.max_deleted_id),
        entries_added: entries_added.map_or(facts.entries_added, |added| added as u64),
    });
    stream.changed(Event::XSetId);
    Ok(Done)
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
    let (start, end) = (parse_start(start.0)?, parse_end(end.0)?);
    let stream = ctx.read::<Stream>(key)?;
    Ok(Written::new(move |out| {
        let Some(stream) = stream else { return out.array(0) };
        let most = match options.count {
            None => usize::MAX,
            Some(count) if count <= 0 => return out.null_array(),
            Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
        };
        let entries = if backwards { stream.range_backwards(start, end) } else { stream.range(start, end) };
        out.counted(Writer::array, |out| entries.take(most).map(|entry| write_entry(out, entry)).count());
    }))
}

/// Writes an ID as a text.
pub(super) fn write_id(out: &mut Writer, id: StreamId) {
    out.bulk(id.text(&mut IdDigits::default()));
}

/// Writes an entry: its ID, and its fields each followed by its value.
pub(super) fn write_entry(out: &mut Writer, entry: StreamEntry) {
    out.array(2);
    write_id(out, entry.id);
    out.array(2 * entry.fields.len());
    for (field, value) in entry.fields {
        field.write_bulk(out);
        value.write_bulk(out);
    }
}

/// Reads the ID of an entry.
pub(super) fn parse_id(word: &[u8]) -> Result<StreamId> {
    StreamId::parse(word, 0).ok_or(INVALID_ID)
}

/// Reads where a range starts.
pub(super) fn parse_start(word: &[u8]) -> Result<StreamId> {
    StreamId::parse_start(word).map_err(|error| bound_error(error, "start"))
}

/// Reads where a range ends.
pub(super) fn parse_end(word: &[u8]) -> Result<StreamId> {
    StreamId::parse_end(word).map_err(|error| bound_error(error, "end"))
}

fn bound_error(error: BoundError, which: &str) -> Error {
    match error {
        BoundError::Invalid => INVALID_ID,
        BoundError::Beyond => format!("ERR invalid {which} ID for the interval").into(),
    }
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
