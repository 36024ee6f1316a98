// SPDX-License-Identifier: Apache-2.0
//! The gateway's page in a browser: headless Chromium, which the test does without where it is not installed.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::device::{Device, Nature};
use crate::harness::{image, until, Place};
use crate::server::{Module, Server};

/// Names of the browser's program, by distribution.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Follows the trap of an app on a hostile device. As markup, it would empty the page.
const REMARK: &str = "<script>document.body.textContent = ''</script>";

/// Returns the browser's program, if there is one.
fn browser() -> Option<&'static str> {
    BROWSERS
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|done| done.status.success()))
}

/// Opens an address, and returns what the browser printed on each of its outputs.
fn open(browser: &str, profile: &Path, address: &str, more: &[&OsStr]) -> (String, String) {
    let mut command = Command::new(browser);
    // containers have no sandbox of the browser's own, and little shared memory
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    command.args(["--hide-scrollbars", "--window-size=1100,420", "--enable-logging=stderr"]);
    let mut argument = std::ffi::OsString::from("--user-data-dir=");
    argument.push(profile);
    let done = command.arg(argument).args(more).arg(address).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (out, err) = (text(done.stdout), text(done.stderr));
    assert!(done.status.success(), "{err}");
    (out, err)
}

#[test]
fn a_browser_shows_a_row_for_each_device_and_runs_nothing_that_devices_say() {
    let Some(browser) = browser() else {
        eprintln!("skipped: none of {BROWSERS:?} is installed");
        return;
    };
    let server = Server::new();
    let devices: Vec<Device> = ["hall", "kitchen", "porch"].map(Device::new).into();
    let place = Place::new(&server, &devices.iter().collect::<Vec<_>>());
    let gateway = place.start();
    let old = Module::new("lamp", "1.0.0", &image("lamp", "1.0.0"));
    for device in &devices {
        let id = server.assign(&device.name, std::slice::from_ref(&old));
        assert_eq!(server.outcome(&device.name, &id).0, "success");
    }
    devices[1].inside().remark = REMARK;
    devices[1].inside().natures.insert("lamp".into(), Nature::Crashing);
    let new = Module::new("lamp", "1.1.0", &image("lamp", "1.1.0"));
    for (device, end) in devices[..2].iter().zip(["success", "failure"]) {
        let id = server.assign(&device.name, std::slice::from_ref(&new));
        assert_eq!(server.outcome(&device.name, &id).0, end);
    }
    until(|| (gateway.metric("wisp_gateway_actions_total{end=\"failure\"}") == 1).then_some(()));
    until(|| gateway.get("/").contains("lamp 1.1.0</td>").then_some(()));

    let folder = TempDir::new().unwrap();
    let profile = folder.path().join("profile");
    let (document, log) = open(browser, &profile, &gateway.address(), &["--dump-dom".as_ref()]);
    let body = document.split_once("<tbody>").expect("the page has a table").1;
    let rows: Vec<&str> = body.split("<tr>").skip(1).collect();
    assert_eq!(rows.len(), devices.len(), "{document}");
    for (device, row) in devices.iter().zip(&rows) {
        assert!(row.starts_with(&format!("<th scope=\"row\">{}</th>", device.name)), "{row}");
        assert_eq!(row.matches("<td>").count(), 6, "{row}");
    }
    assert!(rows[0].contains("lamp 1.1.0") && rows[0].contains("class=\"success\""), "{}", rows[0]);
    assert!(rows[1].contains("lamp 1.0.0") && rows[1].contains("class=\"failure\""), "{}", rows[1]);
    assert!(
        rows[1].contains("trap: unreachable (2:0x1c)&lt;script&gt;") && rows[2].contains("lamp 1.0.0"),
        "{document}"
    );
    // The browser reports what the page's policy refuses: its own style is allowed, and it loads nothing else.
    assert!(!log.contains("Content Security Policy"), "{log}");

    let picture = std::env::var_os("WISP_SCREENSHOT").map_or_else(|| folder.path().join("page.png"), Into::into);
    let mut argument = std::ffi::OsString::from("--screenshot=");
    argument.push(&picture);
    open(browser, &profile, &gateway.address(), &[&argument]);
    let picture = std::fs::read(picture).unwrap();
    // a PNG of the width that the window has
    assert_eq!((&picture[..8], &picture[16..20]), (&b"\x89PNG\r\n\x1a\n"[..], &1100u32.to_be_bytes()[..]));
}
