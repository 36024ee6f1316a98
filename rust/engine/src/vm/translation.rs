// SPDX-License-Identifier: Apache-2.0
//! What a translation of instances into machine code has achieved.

/// Functions of instances, and what became machine code of them here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Translated {
    /// Functions that the instances define.
    pub functions: u32,
    /// Functions with machine code.
    pub translated: u32,
    /// Bytes of machine code.
    pub bytes: u32,
    /// Functions without, because there was no room for it, or for what the translation needs.
    pub no_room: u32,
    /// Functions without, because those before them had used the budget.
    pub over_budget: u32,
}

/// Is called with the context and what became machine code of an instance, as
/// [`Config::translate_to`](crate::Config::translate_to) describes it.
pub type TranslationDone = fn(usize, Translated);
