// SPDX-License-Identifier: Apache-2.0
//! Traps: why a guest stopped, and where.

/// Why a guest stopped. The numbers are part of the host function ABI (a host function returns one, or
/// 0) and of the C API; they never change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum TrapCode {
    /// `unreachable` was executed.
    Unreachable = 1,
    /// An access outside linear memory.
    MemoryOutOfBounds = 2,
    /// An access inside the declared, but outside the backed size of a trimmed memory.
    BeyondTrimmedMemory = 3,
    /// An access outside a table.
    TableOutOfBounds = 4,
    /// An indirect call through a null element.
    IndirectCallToNull = 5,
    /// An indirect call to a function of another type, or the use of a reference that nobody gave to the instance.
    BadSignature = 6,
    /// An integer operation overflowed: a division, or a conversion from a float.
    IntegerOverflow = 7,
    /// An integer division by zero.
    IntegerDivisionByZero = 8,
    /// A conversion of NaN to an integer.
    BadConversionToInteger = 9,
    /// The frame stack is exhausted, or for native code the thread's.
    StackOverflow = 10,
    /// The fuel given to the store is used up.
    OutOfFuel = 11,
    /// The stop flag was set.
    Interrupted = 12,
    /// The stop flag was set because the app ran for too long without blocking.
    DeadlineExceeded = 13,
    /// A host function failed.
    HostError = 14,
    /// The guest asked to end. Not an error; the status is with the store.
    Exit = 15,
    /// The host called a function with arguments or results of other types: a mistake of the embedder,
    /// not of the guest.
    ArgumentMismatch = 16,
    /// The handle does not belong to this store: a mistake of the embedder.
    UnknownHandle = 17,
    /// More calls were under way than [`crate::Config::max_depth`] allows.
    CallDepthExceeded = 18,
    /// Host and guest, or instances, called each other deeper than [`crate::Config::native_depth`] allows.
    NestingExceeded = 19,
    /// Native code that runs in user mode reached for what is not the app's: the compiler that made it is wrong,
    /// or it was changed.
    MemoryProtection = 20,
    /// The instance was given more references of others than [`crate::Config::max_references`] allows.
    TooManyReferences = 21,
}

impl TrapCode {
    /// The code with this number.
    pub const fn from_u32(code: u32) -> Option<Self> {
        Some(match code {
            1 => Self::Unreachable,
            2 => Self::MemoryOutOfBounds,
            3 => Self::BeyondTrimmedMemory,
            4 => Self::TableOutOfBounds,
            5 => Self::IndirectCallToNull,
            6 => Self::BadSignature,
            7 => Self::IntegerOverflow,
            8 => Self::IntegerDivisionByZero,
            9 => Self::BadConversionToInteger,
            10 => Self::StackOverflow,
            11 => Self::OutOfFuel,
            12 => Self::Interrupted,
            13 => Self::DeadlineExceeded,
            14 => Self::HostError,
            15 => Self::Exit,
            16 => Self::ArgumentMismatch,
            17 => Self::UnknownHandle,
            18 => Self::CallDepthExceeded,
            19 => Self::NestingExceeded,
            20 => Self::MemoryProtection,
            21 => Self::TooManyReferences,
            _ => return None,
        })
    }

    /// The code in words, as the official test suite words it where it has a word for it.
    #[cfg(feature = "text")]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::MemoryOutOfBounds => "out of bounds memory access",
            Self::BeyondTrimmedMemory => {
                "out of bounds memory access (beyond the trimmed memory; give the app more memory, or build it with \
                 a larger --heap or --no-trim)"
            }
            Self::TableOutOfBounds => "out of bounds table access (undefined element)",
            Self::IndirectCallToNull => "uninitialized element",
            Self::BadSignature => "indirect call type mismatch",
            Self::IntegerOverflow => "integer overflow",
            Self::IntegerDivisionByZero => "integer divide by zero",
            Self::BadConversionToInteger => "invalid conversion to integer",
            Self::StackOverflow => "call stack exhausted",
            Self::OutOfFuel => "out of fuel",
            Self::Interrupted => "interrupted",
            Self::DeadlineExceeded => "ran longer than its deadline without blocking",
            Self::HostError => "a host function failed",
            Self::Exit => "the guest ended itself",
            Self::ArgumentMismatch => "called with arguments or results of other types than the function has",
            Self::UnknownHandle => "the handle does not belong to this store",
            Self::CallDepthExceeded => "more nested calls than the call depth allows",
            Self::NestingExceeded => "host and guest, or instances, called each other too deep",
            Self::MemoryProtection => "native code reached for memory that is not the app's",
            Self::TooManyReferences => "more references of others than an instance may hold",
        }
    }
}

impl TrapCode {
    /// The code as host functions return it.
    pub const fn raw(self) -> RawTrap {
        RawTrap(self as u32)
    }
}

/// The number of a trap, or 0 for none: what host functions, native code and the interpreter's cores return. In C it
/// is a `uint32_t`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct RawTrap(u32);

impl RawTrap {
    /// No trap.
    pub const NONE: Self = Self(0);

    /// From the number that code outside of Rust returned.
    #[inline(always)]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Returns the number.
    #[inline(always)]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// True if there is no trap.
    #[inline(always)]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Returns the trap's code, or `None` for no trap and for numbers that no trap has.
    pub const fn code(self) -> Option<TrapCode> {
        TrapCode::from_u32(self.0)
    }
}

impl From<Result<(), TrapCode>> for RawTrap {
    #[inline(always)]
    fn from(result: Result<(), TrapCode>) -> Self {
        match result {
            Ok(()) => Self::NONE,
            Err(code) => code.raw(),
        }
    }
}

/// A guest stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trap {
    /// Why.
    pub code: TrapCode,
    /// Index of the function among the defined functions of its module, or [`Trap::NOWHERE`].
    pub func: u32,
    /// Byte offset in the code section of the image; the exit status for [`TrapCode::Exit`].
    pub offset: u32,
}

impl Trap {
    /// The place of a trap that did not arise in guest code.
    pub const NOWHERE: u32 = u32::MAX;

    /// A trap raised by a host function.
    pub const fn new(code: TrapCode) -> Self {
        Self { code, func: Self::NOWHERE, offset: 0 }
    }

    /// The guest ends with this status.
    pub const fn exit(status: i32) -> Self {
        Self { code: TrapCode::Exit, func: Self::NOWHERE, offset: status as u32 }
    }

    /// The status if this is an end the guest asked for.
    pub const fn exit_status(self) -> Option<i32> {
        match self.code {
            TrapCode::Exit => Some(self.offset as i32),
            _ => None,
        }
    }
}

impl From<TrapCode> for Trap {
    fn from(code: TrapCode) -> Self {
        Self::new(code)
    }
}

#[cfg(feature = "text")]
impl core::fmt::Display for TrapCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(feature = "text")]
impl core::fmt::Display for Trap {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if self.code == TrapCode::Exit {
            return write!(f, "the guest ended itself with status {}", self.offset as i32);
        }
        f.write_str(self.code.text())?;
        if self.func != Self::NOWHERE {
            write!(f, " in function {} at code offset {:#x}", self.func, self.offset)?;
        }
        Ok(())
    }
}

#[cfg(feature = "text")]
impl core::error::Error for Trap {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_find_their_codes_and_zero_is_none() {
        assert_eq!(TrapCode::from_u32(0), None);
        for n in 1..=21 {
            assert_eq!(TrapCode::from_u32(n).map(|c| c as u32), Some(n));
        }
        assert_eq!(TrapCode::from_u32(22), None);
    }
}
