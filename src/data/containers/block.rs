//! A byte string behind one thin pointer: the bytes themselves say how long they are. Owns the memory of listpacks
//! and intsets, and all of their `unsafe`; what the bytes mean is the business of those two.

use alloc::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error, realloc};
use core::fmt;
use core::marker::PhantomData;
use core::num::NonZeroUsize;
use core::ptr::NonNull;
use core::slice;

/// How the first bytes of a block tell its length.
///
/// # Safety
/// `length` is a pure function of the prefix, at least `PREFIX` for every prefix that is ever stored, and `PREFIX`
/// is at most 8.
pub(super) unsafe trait Frame {
    /// How many bytes at the front decide the length.
    const PREFIX: usize;

    /// The length of the whole block in bytes, prefix included.
    fn length(prefix: &[u8]) -> usize;
}

/// An owned, growable byte string of 8 bytes on the outside. The capacity is a function of the length, so neither is
/// stored; every byte up to the capacity is initialised. A *roomy* block has [`ROOM`] bytes at
/// least and doubles them: it is for what grows by little steps, of which few then move it.
#[repr(transparent)]
pub(super) struct Block<F: Frame> {
    /// Where the bytes start, whether they are roomy, and whether they are marked.
    word: NonNull<u8>,
    frame: PhantomData<F>,
}

/// What allocators put before a block. Capacities fall short of round numbers by it, so that as many blocks fit a larger
/// round room as the round numbers say.
const HEADROOM: usize = 8;
/// The least capacity of a roomy block.
const ROOM: usize = 1024 - HEADROOM;
/// The bit of the word that is set when the block is roomy. The one below is for the owner to use.
const ROOMY: usize = 2;
/// The bit that is set when the block is marked.
const MARK: usize = 4;

// SAFETY: a block owns its bytes alone, as a `Box<[u8]>` does.
unsafe impl<F: Frame> Send for Block<F> {}
// SAFETY: shared access only reads.
unsafe impl<F: Frame> Sync for Block<F> {}

impl<F: Frame> Block<F> {
    /// Copies `bytes`, whose prefix must announce exactly their length.
    pub(super) fn new(bytes: &[u8]) -> Self {
        Block { word: allocate::<F>(bytes, capacity(bytes.len())), frame: PhantomData }
    }

    /// The same with room to grow.
    pub(super) fn roomy(bytes: &[u8]) -> Self {
        let start = allocate::<F>(bytes, roomy_capacity(bytes.len()));
        Block { word: start.map_addr(|addr| addr | ROOMY), frame: PhantomData }
    }

    /// Gives back the room of what grows no more.
    pub(super) fn settle(&mut self) {
        if self.is_roomy() {
            let (old, new) = (self.capacity(), capacity(self.len()));
            self.word = self.word.map_addr(clear_roomy);
            if old != new {
                self.reallocate(old, new);
            }
        }
    }

    /// The length in bytes.
    #[inline]
    pub(super) fn len(&self) -> usize {
        // SAFETY: a block always holds its prefix, initialised.
        F::length(unsafe { slice::from_raw_parts(start_of(self.word), F::PREFIX) })
    }

    /// The bytes of the heap it occupies.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.capacity_of(self.len())
    }

    #[inline]
    fn capacity_of(&self, len: usize) -> usize {
        if self.is_roomy() { roomy_capacity(len) } else { capacity(len) }
    }

    /// All of it.
    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes are allocated and initialised, and borrowed with `self`.
        unsafe { slice::from_raw_parts(start_of(self.word), self.len()) }
    }

    /// What follows the prefix. The prefix is out of reach here, since the length of the memory hangs on it.
    #[inline]
    pub(super) fn body_mut(&mut self) -> &mut [u8] {
        let len = self.len();
        // SAFETY: as `as_bytes`, and borrowed uniquely with `self`.
        let bytes = unsafe { slice::from_raw_parts_mut(start_of(self.word), len) };
        &mut bytes[F::PREFIX..]
    }

    /// Stores another prefix and takes the length it announces. Bytes gained have no particular value.
    #[inline]
    pub(super) fn resize(&mut self, prefix: &[u8]) {
        assert!(prefix.len() == F::PREFIX);
        let (old, new) = (self.capacity(), self.capacity_of(F::length(prefix)));
        if old != new {
            self.reallocate(old, new);
        }
        // SAFETY: the capacity is at least 8, thus at least `PREFIX`.
        unsafe { start_of(self.word).copy_from_nonoverlapping(prefix.as_ptr(), F::PREFIX) };
    }

    /// Marks the block, whatever that means to its owner. The mark is not among the bytes.
    pub(super) fn mark(&mut self) {
        self.word = self.word.map_addr(|addr| addr | MARK);
    }

    /// Whether it is marked.
    #[inline]
    pub(super) fn is_marked(&self) -> bool {
        self.word.addr().get() & MARK != 0
    }

    #[inline]
    fn is_roomy(&self) -> bool {
        self.word.addr().get() & ROOMY != 0
    }

    /// Moves to `new` bytes.
    #[cold]
    fn reallocate(&mut self, old: usize, new: usize) {
        // SAFETY: the block was allocated with the layout of the capacity `old`; `new` is not zero and `layout`
        // refused what would overflow.
        let start = unsafe { realloc(start_of(self.word), layout(old), layout(new).size()) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout(new)) };
        self.word = start.map_addr(|addr| addr | (self.word.addr().get() & (ROOMY | MARK)));
        if new > old {
            // SAFETY: the memory now reaches to `new`.
            unsafe { start.add(old).write_bytes(0, new - old) };
        }
    }
}

impl<F: Frame> Drop for Block<F> {
    fn drop(&mut self) {
        // SAFETY: allocated with this very layout, and not used again.
        unsafe { dealloc(start_of(self.word), layout(self.capacity())) };
    }
}

impl<F: Frame> Clone for Block<F> {
    fn clone(&self) -> Self {
        let mut copy = Block::new(self.as_bytes());
        if self.is_marked() {
            copy.mark();
        }
        copy
    }
}

impl<F: Frame> PartialEq for Block<F> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<F: Frame> Eq for Block<F> {}

impl<F: Frame> fmt::Debug for Block<F> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.as_bytes().escape_ascii())
    }
}

/// The room a block of `len` bytes takes: whole words below 256 bytes, then eight steps a doubling, so that pushes
/// move the bytes a logarithmic number of times and at most an eighth stands empty. Applied to a capacity it changes
/// nothing.
fn capacity(len: usize) -> usize {
    if len <= 256 {
        return len.next_multiple_of(8).max(8);
    }
    let len = len + HEADROOM;
    let step = 1 << ((len - 1).ilog2() - 3);
    len.next_multiple_of(step) - HEADROOM
}

/// The room a roomy block of `len` bytes takes.
#[inline]
fn roomy_capacity(len: usize) -> usize {
    ((len + HEADROOM).next_power_of_two() - HEADROOM).max(ROOM)
}

/// Where the bytes start of a block whose word this is.
#[inline]
pub(super) fn start_of(word: NonNull<u8>) -> *mut u8 {
    word.as_ptr().map_addr(|addr| addr & !(ROOMY | MARK))
}

/// The address of a block that is roomy no more.
fn clear_roomy(addr: NonZeroUsize) -> NonZeroUsize {
    NonZeroUsize::new(addr.get() & !ROOMY).expect("an address aligned to 8 has a higher bit")
}

/// Copies `bytes`, whose prefix must announce exactly their length, into `capacity` bytes of their own.
fn allocate<F: Frame>(bytes: &[u8], capacity: usize) -> NonNull<u8> {
    assert!(bytes.len() >= F::PREFIX && F::length(&bytes[..F::PREFIX]) == bytes.len());
    assert!(bytes.len() <= capacity);
    let layout = layout(capacity);
    // SAFETY: the layout is never empty, since a capacity is not.
    let start = unsafe { alloc_zeroed(layout) };
    let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
    // SAFETY: the fresh allocation holds at least `bytes.len()` bytes and nobody else knows it.
    unsafe { start.copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
    start
}

/// Aligned to 8, so that a pointer to a block has bits to spare for tags.
fn layout(capacity: usize) -> Layout {
    Layout::from_size_align(capacity, 8).expect("a block is shorter than isize::MAX")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// One length byte, then the rest.
    #[derive(Debug)]
    struct Pascal;

    // SAFETY: pure, and at least 1.
    unsafe impl Frame for Pascal {
        const PREFIX: usize = 1;
        fn length(prefix: &[u8]) -> usize {
            prefix[0] as usize * 8 + 1
        }
    }

    #[test]
    fn capacity_wastes_at_most_an_eighth_and_is_its_own_fixpoint() {
        for len in 1..20_000 {
            let room = capacity(len);
            assert!(room >= len && room <= len + (len / 8).max(8), "{len} takes {room}");
            assert_eq!(capacity(room), room);
            assert!(capacity(len + 1) >= room);
        }
        assert_eq!(capacity(8150), 8192 - HEADROOM);
    }

    #[test]
    fn grows_and_shrinks_with_its_prefix() {
        let mut block = Block::<Pascal>::new(&[0]);
        for size in (0..=255).chain((0..255).rev()) {
            block.resize(&[size]);
            assert_eq!(block.len(), size as usize * 8 + 1);
            let fill = vec![size; size as usize * 8];
            block.body_mut().copy_from_slice(&fill);
            assert_eq!(&block.as_bytes()[1..], &fill[..]);
            assert_eq!(block.clone(), block);
        }
    }

    #[test]
    fn room_is_kept_until_the_block_settles() {
        let mut block = Block::<Pascal>::roomy(&[0]);
        for (size, room) in [(3, ROOM), (126, ROOM), (0, ROOM), (200, 2040), (3, ROOM), (253, 2040)] {
            block.resize(&[size]);
            block.body_mut().fill(size);
            assert_eq!(block.capacity(), room);
            assert!(block.as_bytes().iter().all(|&byte| byte == size));
            assert_eq!(block.clone(), block);
        }
        let copy = block.clone();
        block.settle();
        assert_eq!((block.capacity(), &block), (2040, &copy));
        for (size, room) in [(200, 1656), (3, 32), (100, 824)] {
            block.resize(&[size]);
            assert_eq!(block.capacity(), room);
        }
        let mut block = Block::<Pascal>::roomy(&vec![129; 1033]);
        assert_eq!(block.capacity(), 2040);
        block.settle();
        block.settle();
        assert_eq!(block.capacity(), 1144);
    }

    #[test]
    fn a_mark_stays_through_moves() {
        for mut block in [Block::<Pascal>::new(&[0]), Block::roomy(&[0])] {
            block.mark();
            for size in [3, 127, 200, 3, 0] {
                block.resize(&[size]);
                block.body_mut().fill(size);
                assert!(block.is_marked() && block.clone().is_marked());
                assert_eq!(block.len(), size as usize * 8 + 1);
            }
        }
        assert!(!Block::<Pascal>::new(&[0]).is_marked());
    }

    #[test]
    fn is_as_thin_as_a_pointer() {
        assert_eq!(size_of::<Option<Block<Pascal>>>(), size_of::<usize>());
    }

    #[test]
    #[should_panic]
    fn refuses_bytes_of_another_length() {
        Block::<Pascal>::new(&[1, 2]);
    }
}
