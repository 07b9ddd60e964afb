//! Lists against a plain model.

use super::*;
use alloc::collections::VecDeque;
use alloc::string::ToString;
use alloc::{vec, vec::Vec};

const BYTES: NodeLimit = NodeLimit::new(-2);
const THREE: NodeLimit = NodeLimit::new(3);

fn of(values: &[&[u8]], limit: NodeLimit) -> List {
    let mut list = List::new();
    values.iter().for_each(|value| list.push(Side::Back, value, limit));
    list
}

fn text(entry: Entry<'_>) -> Vec<u8> {
    entry.text(&mut Digits::new()).to_vec()
}

fn counts(list: &List) -> Vec<usize> {
    list.nodes()
        .map(|node| match node {
            NodeView::Packed(listpack) => listpack.len(),
            NodeView::Plain(_) => 1,
        })
        .collect()
}

#[test]
fn changes_form_as_redis_does() {
    let mut list = of(&[b"a", b"b", b"c"], THREE);
    assert_eq!(list.encoding(), "listpack");
    list.push(Side::Back, b"d", THREE);
    assert_eq!((list.encoding(), counts(&list)), ("quicklist", vec![3, 1]));
    list.pop(Side::Back, THREE);
    list.pop(Side::Back, THREE);
    assert_eq!(list.encoding(), "quicklist", "two of three is more than half");
    list.pop(Side::Back, THREE);
    assert_eq!(list.encoding(), "listpack");

    let mut bytes = of(&[&[b'x'; 4000][..]; 2], BYTES);
    assert_eq!(bytes.encoding(), "listpack");
    bytes.push(Side::Front, &[b'x'; 200], BYTES);
    assert_eq!(bytes.encoding(), "quicklist");
    bytes.pop(Side::Front, BYTES);
    assert_eq!(bytes.encoding(), "quicklist");
    bytes.pop(Side::Front, BYTES);
    assert_eq!(bytes.encoding(), "listpack");

    let mut huge = of(&[b"a", &[b'x'; 8193]], BYTES);
    assert_eq!((huge.encoding(), counts(&huge)), ("quicklist", vec![1, 1]));
    assert!(huge.nodes().any(|node| matches!(node, NodeView::Plain(value) if value.len() == 8193)));
    assert!(huge.set(-1, b"small", BYTES));
    assert_eq!(huge.remove(Side::Front, 9, b"a", BYTES), 1);
    assert_eq!(huge.encoding(), "listpack");
    assert_eq!(huge.get(0), Some(Entry::Text(b"small")));

    let mut replaced = of(&[&[b'x'; 8193]], BYTES);
    assert!(replaced.set(0, b"7", BYTES));
    assert_eq!((replaced.encoding(), replaced.get(0)), ("listpack", Some(Entry::Int(7))));
}

#[test]
fn limits_are_those_of_redis() {
    let sizes = [-1, -2, -3, -4, -5, -6, i32::MIN].map(NodeLimit::new);
    for (limit, bytes) in sizes.iter().zip([4096, 8192, 16_384, 32_768, 65_536, 65_536, 65_536]) {
        assert!(!limit.is_exceeded_by(bytes, 1_000_000) && limit.is_exceeded_by(bytes + 1, 1));
    }
    assert!(NodeLimit::new(5).is_exceeded_by(1, 6) && !NodeLimit::new(5).is_exceeded_by(8192, 5));
    assert!(NodeLimit::new(5).is_exceeded_by(8193, 1));
    assert!(NodeLimit::new(i32::MAX).is_exceeded_by(1, 32_768) && !NodeLimit::new(0).is_exceeded_by(1, 1));
}

#[test]
fn behaves_as_a_deque() {
    for (seed, size) in [-2, 3, 1, 100, -1, 0, -5].into_iter().enumerate() {
        for long in [5, 300, 9000] {
            run_beside_a_deque(seed as u64, NodeLimit::new(size), long);
        }
    }
}

/// Random operations on a list and on a deque: both always hold the same.
fn run_beside_a_deque(seed: u64, limit: NodeLimit, long: usize) {
    let mut state = seed;
    let mut below = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 33) as usize) % n
    };
    let (mut list, mut model) = (List::new(), VecDeque::<Vec<u8>>::new());
    for step in 0..3000 {
        let value = match below(8) {
            0 => vec![b'x'; below(long)],
            1 | 2 => below(20_000).to_string().into_bytes(),
            _ => vec![b'a' + below(6) as u8; 1 + below(40)],
        };
        let known = if model.is_empty() { value.clone() } else { model[below(model.len())].clone() };
        let side = [Side::Front, Side::Back][below(2)];
        let index = below(model.len() + 1);
        match below(if step / 700 % 2 == 0 { 13 } else { 18 }) {
            0..=5 => {
                list.push(side, &value, limit);
                match side {
                    Side::Front => model.push_front(value),
                    Side::Back => model.push_back(value),
                }
            }
            6 => {
                let from_front = side == Side::Front || index == model.len();
                let signed = index as i64 - if from_front { 0 } else { model.len() as i64 };
                let there = list.set(signed, &value, limit);
                assert_eq!(there, index < model.len());
                if there {
                    model[index] = value;
                }
            }
            7..=9 => {
                let at = model.iter().position(|element| *element == known);
                assert_eq!(list.insert(side, &known, &value, limit), at.is_some());
                if let Some(at) = at {
                    model.insert(at + (side == Side::Back) as usize, value);
                }
            }
            10 => {
                let most = below(4);
                let mut found: Vec<usize> = (0..model.len()).filter(|&i| model[i] == known).collect();
                if side == Side::Back {
                    found.reverse();
                }
                found.truncate(most);
                found.sort();
                assert_eq!(list.remove(side, most, &known, limit), found.len());
                found.iter().rev().for_each(|&at| drop(model.remove(at)));
            }
            11 if below(10) == 0 => {
                let count = below(model.len() + 5);
                list.trim(index, count, limit);
                model = model.into_iter().skip(index).take(count).collect();
            }
            12 => {
                let expected: Vec<usize> = (0..model.len()).filter(|&i| model[i] == known).collect();
                assert_eq!(list.positions(&known, Side::Front).collect::<Vec<_>>(), expected);
                let mut backwards: Vec<_> = list.positions(&known, Side::Back).collect();
                backwards.reverse();
                assert_eq!(backwards, expected);
            }
            _ => {
                let popped = match side {
                    Side::Front => model.pop_front(),
                    Side::Back => model.pop_back(),
                };
                assert_eq!(list.peek(side).map(text), popped);
                assert_eq!(list.pop(side, limit), popped);
            }
        }
        assert_eq!(list.len(), model.len());
        assert_eq!(list.is_empty(), model.is_empty());
        let index = below(model.len() + 1);
        assert_eq!(list.get(index as i64).map(text), model.get(index).cloned());
        assert_eq!(list.get(-1 - index as i64).map(text), model.iter().nth_back(index).cloned());
        if step % 40 == 0 {
            check(&list, &model, limit);
            let (start, count) = (below(model.len() + 2), below(model.len() + 2));
            let expected: Vec<_> = model.iter().skip(start).take(count).cloned().collect();
            let range = list.range(start, count);
            assert_eq!(range.len(), expected.len());
            assert_eq!(range.clone().map(text).collect::<Vec<_>>(), expected);
            let mut backwards: Vec<_> = range.clone().rev().map(text).collect();
            backwards.reverse();
            assert_eq!(backwards, expected);
            assert_eq!(zigzag(range), zigzag(expected.into_iter()));
        }
    }
}

/// Takes from both ends by turns, now and then passing over some.
fn zigzag<T: IntoText>(mut iter: impl DoubleEndedIterator<Item = T>) -> Vec<Vec<u8>> {
    let mut seen = Vec::new();
    for turn in 0.. {
        let next = match turn % 4 {
            0 => iter.next(),
            1 => iter.next_back(),
            2 => iter.nth(turn % 7),
            _ => iter.nth_back(turn % 5),
        };
        let Some(next) = next else { break };
        seen.push(next.into_text());
    }
    seen
}

trait IntoText {
    fn into_text(self) -> Vec<u8>;
}

impl IntoText for Entry<'_> {
    fn into_text(self) -> Vec<u8> {
        text(self)
    }
}

impl IntoText for Vec<u8> {
    fn into_text(self) -> Vec<u8> {
        self
    }
}

/// The list holds the elements of the model, its nodes keep to the limit, and it survives being taken apart.
fn check(list: &List, model: &VecDeque<Vec<u8>>, limit: NodeLimit) {
    assert_eq!(list.iter().map(text).collect::<VecDeque<_>>(), *model);
    assert_eq!(
        list.iter().rev().map(text).collect::<Vec<_>>(),
        model.iter().rev().cloned().collect::<Vec<_>>()
    );
    let quicklist = list.encoding() == "quicklist";
    let mut nodes = Vec::new();
    for view in list.nodes() {
        nodes.push(match view {
            NodeView::Plain(value) => {
                assert!(limit.is_too_large(value));
                Node::plain(value)
            }
            NodeView::Packed(listpack) => {
                assert!(
                    !limit.is_exceeded_by(listpack.bytes_len(), listpack.len())
                        || listpack.len() == 1
                        || !quicklist
                );
                assert!(!listpack.is_empty() || !quicklist);
                Node::packed(listpack.clone())
            }
        });
    }
    let copy = List::from_nodes(nodes, limit);
    assert_eq!(copy.len(), model.len());
    assert!(copy.iter().eq(list.iter()));
}

#[test]
fn is_as_wide_as_a_pointer() {
    assert_eq!(size_of::<Option<List>>(), size_of::<usize>());
}

#[test]
fn a_million_elements_take_little_more_than_themselves() {
    for side in [Side::Front, Side::Back] {
        let mut list = List::new();
        for i in 0..100_000 {
            list.push(side, alloc::format!("element {i:024}").as_bytes(), BYTES);
        }
        let per_element = list.memory() as f64 / 100_000.0;
        assert!(per_element < 35.0, "{per_element} bytes an element of 32");
    }
}
