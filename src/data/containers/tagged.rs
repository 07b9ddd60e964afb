//! One word that owns one of two things: a small form that is itself a thin pointer, or a large form in a box. The
//! lowest bit of the word tells which. When to change from one to the other is the owner's business.

use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

/// A type that is one owning pointer and nothing else.
///
/// # Safety
/// The type is `repr(transparent)` over a `NonNull` whose lowest bit is never set.
pub unsafe trait Thin {}

/// A small form `S` or a boxed large form `L`, as wide as a pointer; so is its `Option`.
pub struct Tagged<S: Thin, L> {
    word: NonNull<u8>,
    owns: PhantomData<(S, Box<L>)>,
}

/// What a [`Tagged`] holds, by value or by reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form<S, L> {
    /// The small form.
    Small(S),
    /// The large form.
    Large(L),
}

// SAFETY: the word is an owned `S` or an owned `Box<L>`.
unsafe impl<S: Thin + Send, L: Send> Send for Tagged<S, L> {}
// SAFETY: as above; shared access hands out `&S` and `&L` only.
unsafe impl<S: Thin + Sync, L: Sync> Sync for Tagged<S, L> {}

impl<S: Thin, L> Tagged<S, L> {
    const LAYOUT: () = assert!(size_of::<S>() == size_of::<NonNull<u8>>() && align_of::<L>() > 1);

    /// Holds the small form.
    pub fn small(small: S) -> Self {
        const { Self::LAYOUT }
        let small = ManuallyDrop::new(small);
        // SAFETY: `S` is transparent over a `NonNull`, by the contract of `Thin`; ownership moves into the word.
        let word = unsafe { (&raw const small).cast::<NonNull<u8>>().read() };
        Tagged { word, owns: PhantomData }
    }

    /// Holds the large form.
    pub fn large(large: L) -> Self {
        const { Self::LAYOUT }
        let pointer = NonNull::from(Box::leak(Box::new(large))).cast::<u8>();
        // SAFETY: `L` is aligned to more than a byte, so it is larger than one, or dangling and then never null.
        let word = unsafe { NonNull::new_unchecked(pointer.as_ptr().wrapping_add(1)) };
        Tagged { word, owns: PhantomData }
    }

    /// Looks at what it holds.
    #[inline]
    pub fn get(&self) -> Form<&S, &L> {
        match self.is_large() {
            // SAFETY: untagged, the word is an `S`, which is transparent over a `NonNull`.
            false => Form::Small(unsafe { &*(&raw const self.word).cast::<S>() }),
            // SAFETY: tagged, the word is one byte past the start of an owned `L`.
            true => Form::Large(unsafe { &*self.large_pointer() }),
        }
    }

    /// Opens what it holds for change.
    #[inline]
    pub fn get_mut(&mut self) -> Form<&mut S, &mut L> {
        match self.is_large() {
            // SAFETY: as in `get`, borrowed uniquely. An `S` stays an `S`, so the tag stays clear.
            false => Form::Small(unsafe { &mut *(&raw mut self.word).cast::<S>() }),
            // SAFETY: as in `get`, borrowed uniquely.
            true => Form::Large(unsafe { &mut *self.large_pointer() }),
        }
    }

    /// Takes out what it holds.
    pub fn into_inner(self) -> Form<S, L> {
        let this = ManuallyDrop::new(self);
        match this.is_large() {
            // SAFETY: as in `get`; `this` is not dropped, so the ownership moves.
            false => Form::Small(unsafe { (&raw const this.word).cast::<S>().read() }),
            // SAFETY: the pointer came from a box in `large`, and moves back into one.
            true => Form::Large(*unsafe { Box::from_raw(this.large_pointer()) }),
        }
    }

    #[inline]
    fn is_large(&self) -> bool {
        self.word.addr().get() & 1 != 0
    }

    #[inline]
    fn large_pointer(&self) -> *mut L {
        self.word.as_ptr().wrapping_sub(1).cast()
    }
}

impl<S: Thin, L> Drop for Tagged<S, L> {
    fn drop(&mut self) {
        match self.is_large() {
            // SAFETY: the word is an owned `S`, and not used again.
            false => unsafe { (&raw mut self.word).cast::<S>().drop_in_place() },
            // SAFETY: the pointer came from a box in `large`, and is not used again.
            true => drop(unsafe { Box::from_raw(self.large_pointer()) }),
        }
    }
}

impl<S: Thin + Clone, L: Clone> Clone for Tagged<S, L> {
    fn clone(&self) -> Self {
        match self.get() {
            Form::Small(small) => Tagged::small(small.clone()),
            Form::Large(large) => Tagged::large(large.clone()),
        }
    }
}

impl<S: Thin + fmt::Debug, L: fmt::Debug> fmt::Debug for Tagged<S, L> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::containers::listpack::Listpack;
    use alloc::string::String;

    type Word = Tagged<Listpack, String>;

    #[test]
    fn owns_either_form() {
        let mut small = Word::small(Listpack::new());
        let Form::Small(listpack) = small.get_mut() else { panic!("small") };
        listpack.push_back(b"grows, and moves in memory while it does so");
        let copy = small.clone();
        let Form::Small(listpack) = copy.into_inner() else { panic!("small") };
        assert!(matches!(small.get(), Form::Small(same) if *same == listpack));

        let mut large = Word::large("one".into());
        let Form::Large(text) = large.get_mut() else { panic!("large") };
        text.push_str(" two");
        assert!(matches!(large.clone().get(), Form::Large(text) if text == "one two"));
        assert_eq!(large.into_inner(), Form::Large("one two".into()));
        drop(small);
        assert_eq!(size_of::<Option<Word>>(), size_of::<usize>());
    }
}
