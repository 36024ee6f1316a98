// SPDX-License-Identifier: Apache-2.0
//! A board and the parts of it that apps get.

use crate::config::{parse, Config, TraceConfig};
use crate::entropy::Generator;
use crate::error::Error;
use crate::functions::Function;
use crate::output::{Outputs, TraceFormat};
use crate::panel::Panel;
use crate::platform::SimPlatform;
use crate::vcd::Dump;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A simulated board. Each app has its own clock, grants and random bytes. The trace is shared.
#[derive(Debug)]
pub struct Board {
    config: Config,
    outputs: Arc<Mutex<Outputs>>,
    /// Random bytes from the operating system instead of the seed.
    system_entropy: bool,
    file: String,
    panel: Option<Panel>,
}

impl Board {
    /// Returns a board with no grants, with wall-clock time and the operating system's randomness: for running a
    /// program that needs no board.
    pub fn desk() -> Self {
        let mut config = Config::default();
        config.board.realtime = true;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        config.board.unix_time = now.map(|now| now.as_secs());
        config.board.unix_ns = now.map_or(0, |now| now.subsec_nanos().into());
        Board { config, outputs: Default::default(), system_entropy: true, file: String::new(), panel: None }
    }

    /// Returns a board as the text of a `board.toml` describes it.
    ///
    /// # Errors
    /// What is wrong, with its line and what is expected.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        Self::with_trace(text, &[])
    }

    /// Makes a board as [`Board::from_toml`] does, and refuses a trace file that is one of these files.
    fn with_trace(text: &str, inputs: &[&Path]) -> Result<Self, Error> {
        let config = parse(text)?;
        if let Some(trace) = config.trace.file.as_deref().filter(|trace| is_one_of(trace, inputs)) {
            let what = "this file is read for the run and not replaced; name another one";
            let message = format!("trace.file: {}: {what}", trace.display());
            return Err(Error::at(text, None, message).under(text, "trace.file"));
        }
        let mut outputs = Outputs::process();
        let TraceConfig { format, file } = &config.trace;
        let sink = match file {
            Some(path) => {
                let create = |error| {
                    let message = format!("trace.file: {} cannot be written: {error}", path.display());
                    Error::at(text, None, message).under(text, "trace.file")
                };
                Some(Box::new(File::create(path).map_err(create)?) as Box<dyn Write + Send>)
            }
            None => None,
        };
        outputs.set_trace(sink, *format);
        outputs.dump = Dump::new(&config);
        let outputs = Arc::new(Mutex::new(outputs));
        Ok(Board { config, outputs, system_entropy: false, file: "board.toml".into(), panel: None })
    }

    /// Reads a board like [`Board::from_toml`], from a file. `inputs` are files that the trace must not replace,
    /// beside the board's own.
    ///
    /// # Errors
    /// Returns the errors of [`Board::from_toml`], and an error if the file cannot be read or the trace would replace one of
    /// the files. The error names the board file.
    pub fn from_file(path: &Path, inputs: &[&Path]) -> Result<Self, Error> {
        let wrong = |message: String| Error::at("", None, message).in_file(path);
        let bytes = std::fs::read(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
        let text = text.ok_or_else(|| wrong("this is no text; expected a board file in TOML".into()))?;
        let mut board = Self::with_trace(&text, &[&[path], inputs].concat()).map_err(|error| error.in_file(path))?;
        board.file = path.display().to_string();
        Ok(board)
    }

    /// Returns the apps that the board has grants for.
    pub fn apps(&self) -> impl Iterator<Item = &str> {
        self.config.apps.keys().map(String::as_str)
    }

    /// Sets whether sleeps take wall-clock time.
    pub fn set_realtime(&mut self, realtime: bool) {
        self.config.board.realtime = realtime;
    }

    /// Interrupts an app as soon as it blocks, or would, past this time on its clock.
    pub fn set_duration(&mut self, duration: Option<Duration>) {
        self.config.board.duration_ms = duration.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
    }

    /// Directs the trace.
    pub fn set_trace(&mut self, sink: impl Write + Send + 'static, format: TraceFormat) {
        self.locked().set_trace(Some(Box::new(sink)), format);
    }

    /// Changes how the trace is written to standard output.
    pub fn set_trace_format(&mut self, format: TraceFormat) {
        self.locked().set_trace(None, format);
    }

    /// Directs standard output and standard error of the apps. A trace without a sink of its own goes
    /// to the former.
    pub fn set_output(&mut self, out: impl Write + Send + 'static, err: impl Write + Send + 'static) {
        let mut outputs = self.locked();
        outputs.out = Box::new(out);
        outputs.err = Box::new(err);
    }

    /// Returns what somebody sees of the board and touches while this app runs on it, and no other.
    pub fn panel(&mut self, app: &str) -> Panel {
        let panel = Panel::new(app, self.config.apps.get(app).cloned().unwrap_or_default());
        self.locked().panel = Some(panel.clone());
        self.panel.insert(panel).clone()
    }

    fn locked(&mut self) -> std::sync::MutexGuard<'_, Outputs> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the part of the board that belongs to `app`. An app the board does not know has no grants.
    pub fn platform(&self, app: &str) -> SimPlatform {
        let entropy = if self.system_entropy { Generator::System } else { Generator::Seeded(self.config.board.seed) };
        let config = self.config.apps.get(app).cloned().unwrap_or_default();
        let functions = Function::all(&self.config.functions, &config.functions);
        let outputs = self.outputs.clone();
        let mut platform = SimPlatform::new(app, config, functions, &self.config.board, entropy, outputs, &self.file);
        if let Some(panel) = &self.panel {
            platform.show(panel.clone());
        }
        platform
    }
}

/// Returns true for a name of one of these files, if that is a plain file.
fn is_one_of(path: &Path, files: &[&Path]) -> bool {
    let Ok(place) = path.canonicalize() else { return false };
    place.is_file() && files.iter().any(|file| file.canonicalize().is_ok_and(|other| other == place))
}

impl Default for Outputs {
    fn default() -> Self {
        Outputs::process()
    }
}
