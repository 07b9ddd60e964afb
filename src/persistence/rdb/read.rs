//! Values out of RDB, in every form that was ever written. A value comes out whole or not at all.

use alloc::{borrow::Cow, vec::Vec};

use thin_vec::ThinVec;

use super::{Flaw, VALKEY, form, input::Input, old};
use crate::{
    data::{
        containers::{intset::Intset, listpack::Listpack, ordered::OrderedMap},
        hash::Hash,
        limits::Limits,
        list::{List, Node, NodeLimit, Side},
        number::parse_i64,
        set::Set,
        sorted_set::{Insert, SortedSet},
        stream::{Delivery, Facts, Group, Stream, StreamId},
    },
    keyspace::{Value, arriving::Content},
};

/// Reads the value that follows the number of its form, in bytes of a version. It may be a collection of nothing.
pub fn value(input: &mut Input<'_>, number: u8, version: u16, limits: &Limits) -> Result<Value, Flaw> {
    Ok(match number {
        form::STRING => match text(input)? {
            Content::Text(text) => Value::Text(ThinVec::from(&*text)),
            Content::Value(value) => value,
        },
        form::LIST => Value::List(list(input, limits)?),
        form::LIST_ZIPLIST => Value::List(list_of([node_of_ziplist(input)?], limits)),
        form::LIST_QUICKLIST => Value::List(quicklist(input, limits, node_of_ziplist)?),
        form::LIST_QUICKLIST_2 => Value::List(quicklist(input, limits, node)?),
        form::SET => Value::Set(set(input, limits)?),
        form::SET_INTSET => Value::Set(Set::from_intset(intset(&input.string()?)?, limits)),
        form::SET_LISTPACK => {
            let set = Set::from_listpack(listpack(&input.string()?)?, limits);
            Value::Set(set.ok_or(Flaw::Corrupt(TWICE))?)
        }
        form::SORTED_SET => Value::SortedSet(sorted_set(input, limits, Input::double_as_text)?),
        form::SORTED_SET_2 => Value::SortedSet(sorted_set(input, limits, Input::double)?),
        form::SORTED_SET_ZIPLIST => packed_sorted_set(ziplist(&input.string()?)?, limits)?,
        form::SORTED_SET_LISTPACK => packed_sorted_set(listpack(&input.string()?)?, limits)?,
        form::HASH => Value::Hash(hash(input, limits)?),
        form::HASH_ZIPMAP => packed_hash(zipmap(&input.string()?)?, limits)?,
        form::HASH_ZIPLIST => packed_hash(ziplist(&input.string()?)?, limits)?,
        form::HASH_LISTPACK => packed_hash(listpack(&input.string()?)?, limits)?,
        form::HASH_MORTAL_EARLY if version == VALKEY => Value::Hash(mortal_hash(input, limits, |input| {
            let (field, value, at) = (input.string()?, input.string()?, input.millis()?);
            Ok((field, value, (at != -1).then_some(at)))
        })?),
        form::HASH_MORTAL_EARLY => Value::Hash(mortal_hash(input, limits, |input| {
            let at = input.length()?;
            Ok((input.string()?, input.string()?, (at != 0).then_some(at as i64)))
        })?),
        form::HASH_MORTAL => {
            let first = input.millis()?;
            Value::Hash(mortal_hash(input, limits, |input| {
                let at = input.length()?.checked_sub(1).map(|more| first.wrapping_add(more as i64));
                Ok((input.string()?, input.string()?, at))
            })?)
        }
        form::HASH_LISTPACK_EX_EARLY => packed_mortal_hash(listpack(&input.string()?)?, limits)?,
        form::HASH_LISTPACK_EX => {
            input.millis()?;
            packed_mortal_hash(listpack(&input.string()?)?, limits)?
        }
        form::STREAM | form::STREAM_2 | form::STREAM_3 => Value::Stream(stream(input, number)?),
        form::MODULE_PRE_GA | form::MODULE => return Err(Flaw::Module(input.length()?)),
        _ => return Err(Flaw::Unknown(number)),
    })
}

/// Whether a value is a collection with nothing in it, which no key may hold.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Int(_) | Value::Text(_) | Value::Stream(_) => false,
        Value::List(list) => list.is_empty(),
        Value::Set(set) => set.is_empty(),
        Value::SortedSet(sorted_set) => sorted_set.is_empty(),
        Value::Hash(hash) => hash.is_empty(),
    }
}

const TWICE: &str = "a collection has something twice";

/// Reads a text, which may be a number.
pub fn text<'b>(input: &mut Input<'b>) -> Result<Content<'b>, Flaw> {
    let integer = |n| Content::Value(Value::Int(n));
    Ok(match input.integer_or_string()? {
        Ok(n) => integer(n),
        Err(text) => parse_i64(&text).map_or(Content::Text(text), integer),
    })
}

fn listpack(bytes: &[u8]) -> Result<Listpack, Flaw> {
    Listpack::from_bytes(bytes).ok_or(Flaw::Corrupt("a listpack is damaged"))
}

fn ziplist(bytes: &[u8]) -> Result<Listpack, Flaw> {
    old::ziplist(bytes).ok_or(Flaw::Corrupt("a ziplist is damaged"))
}

fn zipmap(bytes: &[u8]) -> Result<Listpack, Flaw> {
    old::zipmap(bytes).ok_or(Flaw::Corrupt("a zipmap is damaged"))
}

fn intset(bytes: &[u8]) -> Result<Intset, Flaw> {
    Intset::from_bytes(bytes).ok_or(Flaw::Corrupt("an intset is damaged"))
}

fn list(input: &mut Input<'_>, limits: &Limits) -> Result<List, Flaw> {
    let (count, limit) = (input.count(1)?, NodeLimit::new(limits.list_max_listpack_size));
    let mut list = List::new();
    for _ in 0..count {
        list.push(Side::Back, &input.string()?, limit);
    }
    Ok(list)
}

fn list_of(nodes: impl IntoIterator<Item = Node>, limits: &Limits) -> List {
    List::from_nodes(nodes, NodeLimit::new(limits.list_max_listpack_size))
}

fn quicklist(
    input: &mut Input<'_>,
    limits: &Limits,
    mut node: impl FnMut(&mut Input<'_>) -> Result<Node, Flaw>,
) -> Result<List, Flaw> {
    let count = input.count(1)?;
    let nodes = (0..count).map(|_| node(input)).collect::<Result<Vec<Node>, Flaw>>()?;
    Ok(list_of(nodes, limits))
}

fn node_of_ziplist(input: &mut Input<'_>) -> Result<Node, Flaw> {
    ziplist(&input.string()?).map(Node::packed)
}

fn node(input: &mut Input<'_>) -> Result<Node, Flaw> {
    match input.length()? {
        form::PLAIN_NODE => Ok(Node::plain(&input.string()?)),
        form::PACKED_NODE => listpack(&input.string()?).map(Node::packed),
        _ => Err(Flaw::Corrupt("a node of a list is of no known kind")),
    }
}

fn set(input: &mut Input<'_>, limits: &Limits) -> Result<Set, Flaw> {
    let count = input.count(1)?;
    let mut set = Set::new();
    for i in 0..count {
        let member = input.string()?;
        if i == 0 {
            set.expect(count, &member, limits);
        }
        if !set.add(&member, limits) {
            return Err(Flaw::Corrupt(TWICE));
        }
    }
    Ok(set)
}

fn sorted_set<'a>(
    input: &mut Input<'a>,
    limits: &Limits,
    score: impl Fn(&mut Input<'a>) -> Result<f64, Flaw>,
) -> Result<SortedSet, Flaw> {
    let count = input.count(2)?;
    let mut sorted_set = SortedSet::new();
    sorted_set.expect(count, limits);
    for _ in 0..count {
        let (member, score) = (input.string()?, score(input)?);
        if score.is_nan() {
            return Err(Flaw::Corrupt("a score is no number"));
        }
        if sorted_set.insert(&member, score, limits) != Insert::Added {
            return Err(Flaw::Corrupt(TWICE));
        }
    }
    Ok(sorted_set)
}

fn packed_sorted_set(listpack: Listpack, limits: &Limits) -> Result<Value, Flaw> {
    let sorted_set = SortedSet::from_listpack(listpack, limits);
    sorted_set.map(Value::SortedSet).ok_or(Flaw::Corrupt("members and scores of a sorted set do not match"))
}

fn hash(input: &mut Input<'_>, limits: &Limits) -> Result<Hash, Flaw> {
    let count = input.count(2)?;
    let mut hash = Hash::new();
    hash.expect(count, limits);
    for _ in 0..count {
        let (field, value): (Cow<'_, [u8]>, Cow<'_, [u8]>) = (input.string()?, input.string()?);
        if !hash.set(&field, &value, limits) {
            return Err(Flaw::Corrupt(TWICE));
        }
    }
    Ok(hash)
}

fn packed_hash(listpack: Listpack, limits: &Limits) -> Result<Value, Flaw> {
    let hash = Hash::from_listpack(listpack, limits);
    hash.map(Value::Hash).ok_or(Flaw::Corrupt("fields and values of a hash do not match"))
}

/// A field, its value and its deadline.
type Mortal<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>, Option<i64>);

fn mortal_hash<'a>(
    input: &mut Input<'a>,
    limits: &Limits,
    mut field: impl FnMut(&mut Input<'a>) -> Result<Mortal<'a>, Flaw>,
) -> Result<Hash, Flaw> {
    let count = input.count(3)?;
    let mut hash = Hash::new();
    hash.expect(count, limits);
    for _ in 0..count {
        let (field, value, deadline) = field(input)?;
        if !hash.set(&field, &value, limits) {
            return Err(Flaw::Corrupt(TWICE));
        }
        if let Some(at) = deadline {
            let at = u64::try_from(at).ok().filter(|&at| at > 0);
            hash.set_deadline(&field, Some(at.ok_or(Flaw::Corrupt("a field expires at no time"))?), limits);
        }
    }
    Ok(hash)
}

fn packed_mortal_hash(listpack: Listpack, limits: &Limits) -> Result<Value, Flaw> {
    let hash = Hash::from_listpack_ex(listpack, limits);
    hash.map(Value::Hash).ok_or(Flaw::Corrupt("fields, values and times of a hash do not match"))
}

fn stream(input: &mut Input<'_>, number: u8) -> Result<Stream, Flaw> {
    let count = input.count(1)?;
    let mut nodes = Vec::new();
    for _ in 0..count {
        let master: [u8; 16] =
            input.string()?.as_ref().try_into().map_err(|_| Flaw::Corrupt("an ID is damaged"))?;
        nodes.push((StreamId::from_bytes(master), listpack(&input.string()?)?));
    }
    let (len, last_id) = (input.length()?, id(input)?);
    let mut facts = Facts { last_id, max_deleted_id: StreamId::MIN, entries_added: len };
    if number >= form::STREAM_2 {
        // The first ID is that of the first entry, which is there to be looked at.
        id(input)?;
        facts = Facts { max_deleted_id: id(input)?, entries_added: input.length()?, ..facts };
    }
    let mut stream =
        Stream::from_nodes(nodes, facts).ok_or(Flaw::Corrupt("a node of a stream is damaged"))?;
    if stream.len() != len {
        return Err(Flaw::Corrupt("a stream does not have as many entries as it says"));
    }
    for _ in 0..input.count(5)? {
        let group = group(input, number, &stream)?;
        if !stream.add_group(group) {
            return Err(Flaw::Corrupt(TWICE));
        }
    }
    Ok(stream)
}

fn group(input: &mut Input<'_>, number: u8, stream: &Stream) -> Result<Group, Flaw> {
    const DELIVERY: usize = 16 + 8 + 1;
    let (name, last_id) = (input.string()?, id(input)?);
    let entries_read = match number {
        form::STREAM => stream.entries_up_to(last_id),
        _ => Some(input.length()?).filter(|&read| read <= i64::MAX as u64),
    };
    let mut group = Group::new(&name, last_id, entries_read);
    let mut pending = OrderedMap::new();
    for _ in 0..input.count(DELIVERY)? {
        let delivery = (raw_id(input)?, (time(input)?, input.length()?));
        if pending.insert(delivery.0, delivery.1).is_some() {
            return Err(Flaw::Corrupt(TWICE));
        }
    }
    for _ in 0..input.count(10)? {
        let (name, seen_ms) = (input.string()?, time(input)?);
        let (consumer, is_new) = group.consumer_or_create(&name, seen_ms);
        if !is_new {
            return Err(Flaw::Corrupt(TWICE));
        }
        group.consumer_mut(consumer).active_ms = match number {
            form::STREAM_3 => u64::try_from(input.millis()?).ok(),
            _ => Some(seen_ms),
        };
        for _ in 0..input.count(16)? {
            let id = raw_id(input)?;
            // What is pending for a consumer is told by its group, and for one consumer only.
            let (at_ms, count) =
                pending.remove(&id).ok_or(Flaw::Corrupt("an entry is pending for nobody"))?;
            group.deliver(id, Delivery { consumer, at_ms, count });
        }
    }
    if !pending.is_empty() {
        return Err(Flaw::Corrupt("an entry is pending for nobody"));
    }
    Ok(group)
}

fn raw_id(input: &mut Input<'_>) -> Result<StreamId, Flaw> {
    input.array().map(StreamId::from_bytes)
}

/// A time, which is never before 1970 here.
fn time(input: &mut Input<'_>) -> Result<u64, Flaw> {
    input.millis().map(|millis| millis.max(0) as u64)
}

fn id(input: &mut Input<'_>) -> Result<StreamId, Flaw> {
    Ok(StreamId::new(input.length()?, input.length()?))
}
