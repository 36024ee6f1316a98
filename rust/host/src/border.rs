// SPDX-License-Identifier: Apache-2.0
//! The one place where numbers from a guest become slices of its linear memory.
//!
//! Rules, as in the ABI: a range must lie wholly inside memory and may not wrap; with length zero
//! the pointer is not looked at; a written buffer may not overlap another of the same call.

use crate::stop::{Exit, Failure, Stop};
use core::ops::Range;
use wisp_abi::{Errno, WasiErrno};
use wisp_engine::{HostResult, Trap};

/// The numbers a bad pointer is reported with, and how an error becomes a wasm result.
pub trait GuestError: Copy {
    /// A range outside linear memory.
    const FAULT: Self;
    /// Buffers that overlap.
    const INVALID: Self;
    /// Returns the wasm result that carries this error.
    fn result(self) -> u32;
}

impl GuestError for Errno {
    const FAULT: Self = Errno::Fault;
    const INVALID: Self = Errno::Invalid;
    fn result(self) -> u32 {
        self.code() as u32
    }
}

impl GuestError for WasiErrno {
    const FAULT: Self = WasiErrno::Fault;
    const INVALID: Self = WasiErrno::Invalid;
    fn result(self) -> u32 {
        u32::from(self.number())
    }
}

/// Returns the range of `length` bytes at `pointer`, or the empty range at 0 if `length` is zero.
fn range_in(size: usize, pointer: u32, length: u32) -> Option<Range<usize>> {
    if length == 0 {
        return Some(0..0);
    }
    // On a target of 16 bits a guest address need not fit; on 32 bits the sum may wrap.
    let start = usize::try_from(pointer).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    (end <= size).then_some(start..end)
}

/// Returns the bytes that the host reads.
///
/// # Errors
/// `EFAULT` if the range is not inside `memory`.
pub fn bytes<E: GuestError>(memory: &[u8], pointer: u32, length: u32) -> Result<&[u8], Failure<E>> {
    let found = range_in(memory.len(), pointer, length).and_then(|range| memory.get(range));
    found.ok_or(Failure::Error(E::FAULT))
}

/// Returns the bytes that the host writes.
///
/// # Errors
/// `EFAULT` if the range is not inside `memory`.
pub fn buffer<E: GuestError>(memory: &mut [u8], pointer: u32, length: u32) -> Result<&mut [u8], Failure<E>> {
    let found = range_in(memory.len(), pointer, length).and_then(|range| memory.get_mut(range));
    found.ok_or(Failure::Error(E::FAULT))
}

/// Ranges of linear memory that the host reads, and one that it writes.
pub type BytesAndBuffer<'m, const COUNT: usize> = ([&'m [u8]; COUNT], &'m mut [u8]);

/// Returns the bytes that the host reads and bytes that it writes in the same call, each as (pointer, length).
///
/// # Errors
/// `EFAULT` if a range is not inside `memory`, else `EINVAL` if one that is read overlaps the one that is written.
pub fn bytes_and_buffer<E: GuestError, const COUNT: usize>(
    memory: &mut [u8],
    inputs: [(u32, u32); COUNT],
    output: (u32, u32),
) -> Result<BytesAndBuffer<'_, COUNT>, Failure<E>> {
    let range = |(pointer, length)| range_in(memory.len(), pointer, length).ok_or(Failure::Error(E::FAULT));
    let output = range(output)?;
    let mut ranges = [const { 0..0 }; COUNT];
    for (place, input) in ranges.iter_mut().zip(inputs) {
        *place = range(input)?;
    }
    let (low, rest) = memory.split_at_mut(output.start);
    let (buffer, high) = rest.split_at_mut(output.len());
    let mut found = [&[] as &[u8]; COUNT];
    for (place, input) in found.iter_mut().zip(ranges).filter(|(_, input)| !input.is_empty()) {
        let above = input.start.checked_sub(output.end);
        let input = match above {
            Some(start) => high.get(start..start + input.len()),
            None => low.get(input),
        };
        *place = input.ok_or(Failure::Error(E::INVALID))?;
    }
    Ok((found, buffer))
}

/// Checks an out-pointer before the call has any effect. The result goes to [`put`] after it.
///
/// # Errors
/// `EFAULT` if the object is not inside `memory`.
pub fn place<E: GuestError>(memory: &[u8], pointer: u32, size: u32) -> Result<usize, Failure<E>> {
    let found = range_in(memory.len(), pointer, size);
    found.map(|range| range.start).ok_or(Failure::Error(E::FAULT))
}

/// Writes `value` at a place that [`place`] checked for its size.
pub fn put(memory: &mut [u8], place: usize, value: &[u8]) {
    if let Some(target) = memory.get_mut(place..).and_then(|rest| rest.get_mut(..value.len())) {
        target.copy_from_slice(value);
    }
}

/// The outcome of a host function: a value, an error, or the guest's end.
pub struct Reply<E>(pub Result<u32, Failure<E>>);

impl<E: GuestError> Reply<E> {
    /// Returns the wasm result. A value with the sign bit set would read as an error. It is capped.
    ///
    /// # Errors
    /// The stop, if it is one.
    pub fn value(self) -> Result<u32, Stop> {
        match self.0 {
            Ok(value) => Ok(value.min(i32::MAX as u32)),
            Err(Failure::Error(error)) => Ok(error.result()),
            Err(Failure::Stop(stop)) => Err(stop),
        }
    }

    /// Returns the wasm result, for calls by name.
    #[cfg(any(test, feature = "by-name"))]
    pub(crate) fn outcome(self) -> Result<u64, Stop> {
        self.value().map(u64::from)
    }
}

impl<E: GuestError> HostResult for Reply<E> {
    type Results = u32;
    const NATIVE: bool = false;
    fn into_result(self) -> Result<u32, Trap> {
        self.value().map_err(Trap::from)
    }
}

impl HostResult for Exit {
    type Results = ();
    const NATIVE: bool = false;
    fn into_result(self) -> Result<(), Trap> {
        Err(Stop::Exit(self).into())
    }
}

#[cfg(any(test, feature = "by-name"))]
impl Exit {
    /// Returns the guest's end, for calls by name.
    pub(crate) fn outcome(self) -> Result<u64, Stop> {
        Err(Stop::Exit(self))
    }
}

/// Returns the first slots as an array, for calls by name.
///
/// # Panics
/// If there are fewer.
#[cfg(any(test, feature = "by-name"))]
pub(crate) fn first<const N: usize>(slots: &[u32]) -> &[u32; N] {
    slots.first_chunk().expect("a slot for each argument")
}

/// Returns an argument of 64 bits, which takes two slots.
pub(crate) fn wide(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// Returns the first `N` little-endian numbers of a record, or 0 for what it does not have.
pub(crate) fn words<const N: usize>(record: &[u8]) -> [u32; N] {
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(record.chunks_exact(4)) {
        if let Ok(bytes) = bytes.try_into() {
            *word = u32::from_le_bytes(bytes);
        }
    }
    words
}

/// Is told which bytes of linear memory a host function may have written.
pub trait Written {
    /// Takes note of a range, which may end behind the end of memory.
    fn wrote(&mut self, address: u32, length: u32);
}

impl<P: crate::Platform> Written for crate::App<P> {
    #[inline(always)]
    fn wrote(&mut self, address: u32, length: u32) {
        self.platform.wrote(address, length);
    }
}

/// Ranges that a function with addresses in memory asked for, which it may have written.
#[cfg(feature = "record")]
mod asked {
    use core::cell::Cell;

    const RANGES: usize = 8;

    pub struct Asked {
        ranges: [Cell<(u32, u32)>; RANGES],
        count: Cell<usize>,
    }

    impl Asked {
        pub fn none() -> Self {
            Self { ranges: [const { Cell::new((0, 0)) }; RANGES], count: Cell::new(0) }
        }

        pub fn add(&self, address: u32, length: u32) {
            let count = self.count.get();
            match self.ranges.get(count) {
                Some(range) => {
                    range.set((address, length));
                    self.count.set(count + 1);
                }
                // one range from the lowest to the highest, of which nobody knows more
                None => self.ranges[0].set((0, u32::MAX)),
            }
        }

        pub fn each(&self, mut tell: impl FnMut(u32, u32)) {
            self.ranges.iter().take(self.count.get()).for_each(|range| tell(range.get().0, range.get().1));
        }
    }
}

/// Nobody asks for the ranges.
#[cfg(not(feature = "record"))]
mod asked {
    pub struct Asked;

    impl Asked {
        pub fn none() -> Self {
            Self
        }

        #[inline(always)]
        pub fn add(&self, _: u32, _: u32) {}

        #[inline(always)]
        pub fn each(&self, _: impl FnMut(u32, u32)) {}
    }
}

/// The whole linear memory, for functions that follow addresses found in it. Every access checks.
pub struct Memory<'a>(&'a mut [u8], asked::Asked);

impl<'a> Memory<'a> {
    /// Wraps linear memory. It is empty for a guest without one.
    pub fn new(memory: &'a mut [u8]) -> Self {
        Memory(memory, asked::Asked::none())
    }

    /// Returns a range of memory as [`bytes`] does.
    ///
    /// # Errors
    /// `EFAULT` if the range is not inside memory.
    pub fn bytes<E: GuestError>(&self, pointer: u32, length: u32) -> Result<&[u8], Failure<E>> {
        bytes(self.0, pointer, length)
    }

    /// Returns the place of a guest's range in [`Memory::all`].
    ///
    /// # Errors
    /// `EFAULT` if it is not inside memory.
    pub fn range<E: GuestError>(&self, pointer: u32, length: u32) -> Result<Range<usize>, Failure<E>> {
        let range = range_in(self.0.len(), pointer, length).ok_or(Failure::Error(E::FAULT))?;
        self.1.add(pointer, length);
        Ok(range)
    }

    /// Tells of the ranges that may have been written.
    pub fn tell(&self, to: &mut impl Written) {
        self.1.each(|address, length| to.wrote(address, length));
    }

    /// Returns all of it.
    pub fn all(&mut self) -> &mut [u8] {
        self.0
    }

    /// Returns the `N` bytes at `pointer`.
    ///
    /// # Errors
    /// `EFAULT` if they are not inside memory.
    pub fn array<const N: usize, E: GuestError>(&self, pointer: u32) -> Result<[u8; N], Failure<E>> {
        let mut array = [0; N];
        array.copy_from_slice(bytes(self.0, pointer, N as u32)?);
        Ok(array)
    }

    /// Returns the little-endian number at `pointer`.
    ///
    /// # Errors
    /// `EFAULT` if it is not inside memory.
    pub fn u32<E: GuestError>(&self, pointer: u32) -> Result<u32, Failure<E>> {
        self.array(pointer).map(u32::from_le_bytes)
    }

    /// Writes `value` at `pointer`.
    ///
    /// # Errors
    /// `EFAULT` if it does not fit there.
    pub fn write<E: GuestError>(&mut self, pointer: u32, value: &[u8]) -> Result<(), Failure<E>> {
        let length = u32::try_from(value.len()).map_err(|_| Failure::Error(E::FAULT))?;
        buffer(self.0, pointer, length)?.copy_from_slice(value);
        self.1.add(pointer, length);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAULT: Failure<Errno> = Failure::Error(Errno::Fault);
    const INVALID: Failure<Errno> = Failure::Error(Errno::Invalid);

    #[test]
    fn a_range_may_end_where_memory_ends_and_no_further() {
        let memory = [1, 2, 3, 4];
        assert_eq!(bytes::<Errno>(&memory, 2, 2), Ok(&[3, 4][..]));
        assert_eq!(bytes(&memory, 2, 3), Err(FAULT));
        assert_eq!(bytes(&memory, 4, 1), Err(FAULT));
    }

    #[test]
    fn a_range_that_wraps_is_a_fault() {
        let mut memory = [0; 16];
        assert_eq!(bytes(&memory, u32::MAX, 2), Err(FAULT));
        assert_eq!(bytes(&memory, 8, u32::MAX), Err(FAULT));
        assert_eq!(buffer(&mut memory, 0xffff_fff8, 16), Err(FAULT));
        assert_eq!(place(&memory, u32::MAX - 3, 4), Err(FAULT));
    }

    #[test]
    fn zero_length_ignores_the_pointer() {
        let mut memory = [0; 4];
        assert_eq!(bytes::<Errno>(&memory, u32::MAX, 0), Ok(&[][..]));
        assert_eq!(bytes::<Errno>(&[], 1, 0), Ok(&[][..]));
        assert_eq!(buffer::<Errno>(&mut memory, 99, 0), Ok(&mut [][..]));
        let pair = bytes_and_buffer::<Errno, 1>(&mut memory, [(99, 0)], (0, 4)).unwrap();
        assert_eq!((pair.0[0].len(), pair.1.len()), (0, 4));
        let pair = bytes_and_buffer::<Errno, 1>(&mut memory, [(0, 4)], (2, 0)).unwrap();
        assert_eq!((pair.0[0].len(), pair.1.len()), (4, 0));
        // An empty input in the middle of the output overlaps nothing.
        assert!(bytes_and_buffer::<Errno, 1>(&mut memory, [(2, 0)], (1, 3)).is_ok());
    }

    #[test]
    fn read_and_written_buffers_may_touch_but_not_overlap() {
        let mut memory = [1, 2, 3, 4];
        let (input, output) = bytes_and_buffer::<Errno, 1>(&mut memory, [(0, 2)], (2, 2)).unwrap();
        assert_eq!((input, &*output), ([&[1, 2][..]], &[3, 4][..]));
        let (input, output) = bytes_and_buffer::<Errno, 1>(&mut memory, [(2, 2)], (0, 2)).unwrap();
        assert_eq!((input, &*output), ([&[3, 4][..]], &[1, 2][..]));
        assert_eq!(bytes_and_buffer(&mut memory, [(0, 3)], (2, 2)), Err(INVALID));
        assert_eq!(bytes_and_buffer(&mut memory, [(1, 2)], (0, 4)), Err(INVALID));
        assert_eq!(bytes_and_buffer(&mut memory, [(0, 2)], (3, 2)), Err(FAULT));
        assert_eq!(bytes_and_buffer(&mut memory, [(3, 2)], (0, 2)), Err(FAULT));
        let (inputs, output) = bytes_and_buffer::<Errno, 3>(&mut memory, [(2, 2), (0, 1), (2, 1)], (1, 1)).unwrap();
        assert_eq!((inputs, &*output), ([&[3, 4][..], &[1], &[3]], &[2][..]));
        assert_eq!(bytes_and_buffer(&mut memory, [(0, 1), (1, 1)], (1, 2)), Err(INVALID));
        assert_eq!(bytes_and_buffer(&mut memory, [(1, 1), (3, 2)], (1, 1)), Err(FAULT));
    }

    #[test]
    fn results_carry_values_and_each_space_its_errors() {
        assert_eq!(Reply::<Errno>(Ok(5)).value(), Ok(5));
        assert_eq!(Reply::<Errno>(Ok(u32::MAX)).value(), Ok(i32::MAX as u32));
        assert_eq!(Reply(Err(Failure::Error(Errno::Access))).value(), Ok(-13i32 as u32));
        assert_eq!(Reply(Err(Failure::Error(WasiErrno::BadHandle))).value(), Ok(8));
        assert_eq!(Reply::<Errno>(Err(Failure::Stop(Stop::Interrupted))).value(), Err(Stop::Interrupted));
    }
}
