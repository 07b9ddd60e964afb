//! Streams against a plain model, and entries byte by byte.

use super::*;
use crate::data::number::Digits;
use alloc::collections::BTreeMap;
use alloc::string::ToString;
use alloc::{vec, vec::Vec};

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fn add(stream: &mut Stream, id: (u64, u64), words: &str) {
    let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
    let fields = words.chunks(2).map(|pair| (pair[0], pair[1]));
    assert!(stream.append(StreamId::new(id.0, id.1), fields, NodeLimit::default()));
}

fn pairs(entry: StreamEntry<'_>) -> (StreamId, Pairs) {
    let (mut one, mut two) = (Digits::new(), Digits::new());
    let fields =
        entry.fields.map(|(name, value)| (name.text(&mut one).to_vec(), value.text(&mut two).to_vec()));
    (entry.id, fields.collect())
}

fn parts(stream: &Stream) -> Vec<(StreamId, Listpack)> {
    stream.nodes().map(|(master, listpack)| (master, listpack.clone())).collect()
}

/// The listpack of a stream as redis-server 7.0.15 dumps it, after the same commands.
const NODE: &[u8] = b"}\0\0\0(\0\x04\x01\x01\x01\x02\x01\x84name\x05\x83age\x04\0\x01\x02\x01\0\x01\0\x01\x83Ada\x04$\x01\
    \x05\x01\x02\x01\0\x01\x01\x01\x83Bob\x04\x07\x01\x05\x01\x01\x01\x01\x01\xdf\xfb\x02\x01\x01\x84name\x05\x82Cy\x03\
    \x06\x01\0\x01\xc1,\x02\x04\x01\x02\x01\x83age\x04\x01\x01\x84name\x05\x82Di\x03\x08\x01\x02\x01\xf2\x88\x0d\x01\x04\
    \xdf\xfc\x02\x83Eve\x04\xdf8\x02\x05\x01\xff";

fn people() -> Stream {
    let mut stream = Stream::new();
    add(&mut stream, (1000, 5), "name Ada age 36");
    add(&mut stream, (1000, 6), "name Bob age 7");
    add(&mut stream, (1001, 0), "name Cy");
    add(&mut stream, (1300, 9), "age 1 name Di");
    add(&mut stream, (70_000, 1), "name Eve age -200");
    assert!(stream.delete(StreamId::new(1001, 0)));
    stream
}

#[test]
fn bytes_are_those_of_redis() {
    let stream = people();
    assert_eq!(parts(&stream).len(), 1);
    assert_eq!(parts(&stream)[0].1.as_bytes(), NODE);
    assert_eq!(parts(&stream)[0].0, StreamId::new(1000, 5));
    let facts =
        Facts { last_id: StreamId::new(70_000, 1), max_deleted_id: StreamId::new(1001, 0), entries_added: 5 };
    assert_eq!((stream.facts(), stream.len()), (facts, 4));
}

/// What redis-server 7.0.15 keeps of 450 entries after `XTRIM MAXLEN 401` and `XTRIM MINID ~ 1500`: the master of each
/// node, its bytes and their FNV-1a hash.
#[test]
fn nodes_are_those_of_redis() {
    let mut stream = Stream::new();
    for i in 0..450 {
        add(&mut stream, (1000 + i * 3, 1), &alloc::format!("f {} n {i}", "x".repeat(i as usize % 60)));
    }
    assert_eq!(stream.trim(Keep::Last(401), Precision::Exact, References::Keep), 49);
    assert_eq!(
        stream.trim(Keep::From(StreamId::new(1500, 0)), Precision::Nodes { most: 10_000 }, References::Keep),
        51
    );
    assert_eq!((stream.len(), stream.facts().max_deleted_id), (350, StreamId::MIN));
    let nodes: Vec<_> = stream
        .nodes()
        .map(|(master, listpack)| {
            let hash = listpack.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
                (hash ^ byte as u64).wrapping_mul(0x100_0000_01b3)
            });
            (master.ms, master.seq, listpack.bytes_len(), hash)
        })
        .collect();
    let expected = [
        (1300, 1, 4090, 0xbe3f_40cb_3411_76cb),
        (1579, 1, 4067, 0x0b98_79f3_026c_92e6),
        (1861, 1, 4071, 0x0d56_d10a_b4c8_1354),
        (2152, 1, 2831, 0x4d7b_17c0_a6b7_2038),
    ];
    assert_eq!(nodes, expected);
}

#[test]
fn ids_are_given_as_redis_does() {
    let mut stream = Stream::new();
    let id = |ms, seq| Ok(StreamId::new(ms, seq));
    assert_eq!(stream.next_id(NewId::Auto, 0), id(0, 1));
    assert_eq!(stream.next_id(NewId::Within(0), 9), id(0, 1));
    assert_eq!(stream.next_id(NewId::Exact(StreamId::MIN), 9), Err(IdError::Zero));
    add(&mut stream, (7, 3), "a 1");
    assert_eq!(stream.next_id(NewId::Auto, 8), id(8, 0));
    assert_eq!(stream.next_id(NewId::Auto, 7), id(7, 4));
    assert_eq!(stream.next_id(NewId::Within(7), 1), id(7, 4));
    assert_eq!(stream.next_id(NewId::Within(8), 1), id(8, 0));
    assert_eq!(stream.next_id(NewId::Within(6), 1), Err(IdError::NotGreater));
    assert_eq!(stream.next_id(NewId::Exact(StreamId::new(7, 3)), 1), Err(IdError::NotGreater));
    assert!(!stream.append(StreamId::new(7, 3), [(&b"a"[..], &b"1"[..])], NodeLimit::default()));
    add(&mut stream, (7, u64::MAX), "a 1");
    assert_eq!(stream.next_id(NewId::Within(7), 1), Err(IdError::NotGreater));
    assert_eq!(stream.next_id(NewId::Auto, 1), id(8, 0));
    add(&mut stream, (u64::MAX, u64::MAX), "a 1");
    for wanted in [NewId::Auto, NewId::Within(9), NewId::Exact(StreamId::new(9, 9))] {
        assert_eq!(stream.next_id(wanted, 1), Err(IdError::Exhausted));
    }
    let all: Vec<_> = stream.range(StreamId::MIN, StreamId::MAX).map(|entry| entry.id).collect();
    assert_eq!(all, [StreamId::new(7, 3), StreamId::new(7, u64::MAX), StreamId::MAX]);
}

#[test]
fn behaves_as_a_sorted_map() {
    let small = NodeLimit { bytes: 200, entries: 6 };
    let counted = NodeLimit { bytes: 0, entries: 3 };
    for (seed, limit) in [(1, small), (2, counted), (3, NodeLimit::default())] {
        run_beside_a_map(seed, limit);
    }
}

/// Random operations on a stream and on a map: both always hold the same.
fn run_beside_a_map(seed: u64, limit: NodeLimit) {
    let mut state = seed;
    let mut below = |n: u64| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) % n
    };
    let (mut stream, mut model) = (Stream::new(), BTreeMap::<StreamId, Pairs>::new());
    let (mut added, mut max_deleted) = (0, StreamId::MIN);
    for step in 0..4000 {
        let last = stream.facts().last_id;
        let known = model.keys().nth(below(model.len() as u64 + 1) as usize).copied().unwrap_or(last);
        match below(if step / 1000 % 2 == 0 { 12 } else { 16 }) {
            0..=7 => {
                let names =
                    [vec!["a", "b"], vec!["a"], vec!["17", "b"], vec!["a", "b"]][below(4) as usize].clone();
                let fields: Pairs = names
                    .iter()
                    .map(|name| {
                        let value = ["x".repeat(below(20) as usize), below(1000).to_string()]
                            [below(2) as usize]
                            .clone();
                        (name.as_bytes().to_vec(), value.into_bytes())
                    })
                    .collect();
                let id = stream.next_id(NewId::Auto, last.ms + below(3)).expect("an ID");
                assert!(stream.append(id, fields.iter().map(|(name, value)| (&name[..], &value[..])), limit));
                model.insert(id, fields);
                added += 1;
            }
            8 | 12 | 13 => {
                let there = model.remove(&known).is_some();
                assert_eq!(stream.delete(known), there);
                if there {
                    max_deleted = max_deleted.max(known);
                }
            }
            9 if below(6) == 0 => {
                let keep = below(model.len() as u64 + 3);
                let surplus = (model.len() as u64).saturating_sub(keep);
                assert_eq!(stream.trim(Keep::Last(keep), Precision::Exact, References::Keep), surplus);
                (0..surplus).for_each(|_| drop(model.pop_first()));
            }
            10 if below(6) == 0 => {
                let kept = model.split_off(&known);
                assert_eq!(
                    stream.trim(Keep::From(known), Precision::Exact, References::Keep),
                    model.len() as u64
                );
                model = kept;
            }
            11 if below(6) == 0 => {
                let (keep, most) = (below(model.len() as u64 + 3), below(20));
                let removed = stream.trim(Keep::Last(keep), Precision::Nodes { most }, References::Keep);
                assert!(
                    removed <= (model.len() as u64).saturating_sub(keep) && (most == 0 || removed <= most)
                );
                (0..removed).for_each(|_| drop(model.pop_first()));
            }
            14 if below(6) == 0 => {
                let removed = stream.trim(Keep::From(known), Precision::Nodes { most: 0 }, References::Keep);
                assert!(removed <= model.range(..known).count() as u64);
                (0..removed).for_each(|_| drop(model.pop_first()));
            }
            _ => {
                let end = model.keys().nth(below(model.len() as u64 + 1) as usize).copied().unwrap_or(last);
                let ours: Vec<_> = stream.range(known, end).map(pairs).collect();
                let theirs: Vec<_> = model
                    .iter()
                    .filter(|(id, _)| (known..=end).contains(id))
                    .map(|(id, fields)| (*id, fields.clone()))
                    .collect();
                assert_eq!(ours, theirs);
                let mut backwards: Vec<_> = stream.range_backwards(known, end).map(pairs).collect();
                backwards.reverse();
                assert_eq!(backwards, theirs);
                assert_eq!(stream.get(known).map(pairs).map(|pair| pair.1), model.get(&known).cloned());
            }
        }
        assert_eq!(stream.len(), model.len() as u64);
        assert_eq!(stream.first().map(|entry| entry.id), model.keys().next().copied());
        assert_eq!(stream.last().map(|entry| entry.id), model.keys().next_back().copied());
        let facts = stream.facts();
        assert_eq!((facts.entries_added, facts.max_deleted_id), (added, max_deleted));
        if step % 100 == 0 {
            let copy = Stream::from_nodes(parts(&stream), facts).expect("our own nodes");
            assert_eq!(copy.len(), stream.len());
            let all =
                |stream: &Stream| stream.range(StreamId::MIN, StreamId::MAX).map(pairs).collect::<Vec<_>>();
            assert_eq!(all(&copy), all(&stream));
        }
    }
}

#[test]
fn refuses_what_is_no_stream() {
    let (whole, facts) = (people(), people().facts());
    let load = |nodes: Vec<(StreamId, Listpack)>, facts| Stream::from_nodes(nodes, facts);
    assert!(load(parts(&whole), facts).is_some());
    assert!(load(parts(&whole), Facts { last_id: StreamId::new(69_999, 9), ..facts }).is_none());
    assert!(load([parts(&whole), parts(&whole)].concat(), facts).is_none(), "twice the same node");
    assert!(load(vec![(StreamId::new(1000, 5), Listpack::new())], facts).is_none());
    for bit in 0..NODE.len() * 8 {
        let mut bytes = NODE.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Some(listpack) = Listpack::from_bytes(&bytes) else { continue };
        let Some(mut stream) = load(vec![(StreamId::new(1000, 5), listpack)], facts) else { continue };
        assert_eq!(stream.range(StreamId::MIN, StreamId::MAX).map(pairs).count() as u64, stream.len());
        assert_eq!(
            stream.range_backwards(StreamId::MIN, StreamId::MAX).map(pairs).count() as u64,
            stream.len()
        );
        stream.append(StreamId::MAX, [(&b"a"[..], &b"1"[..])], NodeLimit::default());
        let len = stream.len();
        assert_eq!(stream.trim(Keep::Last(0), Precision::Exact, References::Keep), len);
    }
}

/// Every element of a node replaced, removed or doubled: refused, or a stream that holds together.
#[test]
fn survives_elements_out_of_place() {
    let whole = Listpack::from_bytes(NODE).expect("a listpack");
    let facts = Facts { last_id: StreamId::MAX, ..people().facts() };
    for index in 0..whole.len() as isize {
        for value in [None, Some(-1), Some(0), Some(1), Some(3), Some(5), Some(i64::MAX), Some(i64::MIN)] {
            for insert in [false, true] {
                let mut listpack = whole.clone();
                let position = listpack.seek(index).expect("inside");
                match value {
                    None => drop(listpack.remove(position)),
                    Some(value) if insert => drop(listpack.insert_before(position, value)),
                    Some(value) => listpack.replace(position, value),
                }
                let Some(stream) = Stream::from_nodes([(StreamId::new(1000, 5), listpack)], facts) else {
                    continue;
                };
                let mut backwards: Vec<_> =
                    stream.range_backwards(StreamId::MIN, StreamId::MAX).map(pairs).collect();
                backwards.reverse();
                assert_eq!(
                    stream.range(StreamId::MIN, StreamId::MAX).map(pairs).collect::<Vec<_>>(),
                    backwards
                );
                assert_eq!(backwards.len() as u64, stream.len());
            }
        }
    }
}

#[test]
fn entries_take_little() {
    assert_eq!(size_of::<Option<Stream>>(), size_of::<usize>());
    let mut stream = Stream::new();
    for i in 0..50_000u64 {
        let value = (10_000_000 + i).to_string();
        assert!(stream.append(
            StreamId::new(1_700_000_000_000 + i, 0),
            [(&b"sensor"[..], &b"12"[..]), (b"value", value.as_bytes())],
            NodeLimit::default(),
        ));
    }
    let per_entry = stream.memory() as f64 / 50_000.0;
    assert!(per_entry < 21.0, "{per_entry} bytes an entry");
}

fn numbered(count: u64) -> Stream {
    let mut stream = Stream::new();
    (1..=count).for_each(|ms| add(&mut stream, (ms, 0), "a 1"));
    stream
}

fn read(stream: &mut Stream, most: usize, acknowledges: bool) -> Vec<u64> {
    let (consumer, _) = stream.group_mut(b"g").expect("a group").consumer_or_create(b"ada", 5);
    let mut ids = Vec::new();
    let reader = Reader { group: b"g", consumer, now_ms: 7, acknowledges };
    let count = stream.deliver(reader, most, |entry| ids.push(entry.id.ms));
    assert_eq!(count, ids.len());
    ids
}

fn group(stream: &Stream) -> &Group {
    stream.group(b"g").expect("a group")
}

#[test]
fn groups_read_each_entry_once() {
    let mut stream = numbered(5);
    assert!(stream.add_group(Group::new(b"g", StreamId::new(1, 0), None)));
    assert!(!stream.add_group(Group::new(b"g", StreamId::MIN, None)));
    assert!(stream.has_news_for(group(&stream)));
    assert_eq!(read(&mut stream, 2, false), [2, 3]);
    assert_eq!(read(&mut stream, 1, true), [4]);
    let pending =
        group(&stream).pending().iter().map(|(id, delivery)| (id.ms, delivery.at_ms, delivery.count));
    assert_eq!(pending.collect::<Vec<_>>(), [(2, 7, 1), (3, 7, 1)]);
    assert_eq!(read(&mut stream, 9, true), [5]);
    assert!(!stream.has_news_for(group(&stream)) && read(&mut stream, 9, true).is_empty());
    assert_eq!(group(&stream).last_id, StreamId::new(5, 0));
    assert!(stream.remove_group(b"g") && !stream.remove_group(b"g"));
}

/// The values are those of redis-server 7.0.15 after the same commands.
#[test]
fn lag_is_known_unless_entries_went_from_the_middle() {
    let mut stream = numbered(5);
    stream.add_group(Group::new(b"g", StreamId::MIN, None));
    let state = |stream: &Stream| (group(stream).entries_read, stream.lag(group(stream)));
    assert_eq!(state(&stream), (None, Some(5)));
    read(&mut stream, 2, true);
    assert_eq!(state(&stream), (Some(2), Some(3)));
    stream.delete(StreamId::new(4, 0));
    assert_eq!(state(&stream), (Some(2), None));
    read(&mut stream, 1, true);
    assert_eq!(state(&stream), (None, None));
    read(&mut stream, 1, true);
    assert_eq!(state(&stream), (Some(5), Some(0)));
    add(&mut stream, (6, 0), "a 1");
    assert_eq!(state(&stream), (Some(5), Some(1)));
}

#[test]
fn trimming_minds_the_groups_if_told_so() {
    let left = |stream: &Stream| -> Vec<u64> {
        stream.range(StreamId::MIN, StreamId::MAX).map(|entry| entry.id.ms).collect()
    };
    let pending = |stream: &Stream| group(stream).pending().iter().map(|(id, _)| id.ms).collect::<Vec<_>>();
    for (references, removed, kept, still_pending) in [
        (References::Keep, 3, vec![4, 5], vec![1, 3, 4]),
        (References::Drop, 3, vec![4, 5], vec![4]),
        (References::Respect, 1, vec![1, 3, 4, 5], vec![1, 3, 4]),
    ] {
        for keep in [Keep::Last(2), Keep::From(StreamId::new(4, 0))] {
            let mut stream = numbered(5);
            stream.add_group(Group::new(b"g", StreamId::MIN, None));
            assert_eq!(read(&mut stream, 4, false), [1, 2, 3, 4]);
            assert!(stream.group_mut(b"g").expect("a group").acknowledge(StreamId::new(2, 0)));
            assert_eq!(stream.trim(keep, Precision::Nodes { most: 0 }, references), 0);
            assert_eq!(stream.trim(keep, Precision::Exact, references), removed);
            assert_eq!((left(&stream), pending(&stream)), (kept.clone(), still_pending.clone()));
        }
    }
}

/// By whole nodes, entries that no group refers to go the same way whatever is said about references.
#[test]
fn whole_nodes_go_alike() {
    for most in [0, 100, 150, 250] {
        for keep in [Keep::Last(120), Keep::From(StreamId::new(230, 0)), Keep::Last(0)] {
            let trimmed = |references| {
                let mut stream = numbered(350);
                let removed = stream.trim(keep, Precision::Nodes { most }, references);
                (removed, parts(&stream))
            };
            assert_eq!(trimmed(References::Keep), trimmed(References::Drop));
            assert_eq!(trimmed(References::Keep), trimmed(References::Respect));
        }
    }
}
