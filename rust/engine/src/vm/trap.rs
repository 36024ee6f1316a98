// SPDX-License-Identifier: Apache-2.0
//! Traps: why a guest stopped, and where.

pub use wisp_contract::trap::TrapCode;

/// The number of a trap, or 0 for none: what host functions, native code and the interpreter's cores return. In C it
/// is a `uint32_t`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct RawTrap(u32);

impl From<TrapCode> for RawTrap {
    #[inline(always)]
    fn from(code: TrapCode) -> Self {
        Self::of(code)
    }
}

impl RawTrap {
    /// No trap.
    pub const NONE: Self = Self(0);

    /// Returns the trap with this code.
    #[inline(always)]
    pub const fn of(code: TrapCode) -> Self {
        Self(code as u32)
    }

    /// Returns the trap for the number that code outside of Rust returned.
    #[inline(always)]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// Returns the number.
    #[inline(always)]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Returns true if there is no trap.
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
            Err(code) => Self::of(code),
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
    /// Byte offset in the code section of the image, or the exit status for [`TrapCode::Exit`].
    pub offset: u32,
}

impl Trap {
    /// The place of a trap that did not arise in guest code.
    pub const NOWHERE: u32 = u32::MAX;

    /// Returns a trap raised by a host function.
    pub const fn new(code: TrapCode) -> Self {
        Self { code, func: Self::NOWHERE, offset: 0 }
    }

    /// Returns the trap that ends the guest with this status.
    pub const fn exit(status: i32) -> Self {
        Self { code: TrapCode::Exit, func: Self::NOWHERE, offset: status as u32 }
    }

    /// Returns the status if this is an end the guest asked for.
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
