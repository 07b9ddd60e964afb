//! Byte records in slots of a few sizes, named by four-byte handles.
//!
//! A [`Slab`] is where a dictionary's records lie: a slot has one of forty sizes from 8 to 1024 bytes, chunks of at most
//! 64 KiB serve one size each, and a chunk whose slots are all free goes back to the allocator. Longer records are
//! allocations of their own behind the same kind of handle. It is not a general allocator: a record moves when its size
//! class changes, and only its owner, who holds the handle, knows what the bytes mean.

use alloc::alloc::{alloc_zeroed, dealloc, handle_alloc_error, realloc};
use alloc::vec::Vec;
use core::alloc::Layout;
use core::ptr::NonNull;

/// The name of a record in a [`Slab`]; stays valid until the record is freed.
///
/// The upper 19 bits are a chunk, the lower 13 the record's position in it in units of 8 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Handle(u32);

const UNIT: usize = 8;
const UNIT_BITS: u32 = 13;
const CHUNK_BYTES: usize = UNIT << UNIT_BITS;
const MAX_CHUNKS: usize = 1 << (32 - UNIT_BITS);

impl Handle {
    const fn new(chunk: u32, unit: u16) -> Handle {
        Handle(chunk << UNIT_BITS | unit as u32)
    }

    const fn chunk(self) -> usize {
        (self.0 >> UNIT_BITS) as usize
    }

    const fn unit(self) -> u16 {
        (self.0 & ((1 << UNIT_BITS) - 1)) as u16
    }

    const fn offset(self) -> usize {
        self.unit() as usize * UNIT
    }

    /// The handle as a number, for structures that pack it beside other bits.
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// The handle that [`Handle::to_bits`] turned into `bits`. A number made up otherwise names some record or none:
    /// looking at it yields other bytes or a panic.
    pub const fn from_bits(bits: u32) -> Handle {
        Handle(bits)
    }
}

/// Records of any length, each named by a [`Handle`]. Allocates nothing while empty.
pub struct Slab {
    chunks: Vec<Chunk>,
    metas: Vec<Meta>,
    classes: Vec<Class>,
    /// First of the chunk indices to be used again, linked by [`Meta::next`].
    spare: u32,
    records: usize,
    /// Bytes of all chunks.
    reserved: usize,
    /// Bytes of all live slots.
    occupied: usize,
    /// Bytes of all records longer than [`Slab::MAX_SMALL`].
    large: usize,
}

/// What reading a record needs to know of its chunk.
struct Chunk {
    base: NonNull<u8>,
    /// Size of a slot.
    slot: u32,
    /// Bytes that may be read as slots; zero for a chunk of [`Large`] descriptors.
    len: u32,
}

/// What allocating and freeing need to know of a chunk besides.
struct Meta {
    class: u8,
    live: u16,
    /// First free slot, as a unit, each linking to the next; `NO_UNIT` when there is none.
    free: u16,
    /// Units ever handed out: what follows was never used.
    used: u16,
    /// Units allocated.
    units: u16,
    /// Neighbours in the class's list of chunks with room.
    next: u32,
    previous: u32,
}

/// The chunks of one slot size.
#[derive(Clone, Copy)]
struct Class {
    /// First chunk with room.
    room: u32,
    chunks: u32,
}

/// Where a record longer than [`Slab::MAX_SMALL`] lies. `base` is null in a free slot.
#[repr(C, align(8))]
struct Large {
    base: *mut u8,
    len: usize,
}

const NO_CHUNK: u32 = u32::MAX;
const NO_UNIT: u16 = u16::MAX;
const SLOT_CLASSES: u8 = 40;
const LARGE_CLASS: u8 = SLOT_CLASSES;
/// A class grows its youngest chunk by this part of all it has, so that little lies idle however few records there are.
const GROWTH: usize = 8;
/// But a very young one by this part, and no less than these bytes.
const YOUNG_GROWTH: usize = 4;
const YOUNG_BYTES: usize = 1024;
const MIN_GROWTH_BYTES: usize = 48;

// SAFETY: a slab owns its chunks, and nothing in it is tied to a thread.
unsafe impl Send for Slab {}
// SAFETY: `&Slab` only reads.
unsafe impl Sync for Slab {}

impl Slab {
    /// The longest record that shares a chunk with others.
    pub const MAX_SMALL: usize = 1024;

    /// An empty slab.
    pub const fn new() -> Slab {
        Slab {
            chunks: Vec::new(),
            metas: Vec::new(),
            classes: Vec::new(),
            spare: NO_CHUNK,
            records: 0,
            reserved: 0,
            occupied: 0,
            large: 0,
        }
    }

    /// The number of live records.
    pub fn len(&self) -> usize {
        self.records
    }

    /// Is there no record?
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Are nearly all handles given away? That is at about 32 GiB of records; whoever lets a slab grow past this point
    /// meets the panic of [`Slab::alloc`], so ask before, where a refusal is still possible.
    pub fn is_full(&self) -> bool {
        self.chunks.len() >= MAX_CHUNKS - MAX_CHUNKS / 64 && self.spare == NO_CHUNK
    }

    /// A new record of at least `len` bytes. Its content is whatever the slot held before, or zeros.
    ///
    /// Panics when all handles are given away (see [`Slab::is_full`]), as it does when memory is out.
    #[inline]
    pub fn alloc(&mut self, len: usize) -> Handle {
        if len > Slab::MAX_SMALL {
            return self.alloc_large(len);
        }
        self.records += 1;
        self.take_slot(class_of(len))
    }

    /// Frees a record. Its handle may come back from a later [`Slab::alloc`].
    #[inline]
    pub fn free(&mut self, h: Handle) {
        if self.metas[h.chunk()].class == LARGE_CLASS {
            self.free_large(h);
        }
        self.records -= 1;
        self.release_slot(h);
    }

    /// The bytes of a record's slot: at least as many as were asked for, beginning at a multiple of 8.
    #[inline(always)]
    pub fn bytes(&self, h: Handle) -> &[u8] {
        let (base, len) = self.locate(h);
        // SAFETY: `locate` answers with initialised bytes of this slab, which `&self` keeps as they are.
        unsafe { core::slice::from_raw_parts(base.as_ptr(), len) }
    }

    /// The bytes of a record's slot, to be written.
    #[inline(always)]
    pub fn bytes_mut(&mut self, h: Handle) -> &mut [u8] {
        let (base, len) = self.locate(h);
        // SAFETY: `locate` answers with initialised bytes of this slab, which `&mut self` lends to nobody else.
        unsafe { core::slice::from_raw_parts_mut(base.as_ptr(), len) }
    }

    /// How many bytes a record's slot has.
    #[inline(always)]
    pub fn size(&self, h: Handle) -> usize {
        self.locate(h).1
    }

    /// How many bytes the slot of a record of `len` bytes has.
    #[inline(always)]
    pub fn slot_size(len: usize) -> usize {
        if len > Slab::MAX_SMALL { len.next_multiple_of(UNIT) } else { slot_of(class_of(len)) }
    }

    /// Makes a record's slot fit `len` bytes, moving it when its size class changes. The bytes that fit into both slots
    /// are kept.
    pub fn resize(&mut self, h: Handle, len: usize) -> Handle {
        let size = self.size(h);
        if size == Slab::slot_size(len) {
            return h;
        }
        let moved = self.alloc(len);
        let (from, to) = (self.locate(h), self.locate(moved));
        // SAFETY: two live records never overlap, and both have the bytes of the shorter one.
        unsafe { core::ptr::copy_nonoverlapping(from.0.as_ptr(), to.0.as_ptr(), from.1.min(to.1)) };
        self.free(h);
        moved
    }

    /// Frees the last chunk, and forgets all records, those of other chunks included: it is for a slab that is of no
    /// other use any more. False when there was no chunk left.
    pub fn free_chunk(&mut self) -> bool {
        self.classes = Vec::new();
        (self.spare, self.records, self.occupied) = (NO_CHUNK, 0, 0);
        let (Some(chunk), Some(meta)) = (self.chunks.pop(), self.metas.pop()) else { return false };
        self.reserved -= meta.units as usize * UNIT;
        free(&chunk, &meta);
        true
    }

    /// Bytes of the chunks that no live slot uses.
    pub fn slack(&self) -> usize {
        self.reserved - self.occupied
    }

    /// Bytes asked from the allocator.
    pub fn allocated(&self) -> usize {
        self.reserved
            + self.large
            + self.chunks.capacity() * size_of::<Chunk>()
            + self.metas.capacity() * size_of::<Meta>()
            + self.classes.capacity() * size_of::<Class>()
    }

    /// Asks the processor to load the beginning of a record that is read soon.
    #[inline]
    pub fn prefetch(&self, h: Handle) {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            if let Some(chunk) = self.chunks.get(h.chunk()) {
                // SAFETY: a prefetch of any address has no effect a program can observe.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(chunk.base.as_ptr().wrapping_add(h.offset()).cast()) };
            }
        }
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        let _ = h;
    }

    /// Moves a value into a record.
    ///
    /// # Safety
    /// `T` needs no alignment above 8 and has no padding, since [`Slab::bytes`] shows its bytes.
    ///
    /// Panics unless `offset` is a multiple of 8 that leaves room for a `T`.
    #[inline(always)]
    pub unsafe fn write<T>(&mut self, h: Handle, offset: usize, value: T) {
        // SAFETY: `place` answers with aligned bytes inside the slot, which `&mut self` lends to nobody else.
        unsafe { self.place::<T>(h, offset).write(value) }
    }

    /// Moves a value out of a record.
    ///
    /// # Safety
    /// [`Slab::write`] put a `T` there that was not moved out, nor overwritten through [`Slab::bytes_mut`].
    #[inline(always)]
    pub unsafe fn read<T>(&self, h: Handle, offset: usize) -> T {
        // SAFETY: the caller says that a `T` is there and is not used again.
        unsafe { self.place::<T>(h, offset).read() }
    }

    /// Borrows a value in a record.
    ///
    /// # Safety
    /// As for [`Slab::read`].
    #[inline(always)]
    pub unsafe fn as_ref<T>(&self, h: Handle, offset: usize) -> &T {
        // SAFETY: the caller says that a `T` is there, and `&self` keeps it as it is.
        unsafe { self.place::<T>(h, offset).as_ref() }
    }

    /// Borrows a value in a record, to be changed.
    ///
    /// # Safety
    /// As for [`Slab::read`].
    #[inline(always)]
    pub unsafe fn as_mut<T>(&mut self, h: Handle, offset: usize) -> &mut T {
        // SAFETY: the caller says that a `T` is there, and `&mut self` lends it to nobody else.
        unsafe { self.place::<T>(h, offset).as_mut() }
    }

    #[inline(always)]
    fn place<T>(&self, h: Handle, offset: usize) -> NonNull<T> {
        const { assert!(align_of::<T>() <= UNIT) };
        let (base, len) = self.locate(h);
        assert!(offset.is_multiple_of(UNIT) && offset + size_of::<T>() <= len, "no room for a value");
        // SAFETY: the assertion keeps the offset inside the slot.
        unsafe { base.add(offset) }.cast()
    }

    /// The slot's address and size. A stale or foreign handle finds other initialised bytes of this slab, or panics.
    #[inline(always)]
    fn locate(&self, h: Handle) -> (NonNull<u8>, usize) {
        let chunk = &self.chunks[h.chunk()];
        if h.offset() + chunk.slot as usize > chunk.len as usize {
            return self.locate_large(h);
        }
        // SAFETY: the slot ends within the chunk.
        (unsafe { chunk.base.add(h.offset()) }, chunk.slot as usize)
    }

    #[cold]
    #[inline(never)]
    fn locate_large(&self, h: Handle) -> (NonNull<u8>, usize) {
        let large = self.descriptor(h);
        // SAFETY: `descriptor` answers with an address inside its chunk where every slot holds a `Large`.
        let large = unsafe { large.as_ref() };
        (NonNull::new(large.base).expect("a live record"), large.len)
    }

    fn descriptor(&self, h: Handle) -> NonNull<Large> {
        let meta = &self.metas[h.chunk()];
        let is_slot = h.offset().is_multiple_of(size_of::<Large>()) && h.unit() < meta.used;
        assert!(meta.class == LARGE_CLASS && is_slot, "a live record");
        // SAFETY: the unit was handed out, so it lies in the chunk.
        unsafe { self.chunks[h.chunk()].base.add(h.offset()) }.cast()
    }

    #[cold]
    #[inline(never)]
    fn alloc_large(&mut self, len: usize) -> Handle {
        let layout = large_layout(len.next_multiple_of(UNIT));
        let h = self.take_slot(LARGE_CLASS);
        // SAFETY: the layout is longer than `MAX_SMALL`.
        let base = unsafe { alloc_zeroed(layout) };
        if base.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: the slot is in the chunk, aligned, and nobody else's.
        unsafe { self.descriptor(h).write(Large { base, len: layout.size() }) };
        self.records += 1;
        self.large += layout.size();
        h
    }

    #[cold]
    #[inline(never)]
    fn free_large(&mut self, h: Handle) {
        let (base, len) = self.locate_large(h);
        // SAFETY: `locate_large` found the descriptor of a live record, which `alloc_large` allocated with this layout.
        unsafe { dealloc(base.as_ptr(), large_layout(len)) };
        // SAFETY: the slot is in the chunk and aligned; null marks it free, so that a stale handle finds nothing.
        unsafe { self.descriptor(h).write(Large { base: core::ptr::null_mut(), len: 0 }) };
        self.large -= len;
    }

    #[inline]
    fn take_slot(&mut self, class: u8) -> Handle {
        let mut index = match self.classes.get(class as usize) {
            Some(class) => class.room,
            None => NO_CHUNK,
        };
        if index == NO_CHUNK {
            index = self.new_chunk(class);
        }
        let slot_units = (slot_of(class) / UNIT) as u16;
        let meta = &mut self.metas[index as usize];
        let unit = if meta.free != NO_UNIT {
            let unit = meta.free;
            self.metas[index as usize].free = self.link(index, unit);
            unit
        } else {
            if meta.used + slot_units > meta.units {
                self.grow_chunk(index);
            }
            let meta = &mut self.metas[index as usize];
            let unit = meta.used;
            meta.used += slot_units;
            unit
        };
        let meta = &mut self.metas[index as usize];
        meta.live += 1;
        self.occupied += slot_of(class);
        if !meta.has_room() {
            self.unlink(index);
        }
        Handle::new(index, unit)
    }

    #[inline]
    fn release_slot(&mut self, h: Handle) {
        let index = h.chunk() as u32;
        let meta = &mut self.metas[index as usize];
        let (class, had_room) = (meta.class, meta.has_room());
        debug_assert!(meta.live > 0 && h.unit() < meta.used, "a live record");
        self.occupied -= slot_of(class);
        meta.live -= 1;
        if meta.live == 0 {
            return self.drop_chunk(index, had_room);
        }
        let next = core::mem::replace(&mut meta.free, h.unit());
        self.set_link(index, h.unit(), next);
        if !had_room {
            self.link_first(index);
        }
    }

    /// The unit that a free slot links to.
    #[inline]
    fn link(&self, index: u32, unit: u16) -> u16 {
        let (base, at) = (self.chunks[index as usize].base, self.link_place(index, unit));
        // SAFETY: `link_place` answers with the offset of four initialised bytes within the chunk.
        let next = unsafe { base.add(at).cast::<u32>().read() } as u16;
        assert!(next == NO_UNIT || next < self.metas[index as usize].used, "a freed record was written to");
        next
    }

    #[inline]
    fn set_link(&mut self, index: u32, unit: u16, next: u16) {
        let (base, at) = (self.chunks[index as usize].base, self.link_place(index, unit));
        // SAFETY: `link_place` answers with the offset of four bytes within the chunk, which `&mut self` lends to nobody.
        unsafe { base.add(at).cast::<u32>().write(next as u32) };
    }

    /// Where in the chunk a free slot keeps its link: at its beginning, but in a [`Large`] behind the null address.
    #[inline]
    fn link_place(&self, index: u32, unit: u16) -> usize {
        let meta = &self.metas[index as usize];
        let slot_units = slot_of(meta.class) / UNIT;
        assert!(unit as usize + slot_units <= meta.units as usize, "a live record");
        let inside = if meta.class == LARGE_CLASS { core::mem::offset_of!(Large, len) } else { 0 };
        unit as usize * UNIT + inside
    }

    #[cold]
    #[inline(never)]
    fn new_chunk(&mut self, class: u8) -> u32 {
        let first_of_class = self.classes.len();
        if first_of_class <= class as usize {
            self.classes.reserve_exact(class as usize + 1 - first_of_class);
            self.classes.resize(class as usize + 1, Class { room: NO_CHUNK, chunks: 0 });
        }
        let empty = Chunk { base: NonNull::<u64>::dangling().cast(), slot: 0, len: 0 };
        let meta =
            Meta { class, live: 0, free: NO_UNIT, used: 0, units: 0, next: NO_CHUNK, previous: NO_CHUNK };
        let index = if self.spare != NO_CHUNK {
            let index = self.spare;
            self.spare = self.metas[index as usize].next;
            self.chunks[index as usize] = empty;
            self.metas[index as usize] = meta;
            index
        } else {
            assert!(self.chunks.len() < MAX_CHUNKS, "all handles of a slab are given away");
            reserve_tightly(&mut self.chunks);
            reserve_tightly(&mut self.metas);
            self.chunks.push(empty);
            self.metas.push(meta);
            self.chunks.len() as u32 - 1
        };
        self.classes[class as usize].chunks += 1;
        self.link_first(index);
        self.grow_chunk(index);
        index
    }

    /// Gives a chunk room for at least one more slot.
    #[cold]
    #[inline(never)]
    fn grow_chunk(&mut self, index: u32) {
        let (meta, chunk) = (&mut self.metas[index as usize], &mut self.chunks[index as usize]);
        let slot = slot_of(meta.class);
        let full_chunks = self.classes[meta.class as usize].chunks as usize - 1;
        let old = meta.units as usize * UNIT;
        let all = full_chunks * CHUNK_BYTES + old;
        let step = if all < YOUNG_BYTES { all / YOUNG_GROWTH } else { all / GROWTH };
        let step = step.max(MIN_GROWTH_BYTES).max(slot);
        let new = (old + step).min(CHUNK_BYTES) / slot * slot;
        // SAFETY: `base` has `old` bytes, none when the chunk is new.
        chunk.base = unsafe { extend_zeroed(chunk.base, old, new) };
        chunk.slot = slot as u32;
        chunk.len = if meta.class == LARGE_CLASS { 0 } else { new as u32 };
        meta.units = (new / UNIT) as u16;
        self.reserved += new - old;
    }

    fn drop_chunk(&mut self, index: u32, had_room: bool) {
        if had_room {
            self.unlink(index);
        }
        let (meta, chunk) = (&mut self.metas[index as usize], &mut self.chunks[index as usize]);
        let bytes = meta.units as usize * UNIT;
        // SAFETY: `grow_chunk` allocated it with this layout, and no slot of it is live.
        unsafe { dealloc(chunk.base.as_ptr(), chunk_layout(bytes)) };
        *chunk = Chunk { base: NonNull::<u64>::dangling().cast(), slot: 0, len: 0 };
        self.reserved -= bytes;
        self.classes[meta.class as usize].chunks -= 1;
        *meta = Meta {
            class: 0,
            live: 0,
            free: NO_UNIT,
            used: 0,
            units: 0,
            next: self.spare,
            previous: NO_CHUNK,
        };
        self.spare = index;
        if self.reserved == 0 {
            *self = Slab::new();
        }
    }

    fn link_first(&mut self, index: u32) {
        let class = self.metas[index as usize].class;
        let next = core::mem::replace(&mut self.classes[class as usize].room, index);
        let meta = &mut self.metas[index as usize];
        (meta.next, meta.previous) = (next, NO_CHUNK);
        if next != NO_CHUNK {
            self.metas[next as usize].previous = index;
        }
    }

    fn unlink(&mut self, index: u32) {
        let Meta { class, next, previous, .. } = self.metas[index as usize];
        match previous {
            NO_CHUNK => self.classes[class as usize].room = next,
            _ => self.metas[previous as usize].next = next,
        }
        if next != NO_CHUNK {
            self.metas[next as usize].previous = previous;
        }
    }
}

impl Meta {
    #[inline]
    fn has_room(&self) -> bool {
        let slot = slot_of(self.class);
        self.free != NO_UNIT || self.used as usize * UNIT + slot <= CHUNK_BYTES
    }
}

impl Default for Slab {
    fn default() -> Slab {
        Slab::new()
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        self.chunks.iter().zip(&self.metas).for_each(|(chunk, meta)| free(chunk, meta));
    }
}

/// Frees a chunk, and the long records that it describes. It is not used again.
fn free(chunk: &Chunk, meta: &Meta) {
    let bytes = meta.units as usize * UNIT;
    if meta.class == LARGE_CLASS {
        let used = meta.used as usize * UNIT / size_of::<Large>();
        // SAFETY: every slot handed out holds a descriptor.
        for large in unsafe { core::slice::from_raw_parts(chunk.base.cast::<Large>().as_ptr(), used) } {
            if !large.base.is_null() {
                // SAFETY: `alloc_large` allocated it with this layout.
                unsafe { dealloc(large.base, large_layout(large.len)) };
            }
        }
    }
    if bytes > 0 {
        // SAFETY: `grow_chunk` allocated it with this layout.
        unsafe { dealloc(chunk.base.as_ptr(), chunk_layout(bytes)) };
    }
}

/// The size class whose slots are the smallest that hold `len` bytes: steps of 8 up to 128 bytes, 16 up to 256, 32 up to
/// 512, 64 up to 1024.
#[inline(always)]
fn class_of(len: usize) -> u8 {
    let class = match len {
        0 => 0,
        1..=128 => (len - 1) / 8,
        129..=256 => 16 + (len - 129) / 16,
        257..=512 => 24 + (len - 257) / 32,
        _ => 32 + (len - 513) / 64,
    };
    class as u8
}

/// How many bytes a slot of a class has.
#[inline(always)]
fn slot_of(class: u8) -> usize {
    const SLOTS: [u16; 64] = {
        let mut slots = [0; 64];
        let mut class = 0;
        while class < SLOT_CLASSES as usize {
            slots[class] = match class {
                0..16 => (class + 1) * 8,
                16..24 => 128 + (class - 15) * 16,
                24..32 => 256 + (class - 23) * 32,
                _ => 512 + (class - 31) * 64,
            } as u16;
            class += 1;
        }
        slots[LARGE_CLASS as usize] = size_of::<Large>() as u16;
        slots
    };
    SLOTS[(class & 63) as usize] as usize
}

fn chunk_layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, UNIT).expect("a chunk's size")
}

fn large_layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes, UNIT).expect("a record shorter than the address space")
}

/// Grows an allocation of `old` bytes to `new`, with zeros after the old ones.
///
/// # Safety
/// `base` was allocated with `chunk_layout(old)`, unless `old` is 0; `new` is greater than `old`.
unsafe fn extend_zeroed(base: NonNull<u8>, old: usize, new: usize) -> NonNull<u8> {
    let grown = if old == 0 {
        // SAFETY: `new` is not 0.
        unsafe { alloc_zeroed(chunk_layout(new)) }
    } else {
        // SAFETY: the caller names the allocation's own layout.
        unsafe { realloc(base.as_ptr(), chunk_layout(old), new) }
    };
    let Some(grown) = NonNull::new(grown) else { handle_alloc_error(chunk_layout(new)) };
    if old > 0 {
        // SAFETY: the bytes from `old` to `new` are in the allocation and nobody else's.
        unsafe { grown.add(old).write_bytes(0, new - old) };
    }
    grown
}

/// Grows a vector one by one while it is short, then by a quarter: there are many small slabs.
fn reserve_tightly<T>(vec: &mut Vec<T>) {
    if vec.len() == vec.capacity() {
        vec.reserve_exact(1 + vec.len() / 4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::vec;

    extern crate std;

    #[test]
    fn classes_cover_every_length() {
        let mut before = 0;
        for class in 0..SLOT_CLASSES {
            let slot = slot_of(class);
            assert!(slot > before && slot.is_multiple_of(UNIT));
            assert_eq!((class_of(before + 1), class_of(slot)), (class, class));
            before = slot;
        }
        assert_eq!(before, Slab::MAX_SMALL);
        assert_eq!((Slab::slot_size(0), Slab::slot_size(17), Slab::slot_size(1025)), (8, 24, 1032));
    }

    #[test]
    fn an_empty_slab_has_no_memory() {
        let mut slab = Slab::new();
        assert_eq!((slab.allocated(), slab.slack()), (0, 0));
        let handles: Vec<Handle> = (0..3000).map(|len| slab.alloc(len)).collect();
        assert!(slab.allocated() > 3000 * 1400);
        handles.into_iter().for_each(|h| slab.free(h));
        assert_eq!((slab.allocated(), slab.slack(), slab.len()), (0, 0, 0));
    }

    /// Writes, resizes and frees records of random lengths and compares them with a map's.
    #[test]
    fn records_keep_their_bytes() {
        let mut random = crate::data::containers::testing::random(7);
        let (mut slab, mut model) = (Slab::new(), BTreeMap::<u32, (Handle, Vec<u8>)>::new());
        let steps = if cfg!(miri) { 1500 } else { 300_000 };
        for step in 0..steps {
            let growing = step % (steps / 3) < steps / 5;
            let name = random() as u32 % 2000;
            let len = match random() % 20 {
                0 => random() as usize % 5000,
                1..5 => random() as usize % 1025,
                _ => random() as usize % 60,
            };
            let content = vec![random() as u8; len];
            match model.remove(&name) {
                Some((h, old)) => {
                    assert_eq!(&slab.bytes(h)[..old.len()], old);
                    if growing || random().is_multiple_of(4) {
                        let h = slab.resize(h, len);
                        let kept = old.len().min(len);
                        assert_eq!(slab.bytes(h)[..kept], old[..kept]);
                        assert_eq!(slab.size(h), Slab::slot_size(len));
                        slab.bytes_mut(h)[..len].copy_from_slice(&content);
                        model.insert(name, (h, content));
                    } else {
                        slab.free(h);
                    }
                }
                None if growing => {
                    let h = slab.alloc(len);
                    slab.bytes_mut(h)[..len].copy_from_slice(&content);
                    model.insert(name, (h, content));
                }
                None => {}
            }
        }
        let live: usize = model.values().map(|(h, _)| slab.size(*h)).sum();
        let large: usize =
            model.values().map(|(h, _)| slab.size(*h)).filter(|size| *size > Slab::MAX_SMALL).sum();
        assert_eq!(slab.occupied + slab.large - size_of::<Large>() * slab.large_records(), live);
        assert_eq!((slab.len(), slab.large), (model.len(), large));
        for (h, content) in model.values() {
            assert_eq!(&slab.bytes(*h)[..content.len()], content);
        }
    }

    #[test]
    fn little_lies_idle() {
        for records in [1, 5, 10, 100, 600, 5000, if cfg!(miri) { 6000 } else { 300_000 }] {
            let mut slab = Slab::new();
            let used: usize = (0..records)
                .map(|i| 16 + i % 5 * 8)
                .map(|len| {
                    let h = slab.alloc(len);
                    slab.size(h)
                })
                .sum();
            let idle = slab.allocated() - used;
            assert!(idle < used / 6 + 600, "{records} records: {idle} of {used}");
        }
    }

    #[test]
    fn chunks_of_freed_records_return() {
        let mut slab = Slab::new();
        let count = if cfg!(miri) { 5000 } else { 100_000 };
        let handles: Vec<Handle> = (0..count).map(|_| slab.alloc(100)).collect();
        let full = slab.allocated();
        handles[count / 100..].iter().for_each(|h| slab.free(*h));
        assert!(slab.allocated() < full / 3 + CHUNK_BYTES, "{} of {full}", slab.allocated());
        let again: Vec<Handle> = (0..count - count / 100).map(|_| slab.alloc(100)).collect();
        assert!(slab.allocated() <= full + full / 8);
        again.iter().chain(&handles[..count / 100]).for_each(|h| slab.free(*h));
        assert_eq!(slab.allocated(), 0);
    }

    #[test]
    fn values_lie_in_records() {
        let mut slab = Slab::new();
        let (small, large) = (slab.alloc(24), slab.alloc(2000));
        for (h, offset) in [(small, 8), (small, 16), (large, 1992)] {
            // SAFETY: a thin box has no padding, is written first and moved out last.
            unsafe {
                slab.write(h, offset, alloc::boxed::Box::new(offset));
                *slab.as_mut::<alloc::boxed::Box<usize>>(h, offset).as_mut() += 1;
                assert_eq!(**slab.as_ref::<alloc::boxed::Box<usize>>(h, offset), offset + 1);
                assert_eq!(*slab.read::<alloc::boxed::Box<usize>>(h, offset), offset + 1);
            }
        }
    }

    #[test]
    fn a_stale_handle_is_harmless() {
        let mut slab = Slab::new();
        let (a, b, large) = (slab.alloc(8), slab.alloc(8), slab.alloc(4000));
        slab.free(a);
        assert_eq!(slab.bytes(a).len(), 8);
        slab.free(b);
        assert_eq!(slab.bytes(a).len(), 0);
        let _other = slab.alloc(5000);
        slab.free(large);
        let stale = [large, Handle(large.0 + 5), Handle(u32::MAX)];
        for h in stale {
            let read = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| slab.bytes(h).len()));
            assert!(read.is_err());
        }
    }

    impl Slab {
        fn large_records(&self) -> usize {
            self.metas.iter().filter(|meta| meta.class == LARGE_CLASS).map(|meta| meta.live as usize).sum()
        }
    }
}
