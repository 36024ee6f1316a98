// SPDX-License-Identifier: Apache-2.0
//! Traps: why a guest stopped.

macro_rules! traps {
    ($($name:ident = $number:literal, $c:literal, $short:literal, $text:literal, $doc:literal;)*) => {
        /// Why a guest stopped. The numbers are part of the host function ABI (a host function returns one, or 0) and
        /// of the C API. They never change.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum TrapCode {
            $(#[doc = $doc] $name = $number,)*
        }

        impl TrapCode {
            /// Every trap, ascending by number.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the code with this number.
            pub const fn from_u32(code: u32) -> Option<Self> {
                Some(match code {
                    $($number => Self::$name,)*
                    _ => return None,
                })
            }

            /// Returns the name behind `WISP_TRAP_` in C, or nothing for a mistake that only an embedder of the
            /// engine can make.
            pub const fn c_name(self) -> &'static str {
                match self { $(Self::$name => $c,)* }
            }

            /// Returns the words of a device's log.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $short,)* }
            }

            /// Returns the code in words, as the official test suite words it where it has a word for it.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Returns one sentence on what happened.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $doc,)* }
            }
        }
    };
}

// name, number, name in C, words of a device's log, words of a workstation, meaning
traps! {
    Unreachable = 1, "UNREACHABLE", "unreachable", "unreachable", "The guest executed `unreachable`: a failed assertion or a panic.";
    MemoryOutOfBounds = 2, "MEMORY_OUT_OF_BOUNDS", "out of bounds memory access", "out of bounds memory access", "An access outside linear memory.";
    BeyondTrimmedMemory = 3, "BEYOND_TRIMMED_MEMORY", "access beyond the trimmed memory", "out of bounds memory access (beyond the trimmed memory; give the app more memory, or build it with a larger --heap or --no-trim)", "An access inside the declared memory, but beyond the part that is backed.";
    TableOutOfBounds = 4, "TABLE_OUT_OF_BOUNDS", "out of bounds table access", "out of bounds table access (undefined element)", "An access outside a table.";
    IndirectCallToNull = 5, "INDIRECT_CALL_TO_NULL", "uninitialized element", "uninitialized element", "An indirect call through an empty table element.";
    BadSignature = 6, "BAD_SIGNATURE", "indirect call type mismatch", "indirect call type mismatch", "An indirect call of a function of another type.";
    IntegerOverflow = 7, "INTEGER_OVERFLOW", "integer overflow", "integer overflow", "A division, or a conversion from a float, overflowed.";
    IntegerDivisionByZero = 8, "INTEGER_DIVISION_BY_ZERO", "integer divide by zero", "integer divide by zero", "An integer was divided by zero.";
    BadConversionToInteger = 9, "BAD_CONVERSION_TO_INTEGER", "invalid conversion to integer", "invalid conversion to integer", "NaN was converted to an integer.";
    StackOverflow = 10, "STACK_OVERFLOW", "call stack exhausted", "call stack exhausted", "Calls were nested deeper than the frame stack, or native code's stack, allows.";
    OutOfFuel = 11, "OUT_OF_FUEL", "out of fuel", "out of fuel", "The fuel that the app was given is used up.";
    Interrupted = 12, "INTERRUPTED", "interrupted", "interrupted", "The app was stopped by wisp_app_stop().";
    DeadlineExceeded = 13, "DEADLINE_EXCEEDED", "deadline exceeded", "ran longer than its deadline without blocking", "The app ran for too long without blocking.";
    HostError = 14, "HOST_ERROR", "a host function failed", "a host function failed", "A host function failed.";
    Exit = 15, "EXIT", "exit", "the guest ended itself", "The guest ended itself: not an error.";
    ArgumentMismatch = 16, "", "", "called with arguments or results of other types than the function has", "The host called a function with arguments or results of other types: a mistake of the embedder, not of the guest.";
    UnknownHandle = 17, "", "", "the handle does not belong to this store", "The handle does not belong to this store: a mistake of the embedder.";
    CallDepthExceeded = 18, "CALL_DEPTH_EXCEEDED", "call depth exceeded", "more nested calls than the call depth allows", "More calls were nested than the app's call depth allows.";
    NestingExceeded = 19, "NESTING_EXCEEDED", "host and guest nested too deep", "host and guest, or instances, called each other too deep", "Host and guest called each other deeper than the native stack allows.";
    MemoryProtection = 20, "MEMORY_PROTECTION", "memory protection", "code reached for memory that is not the app's", "Code in user mode reached for memory or a system call that is not the app's.";
    TooManyReferences = 21, "TOO_MANY_REFERENCES", "too many references", "more references of others than an instance may hold", "The app was given more references than it may hold.";
}

#[cfg(feature = "text")]
impl core::fmt::Display for TrapCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_find_their_codes_and_zero_is_none() {
        assert_eq!(TrapCode::from_u32(0), None);
        for (index, &code) in TrapCode::ALL.iter().enumerate() {
            assert_eq!(code as usize, index + 1);
            assert_eq!(TrapCode::from_u32(code as u32), Some(code));
        }
        assert_eq!(TrapCode::from_u32(TrapCode::ALL.len() as u32 + 1), None);
    }

    #[test]
    fn numbers_that_others_rely_on_stay() {
        assert_eq!(TrapCode::MemoryOutOfBounds as u32, 2);
        assert_eq!(TrapCode::StackOverflow as u32, 10);
        assert_eq!(TrapCode::Exit as u32, 15);
        assert_eq!(TrapCode::TooManyReferences as u32, 21);
    }
}
