// SPDX-License-Identifier: Apache-2.0
//! What the hardware says of itself: what the board file says.

use crate::error::Error;
use crate::platform::SimPlatform;
use serde::Deserialize;
use wisp_abi::{hwinfo, Errno};
use wisp_host::platform::Hwinfo;

/// The facts as a board file describes them. Those that are left out are not granted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The identifier. Without bytes, the hardware has none.
    device_id: Option<Vec<u8>>,
    /// Names of the causes, as in `wisp:hwinfo@1` but in lower case.
    reset_cause: Option<Vec<String>>,
}

fn bit(name: &str) -> Option<u32> {
    hwinfo::CAUSES.iter().find(|cause| cause.name.eq_ignore_ascii_case(name)).map(|cause| cause.value)
}

/// Checks the length of the identifier and the names of the causes.
pub(crate) fn check(text: &str, key: &str, config: &Config) -> Result<(), Error> {
    let length = config.device_id.as_ref().map_or(0, Vec::len);
    if length > hwinfo::MAX_ID as usize {
        let message = format!("{key}: device_id of {length} bytes, expected {} at most", hwinfo::MAX_ID);
        return Err(Error::at(text, None, message).under(text, key));
    }
    if let Some(unknown) = config.reset_cause.iter().flatten().find(|name| bit(name).is_none()) {
        let known: Vec<_> = hwinfo::CAUSES.iter().map(|cause| cause.name.to_ascii_lowercase()).collect();
        let message = format!("{key}: reset_cause \"{unknown}\", expected some of {}", known.join(", "));
        return Err(Error::at(text, None, message).under(text, key));
    }
    Ok(())
}

impl Hwinfo for SimPlatform {
    fn device_id(&mut self, buffer: &mut [u8]) -> Result<u32, Errno> {
        let id = self.hwinfo.device_id.as_ref().ok_or(Errno::Access)?;
        if id.is_empty() {
            return Err(Errno::NotSupported);
        }
        buffer.iter_mut().zip(id).for_each(|(to, from)| *to = *from);
        // The check found at most `MAX_ID`.
        Ok(id.len() as u32)
    }

    fn reset_cause(&mut self) -> Result<u32, Errno> {
        let causes = self.hwinfo.reset_cause.as_ref().ok_or(Errno::Access)?;
        Ok(causes.iter().filter_map(|name| bit(name)).fold(0, |all, cause| all | cause))
    }
}

#[cfg(test)]
mod tests {
    use crate::Board;
    use wisp_abi::Errno;
    use wisp_host::platform::Hwinfo;

    #[test]
    fn the_board_file_says_what_the_hardware_says() {
        let text = "[apps.a.hwinfo]\ndevice_id = [1, 2, 3]\nreset_cause = [\"watchdog\", \"pin\"]\n";
        let mut app = Board::from_toml(text).unwrap().platform("a");
        let mut id = [9; 4];
        assert_eq!((app.device_id(&mut id), id), (Ok(3), [1, 2, 3, 9]));
        assert_eq!((app.device_id(&mut id[..1]), id), (Ok(3), [1, 2, 3, 9]));
        assert_eq!(app.reset_cause(), Ok(0x11));
    }

    #[test]
    fn what_is_left_out_is_not_granted_and_what_is_empty_is_unknown() {
        let mut app = Board::from_toml("").unwrap().platform("a");
        assert_eq!((app.device_id(&mut [0; 4]), app.reset_cause()), (Err(Errno::Access), Err(Errno::Access)));
        let text = "[apps.a.hwinfo]\ndevice_id = []\nreset_cause = []\n";
        let mut app = Board::from_toml(text).unwrap().platform("a");
        assert_eq!((app.device_id(&mut [0; 4]), app.reset_cause()), (Err(Errno::NotSupported), Ok(0)));
    }

    #[test]
    fn facts_that_make_no_sense_are_refused() {
        for (line, expected) in [
            (format!("device_id = {:?}", [1; 33]), "33 bytes, expected 32 at most"),
            ("reset_cause = [\"boredom\"]".into(), "\"boredom\", expected some of pin, software"),
        ] {
            let error = Board::from_toml(&format!("[apps.a.hwinfo]\n{line}\n")).unwrap_err();
            assert!(error.message.contains("apps.a.hwinfo") && error.message.contains(expected), "{error}");
        }
    }
}
