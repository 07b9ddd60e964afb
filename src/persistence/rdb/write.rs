//! Values into RDB, each in the form that the most readers know and that holds all of it.

use super::{Output, form};
use crate::{
    data::{
        containers::listpack::Entry,
        hash::{self, Hash},
        list::{List, NodeView},
        set::{self, Set},
        sorted_set::{self, SortedSet},
        stream::{Facts, Group, Stream, StreamId},
    },
    keyspace::{Database, Found, Held, Kind, Text, Value},
};

/// A value, to be written.
#[allow(missing_docs)]
pub enum View<'a> {
    Text(Text<'a>),
    List(&'a List),
    Set(&'a Set),
    SortedSet(&'a SortedSet),
    Hash(&'a Hash),
    Stream(&'a Stream),
}

impl<'a> View<'a> {
    /// The version of values that need no later one.
    pub const LOWEST_VERSION: u16 = super::LOWEST_WRITTEN;

    /// The value of an entry.
    pub fn of(database: &'a Database, found: Found) -> Self {
        let view = match database.kind(found) {
            Kind::String => database.text(found).map(View::Text),
            Kind::List => database.get(found).map(View::List),
            Kind::Set => database.get(found).map(View::Set),
            Kind::SortedSet => database.get(found).map(View::SortedSet),
            Kind::Hash => database.get(found).map(View::Hash),
            Kind::Stream => database.get(found).map(View::Stream),
        };
        view.expect("an entry holds what its kind says")
    }

    /// The value of an entry, wherever that is.
    pub fn held(held: Held<'a>) -> Self {
        match held {
            Held::Entry(database, found) => View::of(database, found),
            Held::Copy(Value::Int(n)) => View::Text(Text::Int(*n)),
            Held::Copy(Value::Text(bytes)) => View::Text(Text::Bytes(bytes)),
            Held::Copy(Value::List(list)) => View::List(list),
            Held::Copy(Value::Set(set)) => View::Set(set),
            Held::Copy(Value::SortedSet(sorted_set)) => View::SortedSet(sorted_set),
            Held::Copy(Value::Hash(hash)) => View::Hash(hash),
            Held::Copy(Value::Stream(stream)) => View::Stream(stream),
        }
    }

    /// The lowest version that has the form in which it is written.
    pub fn version(&self) -> u16 {
        form::version(self.form())
    }

    /// The number of the form in which it is written.
    pub(super) fn form(&self) -> u8 {
        match self {
            View::Text(_) => form::STRING,
            View::List(_) => form::LIST_QUICKLIST_2,
            View::Set(set) => match set.view() {
                set::View::Intset(_) => form::SET_INTSET,
                set::View::Listpack(_) | set::View::Table => form::SET,
            },
            View::SortedSet(sorted_set) => match sorted_set.view() {
                sorted_set::View::Listpack(_) => form::SORTED_SET_LISTPACK,
                sorted_set::View::Table => form::SORTED_SET_2,
            },
            View::Hash(hash) => match (hash.view(), hash.first_deadline()) {
                (hash::View::Listpack(_), _) => form::HASH_LISTPACK,
                (hash::View::ListpackEx(_), Some(_)) => form::HASH_LISTPACK_EX,
                (hash::View::Table, Some(_)) => form::HASH_MORTAL,
                (hash::View::ListpackEx(_) | hash::View::Table, None) => form::HASH,
            },
            // 7.0 has one time for a consumer where there are two now.
            View::Stream(stream) => match stream.groups().iter().all(has_one_time) {
                true => form::STREAM_2,
                false => form::STREAM_3,
            },
        }
    }

    /// Writes it, without the number of its form.
    pub(super) fn write(&self, out: &mut Output) {
        match self {
            View::Text(Text::Int(n)) => out.integer(*n),
            View::Text(Text::Bytes(bytes)) => out.string(bytes),
            View::List(list) => write_list(list, out),
            View::Set(set) => write_set(set, out),
            View::SortedSet(sorted_set) => write_sorted_set(sorted_set, out),
            View::Hash(hash) => write_hash(hash, out),
            View::Stream(stream) => write_stream(stream, out),
        }
    }
}

fn write_entry(entry: Entry<'_>, out: &mut Output) {
    match entry {
        Entry::Int(n) => out.integer(n),
        Entry::Text(text) => out.string(text),
    }
}

fn write_list(list: &List, out: &mut Output) {
    out.length(list.nodes().count() as u64);
    for node in list.nodes() {
        match node {
            NodeView::Plain(text) => {
                out.length(form::PLAIN_NODE);
                out.blob(text);
            }
            NodeView::Packed(listpack) => {
                out.length(form::PACKED_NODE);
                out.blob(listpack.as_bytes());
            }
        }
    }
}

fn write_set(set: &Set, out: &mut Output) {
    if let set::View::Intset(intset) = set.view() {
        return out.blob(intset.as_bytes());
    }
    out.length(set.len() as u64);
    set.iter().for_each(|member| write_entry(member, out));
}

fn write_sorted_set(sorted_set: &SortedSet, out: &mut Output) {
    if let sorted_set::View::Listpack(listpack) = sorted_set.view() {
        return out.blob(listpack.as_bytes());
    }
    out.length(sorted_set.len() as u64);
    // The highest first: each member that is read then goes to the front.
    for (member, score) in sorted_set.iter().rev() {
        write_entry(member, out);
        out.double(score);
    }
}

fn write_hash(hash: &Hash, out: &mut Output) {
    let first = hash.first_deadline();
    if let Some(at) = first {
        out.raw(&at.to_le_bytes());
    }
    match (hash.view(), first) {
        (hash::View::Listpack(listpack), _) | (hash::View::ListpackEx(listpack), Some(_)) => {
            return out.blob(listpack.as_bytes());
        }
        _ => out.length(hash.len() as u64),
    }
    for ((field, value), deadline) in hash.mortals() {
        if let Some(first) = first {
            out.length(deadline.map_or(0, |at| at - first + 1));
        }
        write_entry(field, out);
        write_entry(value, out);
    }
}

fn write_stream(stream: &Stream, out: &mut Output) {
    out.length(stream.nodes().len() as u64);
    for (master, listpack) in stream.nodes() {
        out.blob(&master.to_bytes());
        out.blob(listpack.as_bytes());
    }
    let Facts { last_id, max_deleted_id, entries_added } = stream.facts();
    out.length(stream.len());
    write_id(last_id, out);
    write_id(stream.first().map_or(StreamId::MIN, |entry| entry.id), out);
    write_id(max_deleted_id, out);
    out.length(entries_added);
    let has_one_time = stream.groups().iter().all(has_one_time);
    out.length(stream.groups().len() as u64);
    stream.groups().iter().for_each(|group| write_group(group, has_one_time, out));
}

/// Whether each consumer got something when it last asked.
fn has_one_time(group: &Group) -> bool {
    group.consumers().all(|(_, consumer)| consumer.active_ms == Some(consumer.seen_ms))
}

fn write_group(group: &Group, has_one_time: bool, out: &mut Output) {
    /// What stands for what is not known.
    const UNKNOWN: u64 = u64::MAX;
    out.string(group.name());
    write_id(group.last_id, out);
    out.length(group.entries_read.unwrap_or(UNKNOWN));
    out.length(group.pending().len() as u64);
    for (id, delivery) in group.pending().iter() {
        out.raw(&id.to_bytes());
        out.raw(&delivery.at_ms.to_le_bytes());
        out.length(delivery.count);
    }
    out.length(group.consumers().len() as u64);
    for (_, consumer) in group.consumers() {
        out.string(consumer.name());
        out.raw(&consumer.seen_ms.to_le_bytes());
        if !has_one_time {
            out.raw(&consumer.active_ms.unwrap_or(UNKNOWN).to_le_bytes());
        }
        out.length(consumer.pending().len() as u64);
        consumer.pending().iter().for_each(|(id, _)| out.raw(&id.to_bytes()));
    }
}

fn write_id(id: StreamId, out: &mut Output) {
    out.length(id.ms);
    out.length(id.seq);
}
