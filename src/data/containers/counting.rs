//! An allocator that knows how many bytes are allocated, around another one that does the work. It counts what was asked
//! for, not what the other one rounds that up to or keeps for later.

use core::{
    alloc::{GlobalAlloc, Layout},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Counts the bytes that `A` has given out.
pub struct Counting<A> {
    inner: A,
    allocated: AtomicUsize,
}

impl<A> Counting<A> {
    /// Nothing allocated yet.
    pub const fn new(inner: A) -> Self {
        Counting { inner, allocated: AtomicUsize::new(0) }
    }

    /// Bytes allocated and not freed.
    pub fn allocated(&self) -> usize {
        self.allocated.load(Relaxed)
    }

    fn count(&self, start: *mut u8, bytes: usize) -> *mut u8 {
        if !start.is_null() {
            self.allocated.fetch_add(bytes, Relaxed);
        }
        start
    }
}

// SAFETY: every call is passed on as it came, and counting neither allocates nor unwinds.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Counting<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the one that `inner` asks for.
        self.count(unsafe { self.inner.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        self.count(unsafe { self.inner.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`; `start` came from `inner`.
        unsafe { self.inner.dealloc(start, layout) };
        self.allocated.fetch_sub(layout.size(), Relaxed);
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as in `dealloc`.
        let moved = unsafe { self.inner.realloc(start, layout, new_size) };
        if !moved.is_null() {
            // Wraps around when the block shrinks, and so takes away what it lost.
            self.allocated.fetch_add(new_size.wrapping_sub(layout.size()), Relaxed);
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::alloc::System;

    #[test]
    fn counts_what_is_allocated_until_it_is_freed() {
        let counting = Counting::new(System);
        let layout = |size| Layout::from_size_align(size, 8).unwrap();
        // SAFETY: the layouts are not empty, and each block is given back with the layout it has.
        unsafe {
            let a = counting.alloc(layout(100));
            let b = counting.alloc_zeroed(layout(50));
            assert_eq!((counting.allocated(), *b), (150, 0));
            let a = counting.realloc(a, layout(100), 1000);
            assert_eq!(counting.allocated(), 1050);
            let a = counting.realloc(a, layout(1000), 10);
            assert_eq!(counting.allocated(), 60);
            counting.dealloc(a, layout(10));
            counting.dealloc(b, layout(50));
        }
        assert_eq!(counting.allocated(), 0);
    }
}
