// SPDX-License-Identifier: Apache-2.0
//! The records of instances.

use core::cell::Cell;
use core::ptr::null;
use core::sync::atomic::Ordering;

#[cfg(wisp_threaded)]
use wisp_image::format::Section;
use wisp_image::format::{entry, ValType};
use wisp_image::{Functions, Image};

use super::guest_stack::GuestStackOverflow;
use super::imports::{unset_import, Import};
use super::memory::LinearMemory;
use super::native::{NativePart, Record};
use super::references::{receives, Held};
use super::shared::Shared;
use super::table::TableRecord;
#[cfg(feature = "translate")]
use super::translation::Translated;
use super::trap::{RawTrap, TrapCode};
use super::ty::{val_types, FuncType};
use super::user_mode::ViewPart;

#[cfg(not(target_endian = "little"))]
compile_error!("images are little endian and are run in place");

/// An instance, as the interpreter, native code and host functions see it. What the hot paths read comes
/// first. Fields are private: host functions use [`crate::Caller`], C the functions of the C API.
#[repr(C)]
pub struct Ctx {
    pub(crate) memory: Cell<*mut u8>,
    /// First address at which an access of 1, 2, 4 bytes does not fit.
    pub(crate) limits: [Cell<usize>; 3],
    /// Units of fuel in hand, if this instance was the last to run, else 0.
    pub(crate) fuel: Cell<i32>,
    /// First address at which an access of 8 bytes does not fit.
    pub(crate) limit_wide: Cell<usize>,
    /// End of the frame stack.
    pub(crate) stack_limit: *mut u8,
    pub(crate) globals: *const Cell<u32>,
    pub(crate) tables: *const Cell<*const TableRecord>,
    pub(crate) imports: *const Cell<Import>,
    /// Function section of the image.
    pub(crate) functions: *const u8,
    /// Reference of the first function defined here, and how many there are: with the table above, what
    /// an indirect call of one of them needs.
    pub(crate) first_reference: u32,
    pub(crate) function_count: u32,
    /// Code section of the image, or the copy of it that runs.
    pub(crate) code: *const u8,
    pub(crate) imported_globals: *const Cell<*const Cell<u32>>,
    /// Place in the code at which the guest last left the interpreter.
    pub(crate) ip: Cell<*const u16>,
    pub(crate) fp: Cell<*mut u8>,
    /// Reference of an indirect call that leaves this instance, or the trap code that forbids it.
    pub(crate) pending: Cell<u32>,
    /// Machine code that was made of the image here.
    #[cfg(wisp_translates)]
    pub(crate) translated: super::translated::State,
    pub(super) linear: Cell<*const LinearMemory>,
    shared: *const Shared,
    pub(super) next: Cell<*const Ctx>,
    image: *const u8,
    image_length: u32,
    types: *const u8,
    /// A bit for each data segment, then one for each element segment.
    dropped: *const Cell<u32>,
    dropped_words: u16,
    data_count: u16,
    pub(super) type_count: u16,
    pub(super) table_count: u16,
    imported_globals_count: u16,
    pub(crate) import_count: u16,
    pub(super) index: u16,
    globals_words: u32,
    /// References of others.
    held: Held,
    /// State of native code.
    native: NativePart,
    /// The part of it that native code in user mode works with.
    pub(crate) view: ViewPart,
    /// Code section of the image.
    #[cfg(wisp_threaded)]
    encoded: *const u8,
}

/// Parts of an instance, beside its image.
pub(crate) struct Parts<'s, 'm> {
    /// The functions of the image.
    pub functions: Functions<'m>,
    /// Numbers of its imports.
    pub imported: Counts,
    /// Room for its own globals, as slots.
    pub globals: &'s [Cell<u32>],
    /// The code that it runs.
    pub code: *const u8,
    /// Machine code that was made of it here.
    #[cfg(wisp_translates)]
    pub translated: super::translated::State,
    /// Its native code.
    pub native: NativePart,
}

/// Numbers of things that an instance imports.
pub(crate) struct Counts {
    pub functions: usize,
    pub globals: usize,
    pub tables: usize,
}

fn image_u32(at: *const u8) -> u32 {
    // SAFETY: rule I: callers stay in a section. Where unaligned reads cost, `Module` insists on aligned
    // images.
    unsafe {
        if cfg!(target_pointer_width = "64") {
            at.cast::<u32>().read_unaligned()
        } else {
            at.cast::<u32>().read()
        }
    }
}

pub(super) fn image_u16(at: *const u8) -> u16 {
    // SAFETY: rule I: callers stay in a section. Where unaligned reads cost, `Module` insists on aligned images.
    unsafe {
        if cfg!(target_pointer_width = "64") {
            at.cast::<u16>().read_unaligned()
        } else {
            at.cast::<u16>().read()
        }
    }
}

impl Ctx {
    /// Takes an instance's records from the arena. Globals are zero, imports unset, tables absent.
    pub(crate) fn new<'s>(shared: &'s Shared, image: &Image<'_>, parts: &Parts<'s, '_>) -> Option<&'s Self> {
        let imported = &parts.imported;
        let (data, elements) = (image.data_count(), image.element_count());
        let dropped_words = (data + elements).div_ceil(32);
        let tables = imported.tables + image.table_count();
        let arena = &shared.arena;
        let index = shared.instance_count.get();
        let tables_cells = arena.alloc_zeroed(tables)?;
        let imports = arena.alloc_cells(imported.functions, unset_import())?;
        let imported_globals = arena.alloc_zeroed(imported.globals)?;
        let dropped = arena.alloc_zeroed(dropped_words)?;
        let references = if receives(image) { shared.config.max_references } else { 0 };
        let held = Held::new(arena, references)?;
        let function_count = u32::try_from(parts.functions.len()).ok()?;
        let types = image.types();
        let type_count = types.len();
        let image_length = u32::try_from(image.bytes().len()).ok()?;
        // all of them fit if none has higher bits
        let counts = data | dropped_words | type_count | tables | imported.globals | imported.functions;
        if counts > usize::from(u16::MAX) {
            return None;
        }
        arena.alloc_with(|| Self {
            memory: Cell::new(core::ptr::dangling_mut()),
            limits: [const { Cell::new(0) }; 3],
            fuel: Cell::new(0),
            limit_wide: Cell::new(0),
            stack_limit: shared.stack_limit(),
            globals: parts.globals.as_ptr(),
            tables: tables_cells.as_ptr(),
            imports: imports.as_ptr(),
            functions: parts.functions.as_ptr(),
            first_reference: u32::from(index) << 16 | (imported.functions as u32 + 1),
            function_count,
            code: parts.code,
            imported_globals: imported_globals.as_ptr(),
            ip: Cell::new(null()),
            fp: Cell::new(core::ptr::null_mut()),
            pending: Cell::new(0),
            #[cfg(wisp_translates)]
            translated: parts.translated.clone(),
            linear: Cell::new(null()),
            shared,
            next: Cell::new(null()),
            image: image.bytes().as_ptr(),
            image_length,
            types: types.as_ptr(),
            dropped: dropped.as_ptr(),
            dropped_words: dropped_words as u16,
            data_count: data as u16,
            type_count: type_count as u16,
            table_count: tables as u16,
            imported_globals_count: imported.globals as u16,
            import_count: imported.functions as u16,
            index,
            globals_words: parts.globals.len() as u32,
            held,
            native: parts.native,
            view: ViewPart::new(),
            #[cfg(wisp_threaded)]
            encoded: image.section(Section::Code).as_ptr(),
        })
    }

    /// Returns a copy of these records in the arena of another store, where an interpreter in user mode works with them. All
    /// imports are this function, with the index as `env`. Elements of tables, globals and bytes of the memory are shared.
    #[cfg(feature = "user-mode")]
    pub(crate) fn copied<'s>(&self, shared: &'s Shared, import: super::imports::RawHostFn) -> Option<&'s Self> {
        let arena = &shared.arena;
        let imports = arena.alloc_cells(usize::from(self.import_count), unset_import())?;
        for (index, place) in imports.iter().enumerate() {
            let ty = self.imports().get(index)?.get().ty;
            place.set(Import { function: import, env: core::ptr::without_provenance(index), direct: null(), ty });
        }
        let tables = arena.alloc_zeroed::<*const TableRecord>(usize::from(self.table_count))?;
        for (index, place) in tables.iter().enumerate() {
            place.set(arena.alloc(self.table(index)?.clone())?);
        }
        let dropped = arena.alloc_zeroed(usize::from(self.dropped_words))?;
        for (index, place) in dropped.iter().enumerate() {
            // SAFETY: rule A: as many cells were taken.
            place.set(unsafe { (*self.dropped.add(index)).get() });
        }
        let linear = match self.linear() {
            Some(linear) => core::ptr::from_ref(arena.alloc(linear.clone())?),
            None => null(),
        };
        let references = if receives(&self.image()) { shared.config.max_references } else { 0 };
        let held = Held::new(arena, references)?;
        // SAFETY: records have nothing to drop, and every part that may not be in two instances is replaced.
        let same = unsafe { core::ptr::from_ref(self).read() };
        arena.alloc_with(|| Self {
            stack_limit: shared.stack_limit(),
            imports: imports.as_ptr(),
            tables: tables.as_ptr(),
            dropped: dropped.as_ptr(),
            linear: Cell::new(linear),
            held,
            shared,
            next: Cell::new(null()),
            fuel: Cell::new(0),
            view: ViewPart::new(),
            ..same
        })
    }

    /// Returns the state of native code, if this instance runs native code.
    #[inline(always)]
    pub(crate) fn native(&self) -> Option<&Record> {
        self.native.record()
    }

    /// Returns what became machine code of this instance here.
    #[cfg(feature = "translate")]
    pub(crate) fn translated_figures(&self) -> Translated {
        let functions = self.function_count;
        #[cfg(wisp_translates)]
        return Translated { functions, ..self.translated.figures() };
        #[cfg(not(wisp_translates))]
        Translated { functions, ..Translated::default() }
    }

    /// Returns the byte offset in the code section at which the guest stands, and its frame, if it left machine code that
    /// was made here.
    pub(super) fn translated_place(&self) -> Option<(u32, *mut u8)> {
        #[cfg(wisp_translates)]
        // SAFETY: it is the address of the instance.
        return unsafe { (self.translated.place)(core::ptr::from_ref(self).cast()) };
        #[cfg(not(wisp_translates))]
        None
    }

    /// Returns the references of others that it was given.
    pub(super) fn held(&self) -> &Held {
        &self.held
    }

    /// Returns the store's records.
    #[inline]
    pub(crate) fn shared(&self) -> &Shared {
        // SAFETY: rule A: the store's record lives as long as any instance's.
        unsafe { &*self.shared }
    }

    /// Returns the instance with the following index.
    pub(super) fn next(&self) -> Option<&Self> {
        // SAFETY: rule A: null or an instance of the same store.
        unsafe { self.next.get().as_ref() }
    }

    /// Returns its index in the store.
    pub(crate) fn index(&self) -> u16 {
        self.index
    }

    /// Returns its image. Reads the section table again (about 100 instructions): RAM is dearer than that.
    #[cold]
    pub(crate) fn image(&self) -> Image<'_> {
        // SAFETY: rule I: these are the bytes the module was made from.
        Image::parsed(unsafe { core::slice::from_raw_parts(self.image, self.image_length as usize) })
    }

    /// Returns the imported functions.
    #[inline]
    pub(crate) fn imports(&self) -> &[Cell<Import>] {
        // SAFETY: rule A: `import_count` cells were taken.
        unsafe { core::slice::from_raw_parts(self.imports, usize::from(self.import_count)) }
    }

    /// Returns the number of functions, imported ones first.
    pub(crate) fn functions(&self) -> u32 {
        u32::from(self.import_count) + self.function_count
    }

    /// Returns the code offset and type index of a defined function.
    #[inline]
    pub(crate) fn defined(&self, index: u32) -> Option<(u32, u16)> {
        if index >= self.function_count {
            return None;
        }
        let at = self.functions.wrapping_add(index as usize * entry::FUNCTION);
        Some((image_u32(at), image_u16(at.wrapping_add(4))))
    }

    /// Returns the type index of a function.
    #[inline]
    pub(crate) fn type_index(&self, function: u32) -> Option<u16> {
        match self.imports().get(function as usize) {
            Some(import) => Some(import.get().ty),
            None => Some(self.defined(function - u32::from(self.import_count))?.1),
        }
    }

    /// Returns a type.
    pub(crate) fn ty(&self, index: u16) -> Option<FuncType<'_>> {
        if index >= self.type_count {
            return None;
        }
        let at = self.types.wrapping_add(4 + usize::from(index) * entry::TYPE);
        let bytes = self.types.wrapping_add(image_u32(at) as usize);
        let (params, results) =
            (usize::from(image_u16(at.wrapping_add(4))), usize::from(image_u16(at.wrapping_add(6))));
        // SAFETY: rule I: the verifier reads every type, so its bytes lie in the section.
        let bytes = unsafe { core::slice::from_raw_parts(bytes, params + results) };
        let (params, results) = val_types(bytes).split_at_checked(params)?;
        Some(FuncType { params, results })
    }

    /// Returns the type of a function.
    pub(crate) fn function_type(&self, function: u32) -> Option<FuncType<'_>> {
        self.ty(self.type_index(function)?)
    }

    /// Returns the number of the trap with which the guest is to stop, or 0. Whoever does long work for a guest looks
    /// at it first: the guest itself does only where it counts fuel.
    #[inline(always)]
    pub fn stop_requested(&self) -> RawTrap {
        RawTrap::from_bits(self.shared().stop.load(Ordering::Relaxed))
    }

    /// Fails if the guest is to stop.
    ///
    /// # Errors
    /// The trap that the stop flag asks for.
    pub(crate) fn go_on(&self) -> Result<(), TrapCode> {
        self.shared().go_on()
    }

    /// Returns the trap a host function ended with: if it was interrupted, the one that the stop flag asks for.
    pub fn reason(&self, code: TrapCode) -> RawTrap {
        match (code, self.stop_requested()) {
            (TrapCode::Interrupted, stop) if !stop.is_none() => stop,
            _ => RawTrap::of(code),
        }
    }

    /// Returns the defined function that holds this code offset.
    #[inline(never)]
    pub(crate) fn function_at(&self, offset: u32) -> u32 {
        let (mut low, mut high) = (0, self.function_count);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.defined(middle) {
                Some((code, _)) if code <= offset => low = middle,
                _ => high = middle,
            }
        }
        low
    }

    /// Returns the type of the defined function whose code begins there.
    pub(crate) fn type_at(&self, code: u32) -> Option<FuncType<'_>> {
        let (_, ty) = self.defined(self.function_at(code))?;
        self.ty(ty)
    }

    /// Returns the instance's own globals, in slots.
    pub(crate) fn globals(&self) -> &[Cell<u32>] {
        // SAFETY: rule A: `globals_words` cells were taken.
        unsafe { core::slice::from_raw_parts(self.globals, self.globals_words as usize) }
    }

    fn imported_globals(&self) -> &[Cell<*const Cell<u32>>] {
        // SAFETY: rule A: `imported_globals_count` cells were taken.
        unsafe { core::slice::from_raw_parts(self.imported_globals, usize::from(self.imported_globals_count)) }
    }

    /// Returns the slots of an imported global: as many as its type takes.
    pub(crate) fn imported_global(&self, index: usize, ty: ValType) -> Option<&[Cell<u32>]> {
        let place = self.imported_globals().get(index)?.get();
        if place.is_null() {
            return None;
        }
        // SAFETY: rule A: `import_global` set it to slots of that type, which the linker compared.
        Some(unsafe { core::slice::from_raw_parts(place, ty.slots()) })
    }

    /// Binds an imported global.
    pub(crate) fn import_global(&self, index: usize, slots: &[Cell<u32>]) {
        if let Some(place) = self.imported_globals().get(index) {
            place.set(slots.as_ptr());
        }
    }

    fn table_cells(&self) -> &[Cell<*const TableRecord>] {
        // SAFETY: rule A: `table_count` cells were taken.
        unsafe { core::slice::from_raw_parts(self.tables, usize::from(self.table_count)) }
    }

    /// Returns a table.
    pub(crate) fn table(&self, index: usize) -> Option<&TableRecord> {
        // SAFETY: rule A: null or a table of the store.
        unsafe { self.table_cells().get(index)?.get().as_ref() }
    }

    /// Puts a table in its place.
    pub(crate) fn set_table(&self, index: usize, table: &TableRecord) {
        if let Some(place) = self.table_cells().get(index) {
            place.set(table);
        }
    }

    /// Returns the linear memory.
    #[inline]
    pub(crate) fn linear(&self) -> Option<&LinearMemory> {
        // SAFETY: rule A: null or a memory of the store.
        unsafe { self.linear.get().as_ref() }
    }

    /// Returns the guest's own stack if its stack pointer lies below it, or so little above that a function which calls
    /// no other may have left it there.
    pub(crate) fn guest_stack_overflow(&self) -> Option<GuestStackOverflow> {
        let image = self.image();
        let stack = image.guest_stack()?;
        let pointer = self.globals().get(stack.global as usize)?.get();
        let first = image.globals().filter_map(Result::ok).find(|global| global.offset == stack.global * 4)?;
        GuestStackOverflow::of(stack.size, first.init as u32, pointer)
    }

    /// Sets the linear memory.
    pub(crate) fn set_linear(&self, linear: &LinearMemory) {
        self.linear.set(linear);
        self.memory.set(linear.base());
        self.set_limits(linear.size());
    }

    pub(super) fn set_limits(&self, size: usize) {
        let [one, two, four] = &self.limits;
        one.set(size);
        two.set(size.saturating_sub(1));
        four.set(size.saturating_sub(3));
        self.limit_wide.set(size.saturating_sub(7));
        if let Some(record) = self.native() {
            record.set_memory(self.memory.get(), size);
        }
    }

    /// Returns the number of tables, imported ones first.
    pub(crate) fn table_count(&self) -> usize {
        usize::from(self.table_count)
    }

    /// Returns true if the module has data or element segments.
    pub(crate) fn has_segments(&self) -> bool {
        self.dropped_words != 0
    }

    /// Returns the marks of dropped segments.
    #[cfg(feature = "rewind")]
    pub(super) fn dropped(&self) -> &[Cell<u32>] {
        // SAFETY: rule A: `dropped_words` cells were taken.
        unsafe { core::slice::from_raw_parts(self.dropped, usize::from(self.dropped_words)) }
    }

    fn dropped_bit(&self, bit: usize) -> Option<(&Cell<u32>, u32)> {
        if bit / 32 >= usize::from(self.dropped_words) {
            return None;
        }
        // SAFETY: rule A: `dropped_words` cells were taken.
        let word = unsafe { &*self.dropped.add(bit / 32) };
        Some((word, 1 << (bit % 32)))
    }

    /// Marks a data segment as dropped.
    pub(crate) fn drop_data(&self, index: usize) {
        if let Some((word, mask)) = self.dropped_bit(index) {
            word.set(word.get() | mask);
        }
    }

    /// Marks an element segment as dropped.
    pub(crate) fn drop_elements(&self, index: usize) {
        self.drop_data(usize::from(self.data_count) + index);
    }

    /// Returns true if a data segment was dropped.
    pub(crate) fn data_dropped(&self, index: usize) -> bool {
        self.dropped_bit(index).is_none_or(|(word, mask)| word.get() & mask != 0)
    }

    /// Returns true if an element segment was dropped.
    pub(crate) fn elements_dropped(&self, index: usize) -> bool {
        self.data_dropped(usize::from(self.data_count) + index)
    }

    /// Returns the reference to one of its functions.
    pub(crate) fn reference(&self, function: u32) -> u32 {
        u32::from(self.index) << 16 | (function + 1)
    }

    /// Returns the op at `ip` as the image has it.
    #[cfg_attr(wisp_back_end = "loop", allow(dead_code))]
    #[inline(always)]
    pub(crate) fn encoded(&self, ip: *const u16) -> *const u16 {
        #[cfg(wisp_threaded)]
        return self.encoded.wrapping_add(self.code_offset(ip) as usize).cast();
        #[cfg(not(wisp_threaded))]
        ip
    }

    /// Returns the byte offset in the code section.
    pub(crate) fn code_offset(&self, ip: *const u16) -> u32 {
        ip.addr().wrapping_sub(self.code.addr()) as u32
    }
}
