//! Handing pending entries over from one consumer to another, by ID (XCLAIM) or by how long they have been idle
//! (XAUTOCLAIM). XCLAIM is also how every delivery is logged, whatever command it came from.

use alloc::vec::Vec;

use super::{
    Command, Ctx,
    args::{Arg, Key, Kind, Shape, Words},
    reply::{Written, typed},
    spec::commands,
    stream::{parse_id, parse_start, write_entry, write_id},
    stream_groups::{ConsumerName, GroupName, no_key_or_group},
};
use crate::{
    Error, Result,
    data::{
        number::{Digits, parse_i64, saturated, write_i64},
        stream::{ConsumerIndex, Delivery, IdDigits, Stream, StreamId},
    },
    keyspace::{Event, Writing},
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "stream";
    /// Hands pending entries over to a consumer.
    "XCLAIM" = xclaim(key, group, consumer, ids) since "5.0.0" [WRITE FAST] O("log N) where N is the number of pending entries");
    /// Hands entries over to a consumer that have been pending for long.
    "XAUTOCLAIM" = xautoclaim(key, group, consumer, request) since "6.2.0" [WRITE FAST] O("1) if COUNT is small");
};

typed! {
    /// Entries, or their IDs with JUSTID.
    ClaimedEntries = "[string, Bytes[]][] | string[]";
    /// Where to go on from, entries or their IDs with JUSTID, and the IDs of those deleted in the meantime.
    AutoClaimed = "[string, [string, Bytes[]][] | string[], string[]]";
}

// XCLAIM ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

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
            stream.log_as(&[b"XGROUP", b"CREATECONSUMER", self.key, self.group, self.name]);
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
                this.count = saturated(count.ok_or(COUNT)?).unwrap_or(usize::MAX);
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

// The log ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

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
    if claims.is_empty() {
        return;
    }
    stream.changed_quietly();
    if !stream.is_logged() {
        return;
    }
    let Some(last_id) = stream.group(name).map(|group| group.last_id) else { return };
    for claimed in claims {
        let (mut id, mut last) = (IdDigits::default(), IdDigits::default());
        let (mut time, mut count) = (Digits::new(), Digits::new());
        stream.log_as(&[
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

/// Logs how far a group has read.
pub(super) fn log_last_id(stream: &mut Writing<Stream>, key: &[u8], name: &[u8]) {
    stream.changed_quietly();
    let Some(group) = stream.group(name).filter(|_| stream.is_logged()) else { return };
    let (last_id, read) = (group.last_id, group.entries_read.map_or(-1, |read| read as i64));
    let (mut id, mut digits) = (IdDigits::default(), Digits::new());
    let (last_id, read) = (last_id.text(&mut id), write_i64(read, &mut digits));
    stream.log_as(&[b"XGROUP", b"SETID", key, name, last_id, b"ENTRIESREAD", read]);
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use crate::engine::testing::Session;

    /// What a request is logged as, whatever transaction holds it together.
    fn logged(session: &mut Session, request: &str) -> String {
        session.ask(request);
        let mut logged = session.logged();
        logged.retain(|command| !["SELECT 0", "MULTI", "EXEC"].contains(&&command[..]));
        logged.join(",")
    }

    /// The forms are those in which redis-server 7.0.15 writes its AOF, except that Redis does not say how far a group has
    /// read unless it is by NOACK, and nothing of history that is read again.
    #[test]
    fn deliveries_are_logged_as_claims() {
        let mut session = Session::new();
        let claim = |consumer: &str, id: &str, count: u32, last: &str| {
            format!("XCLAIM s g {consumer} 0 {id} TIME 1000000 RETRYCOUNT {count} FORCE JUSTID LASTID {last}")
        };
        session.ask("XADD s 1-0 a 1\nXADD s 2-0 b 2\nXADD s 3-0 c 3\nXGROUP CREATE s g 0");
        session.logged();
        for (request, log) in [
            (
                "XREADGROUP GROUP g ada COUNT 1 STREAMS s >",
                claim("ada", "1-0", 1, "1-0") + ",XGROUP SETID s g 1-0 ENTRIESREAD 1",
            ),
            (
                "XREADGROUP GROUP g bob COUNT 1 NOACK STREAMS s >",
                "XGROUP CREATECONSUMER s g bob,XGROUP SETID s g 2-0 ENTRIESREAD 2".into(),
            ),
            ("XREADGROUP GROUP g ada STREAMS s 0", claim("ada", "1-0", 2, "2-0")),
            ("XCLAIM s g bob 0 1-0", claim("bob", "1-0", 3, "2-0")),
            ("XCLAIM s g cy 0 9-0", "XGROUP CREATECONSUMER s g cy".into()),
            ("XAUTOCLAIM s g cy 0 0 JUSTID", claim("cy", "1-0", 3, "2-0")),
            ("XDEL s 1-0", "XDEL s 1-0".into()),
            ("XAUTOCLAIM s g bob 0 0", claim("cy", "1-0", 3, "2-0")),
            ("XACK s g 1-0 3-0", "".into()),
            ("XCLAIM s g bob 0 LASTID 3-0", "XGROUP SETID s g 3-0 ENTRIESREAD 2".into()),
            ("XADD s MAXLEN ~ 1 4-0 a 1", "XADD s MAXLEN = 3 4-0 a 1".into()),
            ("XDEL s 2-0", "XDEL s 2-0".into()),
            ("XCLAIM s g bob 0 3-0 FORCE JUSTID", claim("bob", "3-0", 1, "3-0")),
            ("XDEL s 3-0", "XDEL s 3-0".into()),
            ("XDELEX s DELREF IDS 2 2-0 3-0", "XDELEX s DELREF IDS 2 2-0 3-0".into()),
            ("XDELEX s DELREF IDS 2 2-0 3-0", "".into()),
            ("XADD s 5-0 a 1", "XADD s 5-0 a 1".into()),
            ("XTRIM s MAXLEN 1 DELREF", "XTRIM s MAXLEN = 1 DELREF".into()),
        ] {
            assert_eq!(logged(&mut session, request), log, "{request}");
        }
    }
}
