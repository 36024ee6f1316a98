// SPDX-License-Identifier: Apache-2.0
//! The stack that a guest's compiler keeps in linear memory.

/// The stack that a guest's compiler keeps in linear memory, when none of it is left. Both fields are in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuestStackOverflow {
    /// Size that the linker gave it.
    pub size: u32,
    /// Bytes between its top and the stack pointer.
    pub used: u32,
}

impl GuestStackOverflow {
    /// Describes a stack of `size` bytes below `top`. Addresses wrap: a stack at the bottom of memory overflows to the
    /// highest ones.
    pub(super) fn of(size: u32, top: u32, pointer: u32) -> Option<Self> {
        /// Bytes below the stack pointer that LLVM lets a function use which calls no other.
        const RED_ZONE: u32 = 128;
        let used = top.wrapping_sub(pointer);
        // a pointer above the top is no overflow
        let overflows = i32::try_from(used).is_ok() && used > size.saturating_sub(RED_ZONE);
        overflows.then_some(Self { size, used })
    }
}

#[cfg(test)]
mod tests {
    use super::GuestStackOverflow;

    #[test]
    fn a_stack_overflows_by_its_distance_from_the_top_wherever_it_lies() {
        for top in [4096, 65536, 0x8000_0000, u32::MAX - 15] {
            let used = |used: u32| GuestStackOverflow::of(4096, top, top.wrapping_sub(used)).map(|stack| stack.used);
            let tries = [0, 16, 3968, 3969, 4096, 4112, 0x7fff_ffff];
            let told = [None, None, None, Some(3969), Some(4096), Some(4112), Some(0x7fff_ffff)];
            assert_eq!(tries.map(used), told, "{top:#x}");
            assert_eq!(used(16u32.wrapping_neg()), None, "{top:#x}: above the top");
        }
        // smaller than what a function without calls may use below the pointer
        assert_eq!(GuestStackOverflow::of(64, 64, 64), None);
        assert_eq!(GuestStackOverflow::of(64, 64, 48).map(|stack| stack.used), Some(16));
        assert_eq!(GuestStackOverflow::of(0, 0, 0), None);
    }
}
