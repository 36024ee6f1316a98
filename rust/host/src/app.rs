// SPDX-License-Identifier: Apache-2.0
//! What the host keeps for one app: its part of the board and what it has open.

use crate::bindings::{
    adc_functions, event_functions, gpio_functions, i2c_functions, kv_functions, lifecycle_functions, log_functions,
    msg_functions, pwm_functions, sensor_functions, spi_functions, timer_functions, uart_functions, wasi_functions,
};
use crate::handles::Handles;
use crate::line::LineBuffer;
use crate::platform::{Edges, Platform, Stream};
use crate::stop::{Failure, Interrupted};
use crate::timer::Timers;
use wisp_abi::Errno;
use wisp_engine::{FuncType, HostFunction, Name, Resolve};

/// The context of one app: the `T` of the store its instance lives in. About 200 bytes plus `P`.
#[derive(Debug)]
pub struct App<P> {
    pub(crate) platform: P,
    pub(crate) pins: Handles,
    /// Those of `pins` that are outputs.
    pub(crate) outputs: Handles,
    /// Those of `pins` that are watched.
    pub(crate) watched: Handles,
    pub(crate) i2c: Handles,
    pub(crate) adc: Handles,
    pub(crate) pwm: Handles,
    pub(crate) spi: Handles,
    pub(crate) sensors: Handles,
    pub(crate) channels: Handles,
    pub(crate) uarts: Handles,
    pub(crate) timers: Timers,
    /// True if `wait` last delivered a timer.
    pub(crate) timer_was_last: bool,
    pub(crate) pending: LineBuffer,
    pub(crate) pending_stream: Stream,
    /// The table of file descriptors was filled in.
    pub(crate) descriptors_ready: bool,
    /// A bit for each standard stream that was closed, where there is no such table.
    pub(crate) closed_streams: u8,
}

impl<P: Platform> App<P> {
    /// Returns an app with nothing open on its part of the board.
    pub const fn new(platform: P) -> Self {
        App {
            platform,
            pins: Handles::new(),
            outputs: Handles::new(),
            watched: Handles::new(),
            i2c: Handles::new(),
            adc: Handles::new(),
            pwm: Handles::new(),
            spi: Handles::new(),
            sensors: Handles::new(),
            channels: Handles::new(),
            uarts: Handles::new(),
            timers: Timers::new(),
            timer_was_last: false,
            pending: LineBuffer::new(),
            pending_stream: Stream::Out,
            descriptors_ready: false,
            closed_streams: 0,
        }
    }

    /// Returns the app's part of the board.
    pub fn platform(&self) -> &P {
        &self.platform
    }

    /// Returns the app's part of the board.
    pub fn platform_mut(&mut self) -> &mut P {
        &mut self.platform
    }

    /// Fails if the app has to stop: called between the pieces of work that may take long.
    pub(crate) fn go_on<E>(&mut self) -> Result<(), Failure<E>> {
        if self.platform.is_to_stop() {
            Err(Failure::interrupted(Interrupted))
        } else {
            Ok(())
        }
    }

    /// The grant that was found for a label; otherwise tells how it would be granted.
    pub(crate) fn granted(&mut self, found: Option<u32>, module: &str, label: &[u8]) -> Result<u32, Errno> {
        let found = found.filter(|index| *index < Handles::COUNT);
        if found.is_none() {
            self.platform.denied(module, label);
        }
        found.ok_or(Errno::Access)
    }

    /// To be called when the guest has ended, however it did: shows unfinished output, makes outputs
    /// inactive and releases all pins. Afterwards the app may be started again.
    pub fn release(&mut self) {
        // Nobody is left to be told of an error, and the rest must be released all the same.
        let _ = self.flush();
        self.close_descriptors();
        while let Some(pin) = self.pins.pop() {
            if self.outputs.contains(pin) {
                let _ = self.platform.set(pin, false);
            }
            if self.watched.contains(pin) {
                let _ = self.platform.watch(pin, Edges::None);
            }
            let _ = self.platform.release(pin);
        }
        self.outputs = Handles::new();
        self.watched = Handles::new();
        while let Some(output) = self.pwm.pop() {
            let _ = self.platform.set_pwm(output, 0);
        }
        while let Some(uart) = self.uarts.pop() {
            self.platform.close_uart(uart);
        }
        self.i2c = Handles::new();
        self.adc = Handles::new();
        self.spi = Handles::new();
        self.sensors = Handles::new();
        self.close_channels();
        self.timers = Timers::new();
    }
}

impl<P: Platform + 'static> App<P> {
    /// `wisp:log@1`.
    pub const LOG: &'static [HostFunction<Self>] = &log_functions();
    /// `wisp:timer@1`.
    pub const TIMER: &'static [HostFunction<Self>] = &timer_functions();
    /// `wisp:event@1`.
    pub const EVENT: &'static [HostFunction<Self>] = &event_functions();
    /// `wisp:gpio@1`.
    pub const GPIO: &'static [HostFunction<Self>] = &gpio_functions();
    /// `wisp:i2c@1`.
    pub const I2C: &'static [HostFunction<Self>] = &i2c_functions();
    /// `wisp:adc@1`.
    pub const ADC: &'static [HostFunction<Self>] = &adc_functions();
    /// `wisp:pwm@1`.
    pub const PWM: &'static [HostFunction<Self>] = &pwm_functions();
    /// `wisp:spi@1`.
    pub const SPI: &'static [HostFunction<Self>] = &spi_functions();
    /// `wisp:uart@1`.
    pub const UART: &'static [HostFunction<Self>] = &uart_functions();
    /// `wisp:sensor@1`.
    pub const SENSOR: &'static [HostFunction<Self>] = &sensor_functions();
    /// `wisp:kv@1`.
    pub const KV: &'static [HostFunction<Self>] = &kv_functions();
    /// `wisp:msg@1`.
    pub const MSG: &'static [HostFunction<Self>] = &msg_functions();
    /// `wisp:lifecycle@1`.
    pub const LIFECYCLE: &'static [HostFunction<Self>] = &lifecycle_functions();
    /// `wasi_snapshot_preview1`.
    pub const WASI: &'static [HostFunction<Self>] = &wasi_functions();
    /// `env`, for guests in AssemblyScript.
    pub const ENV: &'static [HostFunction<Self>] = &crate::env::functions();
    /// All interfaces. An embedder that leaves some out saves their code.
    pub const ALL: &'static [&'static [HostFunction<Self>]] = &[
        Self::LOG,
        Self::TIMER,
        Self::EVENT,
        Self::GPIO,
        Self::I2C,
        Self::ADC,
        Self::PWM,
        Self::SPI,
        Self::UART,
        Self::SENSOR,
        Self::KV,
        Self::MSG,
        Self::LIFECYCLE,
        Self::WASI,
        Self::ENV,
    ];
}

/// Tables of interfaces as one source of a [`wisp_engine::Linker`], which holds few.
#[derive(Clone, Copy)]
pub struct Interfaces<P: 'static>(pub &'static [&'static [HostFunction<App<P>>]]);

impl<P> core::fmt::Debug for Interfaces<P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Interfaces").field(&self.0.len()).finish()
    }
}

impl<P> Resolve<App<P>> for Interfaces<P> {
    fn resolve(&self, module: Name<'_>, name: Name<'_>, _ty: FuncType<'_>) -> Option<HostFunction<App<P>>> {
        let mut functions = self.0.iter().copied().flatten();
        functions.find(|function| name == function.name && module == function.module).copied()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Board, Harness};
    use crate::App;
    use std::string::String;
    use wisp_abi::{gpio, render, INTERFACES};
    use wisp_engine::Signature;

    #[test]
    fn the_tables_hold_every_described_function_with_its_type() {
        let mut described = 0;
        for interface in INTERFACES {
            for function in interface.functions {
                let mut all = App::<Board>::ALL.iter().copied().flatten();
                let found = all.find(|f| f.module == interface.module && f.name == function.name);
                let Some(Signature::Types(ty)) = found.map(|f| f.signature) else {
                    panic!("{} is not in the tables", function.name);
                };
                let mut letters = String::new();
                render::signature(&mut letters, function).unwrap();
                assert!(Signature::Letters(letters.leak().as_bytes()).matches(ty), "{}", function.name);
                described += 1;
            }
        }
        let all = App::<Board>::ALL.iter().map(|table| table.len()).sum::<usize>();
        assert_eq!(all - App::<Board>::ENV.len(), described);
    }

    #[test]
    fn release_makes_outputs_inactive_and_shows_unfinished_output() {
        let mut harness = Harness::new();
        let led = harness.open("led", gpio::OUTPUT_ACTIVE);
        harness.open("button", gpio::INPUT);
        harness.print(1, b"no line end");
        harness.app.release();
        let board = harness.app.platform();
        assert_eq!(board.printed, [(1, "no line end".into())]);
        assert!(!board.pins[led as usize].active);
        assert!(board.pins.iter().all(|pin| pin.mode.is_none()));
        assert_eq!(harness.gpio("set_active", &[led]), -9);
    }

    #[test]
    fn release_goes_on_when_a_driver_fails() {
        let mut harness = Harness::new();
        harness.open("led", gpio::OUTPUT_ACTIVE);
        harness.open("button", gpio::INPUT);
        harness.app.platform_mut().broken = true;
        harness.app.release();
        assert!(harness.app.platform().pins.iter().all(|pin| pin.mode.is_none()));
    }
}
