//! One thin pointer that owns an intset or a listpack, and tells which by what it points to. When to change from one to
//! the other is the owner's business.

use super::block::start_of;
use super::intset::Intset;
use super::listpack::Listpack;
use super::tagged::Thin;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

/// An intset or a listpack, as wide as a pointer.
#[repr(transparent)]
pub struct PackedSet {
    word: NonNull<u8>,
}

/// What a [`PackedSet`] holds, by reference.
#[derive(Debug)]
pub enum Packed<I, L> {
    /// Integers in order.
    Intset(I),
    /// Members in the order of their coming.
    Listpack(L),
}

// SAFETY: the word is an owned `Intset` or `Listpack`, both of which are `Send`.
unsafe impl Send for PackedSet {}
// SAFETY: shared access hands out shared references only, and both are `Sync`.
unsafe impl Sync for PackedSet {}

// SAFETY: transparent over a pointer that is an `Intset` or a `Listpack`, which are `Thin` themselves.
unsafe impl Thin for PackedSet {}

impl PackedSet {
    /// Looks at what it holds.
    #[inline]
    pub fn get(&self) -> Packed<&Intset, &Listpack> {
        let word = &raw const self.word;
        match self.is_intset() {
            // SAFETY: the word is an `Intset`, which is transparent over a pointer.
            true => Packed::Intset(unsafe { &*word.cast() }),
            // SAFETY: the word is a `Listpack`, which is transparent over a pointer.
            false => Packed::Listpack(unsafe { &*word.cast() }),
        }
    }

    /// Opens what it holds for change.
    #[inline]
    pub fn get_mut(&mut self) -> Packed<&mut Intset, &mut Listpack> {
        let word = &raw mut self.word;
        match self.is_intset() {
            // SAFETY: as in `get`, borrowed uniquely.
            true => Packed::Intset(unsafe { &mut *word.cast() }),
            // SAFETY: as in `get`, borrowed uniquely.
            false => Packed::Listpack(unsafe { &mut *word.cast() }),
        }
    }

    /// The bytes begin with the width of the integers, 2, 4 or 8, or with the total length of a listpack: that is 7 when
    /// there is no element, and at least 9 when there is one.
    #[inline]
    fn is_intset(&self) -> bool {
        // SAFETY: both begin with four initialised bytes, aligned to 8.
        let start = u32::from_le(unsafe { start_of(self.word).cast::<u32>().read() });
        matches!(start, 2 | 4 | 8)
    }
}

impl From<Intset> for PackedSet {
    fn from(intset: Intset) -> Self {
        let intset = ManuallyDrop::new(intset);
        // SAFETY: an `Intset` is transparent over a pointer; its ownership moves into the word.
        PackedSet { word: unsafe { (&raw const intset).cast::<NonNull<u8>>().read() } }
    }
}

impl From<Listpack> for PackedSet {
    fn from(listpack: Listpack) -> Self {
        let listpack = ManuallyDrop::new(listpack);
        // SAFETY: a `Listpack` is transparent over a pointer; its ownership moves into the word.
        PackedSet { word: unsafe { (&raw const listpack).cast::<NonNull<u8>>().read() } }
    }
}

impl Drop for PackedSet {
    fn drop(&mut self) {
        match self.get_mut() {
            // SAFETY: the word owns the intset, and is not used again.
            Packed::Intset(intset) => unsafe { core::ptr::drop_in_place(intset) },
            // SAFETY: the word owns the listpack, and is not used again.
            Packed::Listpack(listpack) => unsafe { core::ptr::drop_in_place(listpack) },
        }
    }
}

impl Clone for PackedSet {
    fn clone(&self) -> Self {
        match self.get() {
            Packed::Intset(intset) => intset.clone().into(),
            Packed::Listpack(listpack) => listpack.clone().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intset_stays_an_intset() {
        let mut set = PackedSet::from(Intset::new());
        let values = [1, 300, -70_000, i64::MAX, 5, 6, 7, 8, 9, 10];
        for (count, value) in values.into_iter().enumerate() {
            let Packed::Intset(intset) = set.get_mut() else { panic!("an intset") };
            assert_eq!(intset.len(), count);
            assert!(intset.add(value));
        }
        let copy = set.clone();
        for value in values {
            let Packed::Intset(intset) = set.get_mut() else { panic!("an intset") };
            assert!(intset.remove(value));
        }
        assert!(matches!(copy.get(), Packed::Intset(intset) if intset.len() == values.len()));
    }

    #[test]
    fn a_listpack_stays_a_listpack() {
        let mut set = PackedSet::from(Listpack::new());
        for len in 0..70 {
            for text in [&[b'x'; 70][..len], b"7"] {
                let Packed::Listpack(listpack) = set.get_mut() else { panic!("a listpack") };
                assert!(listpack.is_empty());
                listpack.push_back(text);
                assert!(matches!(set.clone().get(), Packed::Listpack(listpack) if listpack.len() == 1));
                let Packed::Listpack(listpack) = set.get_mut() else { panic!("a listpack") };
                listpack.remove_range(0, 1);
            }
        }
    }
}
