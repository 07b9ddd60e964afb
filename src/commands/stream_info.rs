//! XINFO: what streams, their groups and consumers are like. It only looks.

use super::{
    Command, Ctx,
    args::{Arg, Key, Kind, Shape, Words},
    help::{HelpLines, help},
    reply::{Written, typed},
    spec::commands,
    stream::{write_entry, write_id},
    stream_groups::{GroupName, no_such_group},
};
use crate::{
    Error, Result,
    data::{
        number::{parse_i64, saturated},
        stream::{Consumer, Group, Stream, StreamEntry, StreamId},
    },
    resp::Writer,
};

/// The rows.
pub const COMMANDS: &[Command<Ctx>] = commands! {
    Ctx, group: "stream";
    /// Describes a stream; with FULL also its entries, groups and consumers.
    "XINFO STREAM" = xinfo_stream(key, detail) since "5.0.0" [READONLY] O("1");
    /// Describes the groups of a stream.
    "XINFO GROUPS" = xinfo_groups(key) since "5.0.0" [READONLY] O("1");
    /// Describes the consumers of a group.
    "XINFO CONSUMERS" = xinfo_consumers(key, group) since "5.0.0" [READONLY] O("1");
    /// Lists the subcommands of XINFO.
    "XINFO HELP" = xinfo_help() since "5.0.0" [LOADING STALE] O("1");
};

typed! {
    /// Names and values.
    Description = "Record<string, unknown>";
    /// Names and values of each.
    Descriptions = "Record<string, unknown>[]";
}

/// `[FULL [COUNT count]]`, looked at only when the stream is known.
struct Detail<'a>(&'a [&'a [u8]]);

impl<'a> Arg<'a> for Detail<'a> {
    const SHAPE: Shape = Shape::Maybe(&Shape::Group(&[
        Shape::Token("FULL"),
        Shape::Maybe(&Shape::Group(&[Shape::Token("COUNT"), Shape::Word("count", Kind::Integer)])),
    ]));
    fn parse(words: &mut Words<'a>) -> Result<Self> {
        Ok(Detail(words.split_off(0)))
    }
}

impl Detail<'_> {
    const USUAL: usize = 10;

    /// The most entries of each kind to show, if all is to be shown.
    fn most(&self) -> Result<Option<usize>> {
        const UNKNOWN: Error = Error::refused(
            "ERR unknown subcommand or wrong number of arguments for 'STREAM'. Try XINFO HELP.",
        );
        let mut words = Words::new(self.0);
        match (words.len(), words.take("FULL")) {
            (0, _) => return Ok(None),
            (1, true) => return Ok(Some(Detail::USUAL)),
            (3, true) if words.take("COUNT") => {}
            _ => return Err(UNKNOWN),
        }
        Ok(Some(match parse_i64(words.next()?).ok_or(Error::NotInteger)? {
            0 => usize::MAX,
            count => saturated(count).unwrap_or(Detail::USUAL),
        }))
    }
}

fn xinfo_stream<'a, 'c>(
    ctx: &'c mut Ctx,
    key: Key,
    detail: Detail<'a>,
) -> Result<Written<Description, impl FnOnce(&mut Writer) + use<'a, 'c>>> {
    let stream = ctx.read::<Stream>(key)?.ok_or(Error::NoSuchKey)?;
    let most = detail.most()?;
    Ok(Written::new(move |out| {
        out.map(if most.is_some() { 9 } else { 10 });
        write_facts(out, stream);
        match most {
            Some(most) => write_contents(out, stream, most),
            None => write_edges(out, stream),
        }
    }))
}

fn write_facts(out: &mut Writer, stream: &Stream) {
    let (facts, nodes) = (stream.facts(), stream.nodes().len() as i64);
    number(out, "length", stream.len() as i64);
    number(out, "radix-tree-keys", nodes);
    // There is no tree, so this is what a tree of one level would have.
    number(out, "radix-tree-nodes", nodes + 1);
    id(out, "last-generated-id", facts.last_id);
    id(out, "max-deleted-entry-id", facts.max_deleted_id);
    number(out, "entries-added", facts.entries_added as i64);
    id(out, "recorded-first-entry-id", stream.first().map_or(StreamId::MIN, |entry| entry.id));
}

fn write_edges(out: &mut Writer, stream: &Stream) {
    number(out, "groups", stream.groups().len() as i64);
    for (name, entry) in [("first-entry", stream.first()), ("last-entry", stream.last())] {
        out.bulk(name.as_bytes());
        write_entry_or_null(out, entry);
    }
}

fn write_entry_or_null(out: &mut Writer, entry: Option<StreamEntry>) {
    match entry {
        Some(entry) => write_entry(out, entry),
        None => out.null(),
    }
}

fn write_contents(out: &mut Writer, stream: &Stream, most: usize) {
    out.bulk(b"entries");
    let entries = stream.range(StreamId::MIN, StreamId::MAX).take(most);
    out.counted(Writer::array, |out| entries.map(|entry| write_entry(out, entry)).count());
    out.bulk(b"groups");
    out.array(stream.groups().len());
    stream.groups().iter().for_each(|group| write_whole_group(out, stream, group, most));
}

fn write_whole_group(out: &mut Writer, stream: &Stream, group: &Group, most: usize) {
    out.map(7);
    text(out, "name", group.name());
    write_position(out, stream, group);
    number(out, "pel-count", group.pending().len() as i64);
    out.bulk(b"pending");
    out.array(group.pending().len().min(most));
    for (entry, delivery) in group.pending().iter().take(most) {
        out.array(4);
        write_id(out, entry);
        out.bulk(group.consumer(delivery.consumer).name());
        out.integer(delivery.at_ms as i64);
        out.integer(delivery.count as i64);
    }
    out.bulk(b"consumers");
    out.array(group.consumers().len());
    group.consumers().for_each(|(_, consumer)| write_whole_consumer(out, group, consumer, most));
}

fn write_whole_consumer(out: &mut Writer, group: &Group, consumer: &Consumer, most: usize) {
    out.map(5);
    text(out, "name", consumer.name());
    number(out, "seen-time", consumer.seen_ms as i64);
    number(out, "active-time", consumer.active_ms.map_or(-1, |at| at as i64));
    number(out, "pel-count", consumer.pending().len() as i64);
    out.bulk(b"pending");
    out.array(consumer.pending().len().min(most));
    for (entry, _) in consumer.pending().iter().take(most) {
        let delivery = group.pending().get(entry).expect("pending for a consumer of the group");
        out.array(3);
        write_id(out, entry);
        out.integer(delivery.at_ms as i64);
        out.integer(delivery.count as i64);
    }
}

fn xinfo_groups<'c>(
    ctx: &'c mut Ctx,
    key: Key,
) -> Result<Written<Descriptions, impl FnOnce(&mut Writer) + use<'c>>> {
    let stream = ctx.read::<Stream>(key)?.ok_or(Error::NoSuchKey)?;
    Ok(Written::new(move |out| {
        out.array(stream.groups().len());
        for group in stream.groups() {
            out.map(6);
            text(out, "name", group.name());
            number(out, "consumers", group.consumers().len() as i64);
            number(out, "pending", group.pending().len() as i64);
            write_position(out, stream, group);
        }
    }))
}

fn write_position(out: &mut Writer, stream: &Stream, group: &Group) {
    id(out, "last-delivered-id", group.last_id);
    for (name, count) in
        [("entries-read", group.entries_read.map(|read| read as i64)), ("lag", stream.lag(group))]
    {
        out.bulk(name.as_bytes());
        match count {
            Some(count) => out.integer(count),
            None => out.null(),
        }
    }
}

fn xinfo_consumers<'c>(
    ctx: &'c mut Ctx,
    key: Key,
    name: GroupName,
) -> Result<Written<Descriptions, impl FnOnce(&mut Writer) + use<'c>>> {
    let now_ms = ctx.now_ms() as i64;
    let stream = ctx.read::<Stream>(key)?.ok_or(Error::NoSuchKey)?;
    let group = stream.group(name.0).ok_or_else(|| no_such_group(key, name))?;
    Ok(Written::new(move |out| {
        out.array(group.consumers().len());
        for (_, consumer) in group.consumers() {
            out.map(4);
            text(out, "name", consumer.name());
            number(out, "pending", consumer.pending().len() as i64);
            number(out, "idle", (now_ms - consumer.seen_ms as i64).max(0));
            number(out, "inactive", consumer.active_ms.map_or(-1, |at| now_ms - at as i64));
        }
    }))
}

fn xinfo_help(_: &mut Ctx) -> Result<HelpLines> {
    Ok(help("XINFO", COMMANDS))
}

fn number(out: &mut Writer, name: &str, value: i64) {
    out.bulk(name.as_bytes());
    out.integer(value);
}

fn id(out: &mut Writer, name: &str, value: StreamId) {
    out.bulk(name.as_bytes());
    write_id(out, value);
}

fn text(out: &mut Writer, name: &str, value: &[u8]) {
    out.bulk(name.as_bytes());
    out.bulk(value);
}
