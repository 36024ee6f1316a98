// SPDX-License-Identifier: Apache-2.0
//! Makes the records of an instance, for whichever tier runs it.

use wisp_image::{Functions, Image};

use super::interpreter;
use super::native::{Code, Room};
use crate::vm::context::{Counts, Ctx, Parts};
use crate::vm::shared::Shared;

/// Takes an instance's records from the arena. Globals are zero, imports unset, tables absent.
pub(crate) fn make<'s>(
    shared: &'s Shared,
    image: &Image<'_>,
    native: Option<&Code<'_>>,
    functions: Functions<'_>,
    imported: Counts,
    globals_size: u32,
) -> Option<&'s Ctx> {
    let room = Room::take(shared, native, (globals_size / 4) as usize)?;
    let code = interpreter::code(&shared.arena, image, native.is_some())?;
    #[cfg(wisp_translates)]
    let translated = match native {
        Some(_) => crate::vm::translated::State::none(),
        None => super::translated::new(shared, image),
    };
    let parts = Parts {
        functions,
        imported,
        globals: room.globals,
        code,
        #[cfg(wisp_translates)]
        translated,
        native: room.part,
    };
    let ctx = Ctx::new(shared, image, &parts)?;
    room.bind(ctx, native)?;
    Some(ctx)
}
