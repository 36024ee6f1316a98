// SPDX-License-Identifier: Apache-2.0
//! The errors of instantiation in words.

use wisp_image::Image;

use super::error::{InstantiateError, LinkProblem};

impl InstantiateError {
    /// Returns the text with the import's name in it.
    pub fn describe<'e>(&'e self, image: &'e Image<'_>) -> impl core::fmt::Display + 'e {
        Described(self, image)
    }
}

impl LinkProblem {
    /// Returns the problem in words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unknown => "unknown import: nobody defines it",
            Self::Kind => "incompatible import type: it is defined as another kind of thing",
            Self::Signature => "incompatible import type: the function has other parameters or results",
            Self::Limits => "incompatible import type: the size, the maximum or the element type differs",
            Self::GlobalType => "incompatible import type: the global has another type or mutability",
        }
    }
}

struct Described<'e, 'i>(&'e InstantiateError, &'e Image<'i>);

impl core::fmt::Display for Described<'_, '_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        if let (InstantiateError::Import(_, problem), Some((module, name))) = (self.0, self.0.import(self.1)) {
            return write!(f, "import `{module}` `{name}`: {}", problem.text());
        }
        self.0.fmt(f)?;
        let memory = self.1.memory().ok().flatten();
        match (self.0, memory) {
            (InstantiateError::MemoryLimit(..), Some(memory)) if memory.trimmed => {
                f.write_str(": these are its stack and its static data")
            }
            (InstantiateError::MemoryLimit(..), Some(memory)) if memory.grows => {
                f.write_str(": these are whole pages, because the memory can grow")
            }
            _ => Ok(()),
        }
    }
}

impl core::fmt::Display for InstantiateError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Self::Image(error) => error.fmt(f),
            Self::Import(index, problem) => write!(f, "import {index}: {}", problem.text()),
            Self::ArenaTooSmall(needed, left) => write!(
                f,
                "the arena is too small: {needed} bytes needed, {left} left; give the app more memory or \
                 build it with a smaller stack and heap"
            ),
            Self::MemoryLimit(u32::MAX, allowed) => write!(
                f,
                "the module's memory begins with 4 GiB, {allowed} bytes are allowed; link it with a smaller \
                 --initial-memory"
            ),
            Self::MemoryLimit(needed, allowed) => write!(
                f,
                "the module's memory begins with {needed} bytes, {allowed} are allowed; raise the limit, or see what \
                 `wisp build --memory-limit {allowed}` advises"
            ),
            Self::TableLimit(needed, allowed) => write!(
                f,
                "a table of the module begins with {needed} elements, {allowed} are allowed; take the address \
                 of fewer functions, or raise the limit"
            ),
            Self::ImportLimit(count, allowed) => {
                write!(f, "the module has {count} imports, {allowed} are allowed; raise the limit")
            }
            Self::FunctionLimit(count, allowed) => {
                write!(f, "the module defines {count} functions, {allowed} are allowed; raise the limit")
            }
            Self::TooManyInstances => f.write_str("the store can take no more instances"),
            Self::Trap(trap) => trap.fmt(f),
        }
    }
}

impl core::error::Error for InstantiateError {}
