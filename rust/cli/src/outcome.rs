// SPDX-License-Identifier: Apache-2.0
//! The end of a run of `wisp run`: an exit status, a trap, or a stop.

use serde::Serialize;
use wisp_engine::{Store, Trap, TrapCode};
use wisp_host::App;
use wisp_sim::SimPlatform;

use crate::symbols::Symbols;
use crate::{exit, explain, output, profile};

/// Frames of a backtrace that are shown.
const FRAMES_SHOWN: usize = 16;

/// The end of a run, as `--json` writes it to standard error behind everything else.
#[derive(Default, Serialize)]
pub struct Outcome {
    /// `returned`, `exited`, `duration`, `killed` or `trapped`.
    pub ended: &'static str,
    pub native: bool,
    pub results: Vec<String>,
    pub exit_code: u8,
    trap: Option<String>,
    /// Bytes of the guest's own stack, if the trap comes from its overflow.
    overflowed_stack: Option<u32>,
    /// Lines that explain the trap.
    #[serde(skip)]
    notes: Vec<String>,
    /// Innermost first, a list of lines for each frame.
    frames: Vec<Vec<String>>,
    /// There are more frames, which are not known.
    cut: bool,
    /// A row for each function, if the run was profiled.
    pub profile: Option<Vec<profile::Row>>,
}

impl Outcome {
    /// Returns the outcome of a run that went well.
    pub fn new(native: bool) -> Self {
        Self { ended: "returned", native, ..Self::default() }
    }

    /// Records and reports a trap, and returns the exit code.
    pub fn trapped(
        &mut self,
        store: &Store<'_, App<SimPlatform>>,
        trap: Trap,
        ended_by_watch: bool,
        symbols: &Symbols,
    ) -> u8 {
        if let Some(status) = trap.exit_status() {
            self.ended = "exited";
            let status = status as u32;
            return u8::try_from(status).unwrap_or_else(|_| {
                output::note(format_args!(
                    "the app ended with status {status}, which no exit code of a process can hold"
                ));
                exit::LARGE_STATUS
            });
        }
        if trap.code == TrapCode::Interrupted && (ended_by_watch || store.data().platform().time_is_up()) {
            self.ended = "duration";
            return 0;
        }
        self.ended = "trapped";
        self.trap = Some(trap.code.to_string());
        let mut frames: Vec<(u32, u32)> = store.backtrace().map(|frame| (frame.func, frame.offset)).collect();
        if frames.is_empty() && trap.func != Trap::NOWHERE {
            frames.push((trap.func, trap.offset));
        }
        let describe = |(depth, &(func, offset)): (usize, &(u32, u32))| {
            // where a caller goes on, its call is the op before
            symbols.describe(func, if depth == 0 { offset } else { offset.saturating_sub(1) })
        };
        self.frames = frames.iter().enumerate().map(describe).collect();
        self.cut = store.backtrace_is_cut();
        let memory = matches!(trap.code, TrapCode::MemoryOutOfBounds | TrapCode::BeyondTrimmedMemory);
        let overflow = store.guest_stack_overflow().filter(|_| memory);
        self.overflowed_stack = overflow.map(|stack| stack.size);
        self.notes.extend(overflow.map(explain::overflow));
        if trap.code == TrapCode::StackOverflow && !self.native {
            self.notes.push(explain::FRAMES.into());
        }
        if frames.is_empty() && trap.func == Trap::NOWHERE && !self.native {
            self.notes.extend(explain::segment(trap.code).map(String::from));
        }
        if !output::is_json() {
            output::complain(format_args!("wisp: {}\n", self.lines().join("\n")));
            if *symbols == Symbols::default() {
                output::complain(format_args!(
                    "  for names and source lines, give the --symbols that `wisp build` wrote, or run the wasm module\n"
                ));
            }
        }
        exit::of_trap(trap.code)
    }

    /// Returns the lines that tell of a trap.
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("trap: {}", self.trap.as_deref().unwrap_or_default())];
        lines.extend(self.notes.iter().map(|line| format!("  {line}")));
        let left_out = self.frames.len().saturating_sub(FRAMES_SHOWN);
        for (depth, frame) in self.frames.iter().enumerate() {
            // a recursion without end is told by its beginning and its end
            if left_out > 0 && depth >= FRAMES_SHOWN / 2 && depth < FRAMES_SHOWN / 2 + left_out {
                if depth == FRAMES_SHOWN / 2 {
                    lines.push(format!("  ... {left_out} frames more"));
                }
                continue;
            }
            lines.extend(frame.iter().enumerate().map(|(index, line)| match index {
                0 => format!("  {depth}: {line}"),
                _ => format!("     {line}"),
            }));
        }
        if self.cut {
            lines.push("  ... there are more callers, which are not known".into());
        }
        lines
    }

    /// Returns how the app ended, in words.
    pub fn words(&self) -> String {
        match self.ended {
            "returned" => "the app has ended".into(),
            "exited" => format!("the app has ended with exit code {}", self.exit_code),
            "duration" => "the app was stopped at the end of its duration".into(),
            "killed" => "the app was stopped".into(),
            _ => self.lines().join("\n"),
        }
    }
}
