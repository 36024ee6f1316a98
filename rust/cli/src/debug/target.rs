// SPDX-License-Identifier: Apache-2.0
//! An app as a target of the crate `gdbstub`.
//!
//! LLDB sees a WebAssembly process in one space of 64-bit addresses: bits 63 and 62 say whether an address lies in linear
//! memory (0) or in the module's file (1), the next 30 are the number of the module, and the rest is the offset.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use gdbstub::arch::lldb::{Encoding, Format, Generic, Register};
use gdbstub::common::{Endianness, Pid, Signal, Tid};
use gdbstub::target::ext::base::reverse_exec::{ReverseCont, ReverseContOps, ReverseStep, ReverseStepOps};
use gdbstub::target::ext::base::singlethread::{
    SingleThreadBase, SingleThreadResume, SingleThreadResumeOps, SingleThreadSingleStep, SingleThreadSingleStepOps,
};
use gdbstub::target::ext::base::BaseOps;
use gdbstub::target::ext::breakpoints::{Breakpoints, BreakpointsOps, SwBreakpoint, SwBreakpointOps};
use gdbstub::target::ext::host_info::{HostInfo, HostInfoOps, HostInfoResponse};
use gdbstub::target::ext::libraries::{Libraries, LibrariesOps};
use gdbstub::target::ext::lldb_register_info_override::{
    Callback, CallbackToken, LldbRegisterInfoOverride, LldbRegisterInfoOverrideOps,
};
use gdbstub::target::ext::process_info::{ProcessInfo, ProcessInfoOps, ProcessInfoResponse};
use gdbstub::target::ext::wasm::{Wasm, WasmOps};
use gdbstub::target::{Target, TargetError, TargetResult};
use gdbstub_arch::wasm::addr::{WasmAddr, WasmAddrType};
use gdbstub_arch::wasm::reg::WasmRegisters;
use wisp_compiler::DebugMap;
use wisp_engine::Watched;

use super::back_end::{Answer, BackEnd, GONE};
use super::{Go, Link, Stop};
use crate::xml::escaped;

/// The only module of an app.
const MODULE: u32 = 0;
/// Names the machine to LLDB.
pub const TRIPLE: &str = "wasm32-unknown-unknown-wasm";

/// An app, as the thread that speaks with the debugger sees it.
pub struct App {
    /// The list of modules in XML.
    libraries: String,
    wasm: Vec<u8>,
    map: Arc<DebugMap>,
    link: Arc<Link>,
    back_end: Box<dyn BackEnd>,
    /// Code offset of the step, by the address of the breakpoint.
    breakpoints: BTreeMap<u64, u32>,
    /// The guest does not stand still.
    running: bool,
}

/// Returns the address of an offset in the module's file.
fn code_address(offset: u32) -> u64 {
    WasmAddr::new(WasmAddrType::Object, MODULE, offset).map_or(0, WasmAddr::as_raw)
}

/// Returns what a raw address means, if it is one of the app's module.
fn place(raw: u64) -> Option<WasmAddr> {
    WasmAddr::from_raw(raw).filter(|address| address.module_index() == MODULE)
}

/// Returns the frames that the module knows, with the offset in the module at which each stands or goes on.
fn frames(all: Vec<Watched>, map: &DebugMap) -> Vec<(Watched, u32)> {
    let place = |(depth, frame): (usize, Watched)| {
        let here = map.step_of(frame.func, frame.offset).filter(|_| depth == 0);
        // a caller goes on behind its call, and a function that trapped as it was entered has not begun
        let step = here.or_else(|| map.step_from(frame.func, frame.offset))?;
        let function = map.functions.get(frame.func as usize)?;
        // at the address of the function itself, LLDB knows that a call has just begun
        let begins = depth == 0 && function.steps.first() == Some(&step);
        Some((frame, if begins { function.body.start } else { step.1 }))
    };
    all.into_iter().enumerate().filter_map(place).collect()
}

/// Copies a value with as many bytes as its type has.
fn put(value: Option<(usize, u64)>, buffer: &mut [u8]) -> usize {
    let Some((slots, bits)) = value else { return 0 };
    buffer[..4 * slots].copy_from_slice(&bits.to_le_bytes()[..4 * slots]);
    4 * slots
}

impl App {
    /// Returns an app that was compiled with this map.
    pub fn new(name: &str, wasm: Vec<u8>, map: Arc<DebugMap>, link: Arc<Link>, back_end: Box<dyn BackEnd>) -> Self {
        let libraries = format!(
            "<library-list><library name=\"{}\"><section address=\"{:#x}\"/></library></library-list>",
            escaped(name),
            code_address(0)
        );
        Self { libraries, wasm, map, link, back_end, breakpoints: BTreeMap::new(), running: true }
    }

    /// Returns what stands behind, which answers only while the guest stands still.
    fn guest(&self) -> Answer<&dyn BackEnd> {
        match self.running {
            true => Err(GONE),
            false => Ok(&*self.back_end),
        }
    }

    /// Returns the frames that the module knows.
    fn frames(&self) -> Answer<Vec<(Watched, u32)>> {
        Ok(frames(self.guest()?.frames()?, &self.map))
    }

    fn go(&mut self, step: bool, back: bool) -> Result<(), &'static str> {
        if self.running {
            return Err("the app runs already");
        }
        self.running = true;
        // a wish to stop from before is fulfilled: the guest stands still
        self.link.pause.store(false, Ordering::SeqCst);
        // so that what was told of this stop is not taken for the next
        *self.link.held() = None;
        self.back_end.go(Go { step, back, breakpoints: self.breakpoints.values().copied().collect() })
    }

    /// Makes a running guest stop.
    pub fn interrupt(&self) {
        if self.running {
            self.back_end.interrupt();
        }
    }

    /// Returns why the guest stands still, if it does.
    pub fn held(&self) -> Option<Stop> {
        *self.link.held()
    }

    /// Notes that the guest stands still. Returns its program counter: that of the breakpoint, if one is there.
    pub fn stopped(&mut self, stop: &Stop) -> Result<u64, &'static str> {
        self.running = false;
        let Some(&(frame, wasm)) = self.frames()?.first() else { return Ok(0) };
        let here = |(_, &code): &(&u64, &u32)| *stop == Stop::Breakpoint && code == frame.offset;
        let exact = code_address(wasm);
        let at = self.breakpoints.iter().filter(here).map(|(&address, _)| address).min_by_key(|at| exact.abs_diff(*at));
        Ok(at.unwrap_or(exact))
    }

    /// Lets the guest go on alone, because the debugger has left. One that no debugger ever spoke to still waits for
    /// the first.
    pub fn detached(&mut self) {
        self.breakpoints.clear();
        if !self.link.greeted.load(Ordering::SeqCst) {
            return;
        }
        self.link.pause.store(false, Ordering::SeqCst);
        if !self.running {
            self.running = true;
            *self.link.held() = None;
            self.back_end.left();
        }
    }

    /// Ends the guest at its next step, and a wait of the host that it is in.
    pub fn kill(&self) {
        self.back_end.kill();
    }

    fn value_of(&self, frame: usize, local: usize) -> Answer<Option<(usize, u64)>> {
        let Some(&(frame, _)) = self.frames()?.get(frame) else { return Ok(None) };
        let function = self.map.functions.get(frame.func as usize);
        let Some(&(slot, ty)) = function.and_then(|function| function.locals.get(local)) else { return Ok(None) };
        let guest = self.guest()?;
        let Some(low) = guest.slot(frame, slot)? else { return Ok(None) };
        let high = match ty.slots() {
            2 => guest.slot(frame, slot + 1)?,
            _ => Some(0),
        };
        Ok(high.map(|high| (ty.slots(), u64::from(low) | u64::from(high) << 32)))
    }
}

impl Target for App {
    type Arch = gdbstub_arch::wasm::Wasm;
    type Error = &'static str;

    fn base_ops(&mut self) -> BaseOps<'_, Self::Arch, Self::Error> {
        BaseOps::SingleThread(self)
    }

    fn support_breakpoints(&mut self) -> Option<BreakpointsOps<'_, Self>> {
        Some(self)
    }

    fn support_lldb_register_info_override(&mut self) -> Option<LldbRegisterInfoOverrideOps<'_, Self>> {
        Some(self)
    }

    fn support_libraries(&mut self) -> Option<LibrariesOps<'_, Self>> {
        Some(self)
    }

    fn support_host_info(&mut self) -> Option<HostInfoOps<'_, Self>> {
        Some(self)
    }

    fn support_process_info(&mut self) -> Option<ProcessInfoOps<'_, Self>> {
        Some(self)
    }

    fn support_wasm(&mut self) -> Option<WasmOps<'_, Self>> {
        Some(self)
    }
}

impl SingleThreadBase for App {
    fn read_registers(&mut self, registers: &mut WasmRegisters) -> TargetResult<(), Self> {
        let frames = self.frames().map_err(TargetError::Fatal)?;
        registers.pc = frames.first().map_or(0, |frame| code_address(frame.1));
        Ok(())
    }

    fn write_registers(&mut self, _: &WasmRegisters) -> TargetResult<(), Self> {
        Err(TargetError::NonFatal)
    }

    fn read_addrs(&mut self, start: u64, data: &mut [u8]) -> TargetResult<usize, Self> {
        let address = place(start).ok_or(TargetError::NonFatal)?;
        let (offset, length) = (address.offset(), data.len());
        let bytes = match address.addr_type() {
            WasmAddrType::Object => {
                let rest = self.wasm.get(offset as usize..).unwrap_or_default();
                rest[..rest.len().min(length)].to_vec()
            }
            WasmAddrType::Memory => {
                let guest = self.guest().map_err(TargetError::Fatal)?;
                guest.read(offset, length).map_err(TargetError::Fatal)?
            }
        };
        let count = bytes.len().min(length);
        data[..count].copy_from_slice(&bytes[..count]);
        if count == 0 {
            return Err(TargetError::NonFatal);
        }
        Ok(count)
    }

    fn write_addrs(&mut self, start: u64, data: &[u8]) -> TargetResult<(), Self> {
        let address = place(start).filter(|address| address.addr_type() == WasmAddrType::Memory);
        let offset = address.ok_or(TargetError::NonFatal)?.offset();
        match self.guest().and_then(|guest| guest.write(offset, data)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(TargetError::NonFatal),
            Err(error) => Err(TargetError::Fatal(error)),
        }
    }

    fn support_resume(&mut self) -> Option<SingleThreadResumeOps<'_, Self>> {
        Some(self)
    }
}

impl SingleThreadResume for App {
    fn resume(&mut self, _: Option<Signal>) -> Result<(), Self::Error> {
        self.go(false, false)
    }

    fn support_single_step(&mut self) -> Option<SingleThreadSingleStepOps<'_, Self>> {
        Some(self)
    }

    fn support_reverse_cont(&mut self) -> Option<ReverseContOps<'_, (), Self>> {
        self.back_end.goes_back().then_some(self)
    }

    fn support_reverse_step(&mut self) -> Option<ReverseStepOps<'_, (), Self>> {
        self.back_end.goes_back().then_some(self)
    }
}

impl ReverseCont<()> for App {
    fn reverse_cont(&mut self) -> Result<(), Self::Error> {
        self.go(false, true)
    }
}

impl ReverseStep<()> for App {
    fn reverse_step(&mut self, (): ()) -> Result<(), Self::Error> {
        self.go(true, true)
    }
}

impl SingleThreadSingleStep for App {
    fn step(&mut self, _: Option<Signal>) -> Result<(), Self::Error> {
        self.go(true, false)
    }
}

impl Breakpoints for App {
    fn support_sw_breakpoint(&mut self) -> Option<SwBreakpointOps<'_, Self>> {
        Some(self)
    }
}

impl SwBreakpoint for App {
    fn add_sw_breakpoint(&mut self, address: u64, _: usize) -> TargetResult<bool, Self> {
        let code = place(address).filter(|address| address.addr_type() == WasmAddrType::Object);
        let Some((code, _)) = code.and_then(|address| self.map.step_at(address.offset())) else { return Ok(false) };
        self.breakpoints.insert(address, code);
        Ok(true)
    }

    fn remove_sw_breakpoint(&mut self, address: u64, _: usize) -> TargetResult<bool, Self> {
        Ok(self.breakpoints.remove(&address).is_some())
    }
}

impl LldbRegisterInfoOverride for App {
    fn lldb_register_info<'a>(
        &mut self,
        register: usize,
        info: Callback<'a>,
    ) -> Result<CallbackToken<'a>, Self::Error> {
        if register != 0 {
            return Ok(info.done());
        }
        Ok(info.write(Register {
            name: "pc",
            alt_name: Some("pc"),
            bitsize: 64,
            offset: 0,
            encoding: Encoding::Uint,
            format: Format::Hex,
            set: "General Purpose Registers",
            gcc: Some(16),
            dwarf: Some(16),
            generic: Some(Generic::Pc),
            container_regs: None,
            invalidate_regs: None,
        }))
    }
}

impl Libraries for App {
    fn get_libraries(&self, offset: u64, length: usize, buffer: &mut [u8]) -> TargetResult<usize, Self> {
        let rest = self.libraries.as_bytes().get(offset as usize..).unwrap_or_default();
        let count = rest.len().min(length).min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

impl HostInfo for App {
    fn host_info(&self, write: &mut dyn FnMut(&HostInfoResponse<'_>)) -> Result<(), Self::Error> {
        write(&HostInfoResponse::Triple(TRIPLE));
        write(&HostInfoResponse::Endianness(Endianness::Little));
        write(&HostInfoResponse::PointerSize(4));
        Ok(())
    }
}

impl ProcessInfo for App {
    fn process_info(&self, write: &mut dyn FnMut(&ProcessInfoResponse<'_>)) -> Result<(), Self::Error> {
        write(&ProcessInfoResponse::Pid(Pid::MIN));
        write(&ProcessInfoResponse::Triple(TRIPLE));
        write(&ProcessInfoResponse::Endianness(Endianness::Little));
        write(&ProcessInfoResponse::PointerSize(4));
        Ok(())
    }
}

impl Wasm for App {
    fn wasm_call_stack(&self, _: Tid, next: &mut dyn FnMut(u64)) -> Result<(), Self::Error> {
        self.frames()?.iter().for_each(|frame| next(code_address(frame.1)));
        Ok(())
    }

    fn read_wasm_local(&self, _: Tid, frame: usize, local: usize, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        Ok(put(self.value_of(frame, local)?, buffer))
    }

    fn read_wasm_stack(&self, _: Tid, _: usize, _: usize, _: &mut [u8]) -> Result<usize, Self::Error> {
        // which slot holds a value of the operand stack is known to the compiler only
        Ok(0)
    }

    fn read_wasm_global(&self, _: Tid, _: usize, global: usize, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        Ok(put(self.guest()?.global(global)?, buffer))
    }
}
