//! A place through which those who can hold no borrow reach something that is lent to them for the time of a call. It owns
//! nothing, and whoever asks while nothing is lent, or while another one uses it, gets nothing.

use core::{cell::Cell, ptr::NonNull};

/// Where a `T` is found while it is lent.
pub struct Lent<T: ?Sized> {
    at: Cell<Option<NonNull<T>>>,
}

impl<T: ?Sized> Default for Lent<T> {
    fn default() -> Self {
        Lent { at: Cell::new(None) }
    }
}

impl<T: ?Sized> Lent<T> {
    /// Lends something for as long as `work` takes.
    pub fn lend<R>(&self, thing: &mut T, work: impl FnOnce() -> R) -> R {
        let _until_the_end = Restored { at: &self.at, before: self.at.replace(Some(NonNull::from(thing))) };
        work()
    }

    /// Uses what is lent, if something is and nobody else uses it.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut lent = self.at.take()?;
        let _until_the_end = Restored { at: &self.at, before: Some(lent) };
        // SAFETY: the pointer is there only while `lend` holds the borrow that it was made of, and nobody reads it there
        // while it is used here.
        Some(work(unsafe { lent.as_mut() }))
    }
}

/// Puts back what was there, also when a panic ends the work.
struct Restored<'l, T: ?Sized> {
    at: &'l Cell<Option<NonNull<T>>>,
    before: Option<NonNull<T>>,
}

impl<T: ?Sized> Drop for Restored<'_, T> {
    fn drop(&mut self) {
        self.at.set(self.before);
    }
}

#[cfg(test)]
mod tests {
    use alloc::{boxed::Box, rc::Rc, string::String};

    use super::*;

    #[test]
    fn what_is_lent_is_reached_while_it_is() {
        let lent: Rc<Lent<String>> = Rc::default();
        let reach = lent.clone();
        let add: Box<dyn Fn(char) -> Option<()>> = Box::new(move |it| reach.with(|text| text.push(it)));
        let mut text = String::new();
        assert_eq!(add('a'), None);
        assert_eq!(lent.lend(&mut text, || [add('b'), add('c')]), [Some(()); 2]);
        assert_eq!(add('d'), None);
        text.push('e');
        assert_eq!(text, "bce");
    }

    #[test]
    fn nobody_reaches_it_twice() {
        let lent: Lent<String> = Lent::default();
        let (mut outer, mut inner) = (String::new(), String::new());
        lent.lend(&mut outer, || {
            let again = lent.with(|text| {
                text.push('a');
                lent.with(|_| ())
            });
            assert_eq!(again, Some(None));
            lent.lend(&mut inner, || lent.with(|text| text.push('b')));
            lent.with(|text| text.push('c'));
        });
        assert_eq!((&*outer, &*inner), ("ac", "b"));
    }
}
