// SPDX-License-Identifier: Apache-2.0
//! Apps.

use crate::outcome::Status;
use crate::{raw, Error};
use wisp_port::shim;
use zephyr::time::Timeout;

/// Highest use of resources by an app since boot, and how much there is of each.
pub use wisp_port::shim::wisp_app_usage as Usage;

/// An app: a slot in which an image can run, with a thread, memory and grants.
///
/// It is a reference to what the devicetree or `WISP_APP_DEFINE()` in C defined, so it may be copied and handed to
/// other threads. Unless a function says otherwise, any thread may call it, and it does not block.
#[derive(Clone, Copy)]
pub struct App(pub(crate) &'static shim::wisp_app);

impl App {
    /// Returns the app of the devicetree node with this ordinal. The macro [`app!`](crate::app) knows the ordinals.
    ///
    /// # Errors
    /// [`Error::NoApp`]: the node is no enabled child of a `wisp,apps` node.
    pub fn of_node(ordinal: usize) -> Result<App, Error> {
        raw::app_of_node(ordinal).map(App).ok_or(Error::NoApp)
    }

    /// Finds an app by the name of its devicetree node, or by the name given to `WISP_APP_DEFINE()`.
    ///
    /// # Errors
    /// [`Error::NoApp`]: the firmware has no app of this name.
    pub fn find(name: &str) -> Result<App, Error> {
        raw::app_named(name).map(App).ok_or(Error::NoApp)
    }

    /// Returns the name of the app.
    pub fn name(self) -> &'static str {
        raw::name(self.0)
    }

    /// Gives the app an image that is part of the firmware, by the name given to `wisp_add_app()` in CMake.
    ///
    /// # Errors
    /// - [`Error::NoImage`]: the firmware has no image of this name.
    /// - [`Error::Running`]: the app is running.
    /// - [`Error::BadImage`]: the image is damaged.
    pub fn load(self, image: &str) -> Result<(), Error> {
        self.load_image(wisp_port::image(image).ok_or(Error::NoImage)?)
    }

    /// Gives the app an image that it runs when it is started. The image is not copied.
    ///
    /// An image that is not part of the firmware is verified at each start. Its native code runs only if it is signed.
    ///
    /// # Errors
    /// - [`Error::Misaligned`]: the image is not aligned to 8 bytes.
    /// - [`Error::Running`]: the app is running.
    /// - [`Error::BadImage`]: the bytes are no image, or the image is damaged or of another version.
    pub fn load_image(self, image: &'static [u8]) -> Result<(), Error> {
        raw::load(self.0, image)
    }

    /// Starts the app in its own thread. [`App::join`] waits for its end, [`App::status`] returns the outcome.
    ///
    /// After a fault of the app's thread, blocks for up to a second until what the app had open is released.
    ///
    /// # Errors
    /// - [`Error::NoImage`]: no image was loaded.
    /// - [`Error::Running`]: the app is running already, or what it had open before a fault is not yet released.
    pub fn start(self) -> Result<(), Error> {
        raw::start(self.0)
    }

    /// Asks the app to end, and returns without waiting for its end.
    ///
    /// # Errors
    /// [`Error::NotRunning`]: the app is not running.
    pub fn stop(self) -> Result<(), Error> {
        raw::stop(self.0)
    }

    /// Waits until the app is not running, and returns its state with the outcome of its last run.
    ///
    /// Blocks for up to the timeout: a `zephyr::time::Duration`, `Forever` or `NoWait`. If another thread starts the
    /// app again at that moment, the state is that of the new run.
    ///
    /// # Errors
    /// - [`Error::TimedOut`]: the app is still running, or what it had open before a fault is not yet released.
    /// - [`Error::Itself`]: the app itself made the call, through a host function.
    pub fn join(self, timeout: impl Into<Timeout>) -> Result<Status, Error> {
        raw::join(self.0, timeout.into())?;
        Ok(self.status())
    }

    /// Returns the state of the app and the outcome of its last run.
    pub fn status(self) -> Status {
        raw::status(self.0)
    }

    /// Returns how much of its resources the app has used at most since boot.
    pub fn usage(self) -> Usage {
        raw::usage(self.0)
    }

    /// Limits the work of the next runs, in place of the property `fuel` of the app's node. `None` is no limit.
    ///
    /// One unit of fuel is one call or one loop iteration. An app that has used all of it traps.
    pub fn set_fuel(self, fuel: Option<u64>) {
        raw::set_fuel(self.0, fuel.unwrap_or(u64::MAX));
    }

    /// Limits the time that the next runs may take without blocking, in place of the property `max-run-ms` of the app's
    /// node. The unit is milliseconds, and 0 is no limit.
    #[cfg(CONFIG_WISP_DEADLINE)]
    pub fn set_max_run(self, milliseconds: u32) {
        raw::set_max_run(self.0, milliseconds);
    }
}

impl PartialEq for App {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self.0, other.0)
    }
}

impl Eq for App {}

impl core::fmt::Debug for App {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "App({})", self.name())
    }
}
