// SPDX-License-Identifier: Apache-2.0
//! Faults of the way, of the server, of devices and of the gateway. Each action comes to its right end.

use std::fs;

use sha2::{Digest, Sha256};

use crate::device::{mark, Device, Nature};
use crate::harness::{image, until, Place};
use crate::server::{Module, Server};

fn lamp() -> (Vec<u8>, Module) {
    let bytes = image("lamp", "1.0.0");
    let module = Module::new("lamp", "1.0.0", &bytes);
    (bytes, module)
}

#[test]
fn lost_requests_and_answers_are_sent_again() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    device.inside().loss = Some(4);
    let (bytes, module) = lamp();
    let place = Place::new(&server, &[&device]);
    let gateway = place.start();
    let id = server.assign("lamp-1", &[module]);
    assert_eq!(server.outcome("lamp-1", &id), ("success".into(), "lamp 1.0.0: kept".into()));
    assert_eq!(device.running("lamp"), Some(mark(&bytes)));
    assert!(gateway.metric("wisp_gateway_repeated_requests_total") > 0);
}

#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let (bytes, module) = lamp();
    server.set_cut(Some(500));
    let place = Place::new(&server, &[&device]);
    let gateway = place.start();
    let id = server.assign("lamp-1", &[module]);
    assert_eq!(server.outcome("lamp-1", &id).0, "success");
    let ranges = server.ranges();
    assert_eq!(ranges[..2], ["".to_string(), "bytes=500-".to_string()]);
    assert_eq!(ranges.len(), bytes.len().div_ceil(500));
    assert_eq!(gateway.metric("wisp_gateway_downloaded_bytes_total"), bytes.len() as u64);
}

#[test]
fn a_download_with_another_hash_is_a_failure_and_reaches_no_device() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    server.set_damage(true);
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    let id = server.assign("lamp-1", &[lamp().1]);
    let (finished, words) = server.outcome("lamp-1", &id);
    assert_eq!((&*finished, words.contains("another hash than the server announced")), ("failure", true), "{words}");
    assert!(device.inside().announced.is_empty());
    // what was damaged is not kept
    server.set_damage(false);
    let id = server.assign("lamp-1", &[lamp().1]);
    assert_eq!(server.outcome("lamp-1", &id).0, "success");
}

#[test]
fn a_download_that_changed_on_the_gateways_disk_is_downloaded_again() {
    let server = Server::new();
    let devices = [Device::new("a"), Device::new("b")];
    let place = Place::new(&server, &[&devices[0], &devices[1]]);
    let _gateway = place.start();
    let id = server.assign("a", &[lamp().1]);
    assert_eq!(server.outcome("a", &id).0, "success");
    let artifacts: Vec<_> =
        fs::read_dir(place.path("state/artifacts")).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(artifacts.len(), 1);
    fs::write(&artifacts[0], "changed").unwrap();
    let id = server.assign("b", &[lamp().1]);
    assert_eq!(server.outcome("b", &id).0, "success");
    assert_eq!(server.ranges().len(), 2);
}

#[test]
fn a_part_that_a_power_cut_filled_with_zeros_is_downloaded_anew() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    let id = server.assign("lamp-1", &[lamp().1]);
    assert_eq!(server.outcome("lamp-1", &id).0, "success");
    let newer = image("lamp", "1.1.0");
    let digits: String = Sha256::digest(&newer).iter().map(|byte| format!("{byte:02x}")).collect();
    let part = place.path("state/artifacts").join(digits).with_extension("part");
    fs::write(&part, vec![0; newer.len() / 2]).unwrap();
    let id = server.assign("lamp-1", &[Module::new("lamp", "1.1.0", &newer)]);
    assert_eq!(server.outcome("lamp-1", &id), ("success".into(), "lamp 1.1.0: kept".into()));
    assert!(!part.exists());
}

#[test]
fn an_upload_goes_on_after_the_device_was_away_and_after_a_power_cut() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let (bytes, module) = lamp();
    device.inside().stops_at = Some(600);
    let place = Place::new(&server, &[&device]);
    let gateway = place.start();
    let id = server.assign("lamp-1", &[module]);
    until(|| device.inside().silent.then_some(()));
    until(|| {
        gateway.line("lamp-1")["trouble"].as_str().map(|words| assert!(words.contains("cannot be reached"), "{words}"))
    });
    device.inside().stops_at = None;
    device.cut_power();
    assert_eq!(server.outcome("lamp-1", &id).0, "success");
    assert_eq!(device.inside().taken, bytes.len());
    until(|| gateway.line("lamp-1")["trouble"].is_null().then_some(()));
}

#[test]
fn a_gateway_that_is_killed_in_an_upload_goes_on_with_it() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let (bytes, module) = lamp();
    device.inside().stops_at = Some(600);
    let place = Place::new(&server, &[&device]);
    let mut gateway = place.start();
    let id = server.assign("lamp-1", &[module]);
    until(|| device.inside().silent.then_some(()));
    gateway.signal("KILL");
    gateway.wait();
    {
        let mut inside = device.inside();
        (inside.stops_at, inside.silent) = (None, false);
    }
    let _gateway = place.start();
    assert_eq!(server.outcome("lamp-1", &id).0, "success");
    // neither the download nor a piece of the upload came twice
    assert_eq!((server.ranges().len(), device.inside().taken), (1, bytes.len()));
}

#[test]
fn a_gateway_that_is_killed_in_a_trial_reports_how_it_ended_meanwhile() {
    for (nature, finished) in [(Nature::Good, "success"), (Nature::Crashing, "failure")] {
        let (server, device) = (Server::new(), Device::new("lamp-1"));
        device.inside().nature = Nature::Silent;
        let place = Place::new(&server, &[&device]);
        let mut gateway = place.start();
        let id = server.assign("lamp-1", &[lamp().1]);
        until(|| (gateway.line("lamp-1")["phase"] == "trial").then_some(()));
        gateway.signal("KILL");
        gateway.wait();
        device.inside().natures.insert("lamp".into(), nature);
        let _gateway = place.start();
        assert_eq!(server.outcome("lamp-1", &id).0, finished);
        assert_eq!(device.inside().installs.len(), 1, "{nature:?}");
    }
}

#[test]
fn an_outcome_that_the_server_does_not_take_is_told_by_the_next_gateway() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    device.inside().nature = Nature::Silent;
    let place = Place::new(&server, &[&device]);
    let mut gateway = place.start();
    let id = server.assign("lamp-1", &[lamp().1]);
    until(|| (gateway.line("lamp-1")["phase"] == "trial").then_some(()));
    server.set_down(true);
    device.inside().natures.insert("lamp".into(), Nature::Crashing);
    until(|| (gateway.line("lamp-1")["phase"] == "reporting").then_some(()));
    until(|| {
        gateway.line("lamp-1")["trouble"]
            .as_str()
            .is_some_and(|words| words.contains("down for maintenance"))
            .then_some(())
    });
    gateway.signal("TERM");
    assert_eq!(gateway.wait().code(), Some(0));
    // the device forgot why
    device.inside().natures.clear();
    let _gateway = place.start();
    server.set_down(false);
    let (finished, words) = server.outcome("lamp-1", &id);
    assert_eq!(finished, "failure");
    assert_eq!(words, "lamp 1.0.0: the update was rolled back: trap: unreachable (2:0x1c)");
    assert_eq!(device.inside().installs.len(), 1);
}

#[test]
fn a_server_that_restarts_during_a_trial_changes_nothing() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    device.inside().nature = Nature::Silent;
    let place = Place::new(&server, &[&device]);
    let gateway = place.start();
    let id = server.assign("lamp-1", &[lamp().1]);
    until(|| (gateway.line("lamp-1")["phase"] == "trial").then_some(()));
    server.set_down(true);
    let failed = "wisp_gateway_polls_total{result=\"failed\"}";
    let before = gateway.metric(failed);
    until(|| (gateway.metric(failed) > before + 2).then_some(()));
    server.set_down(false);
    device.inside().nature = Nature::Good;
    assert_eq!(server.outcome("lamp-1", &id).0, "success");
    assert_eq!(device.inside().installs.len(), 1);
}

#[test]
fn bad_devices_do_not_hold_up_the_others() {
    let server = Server::new();
    let devices: Vec<Device> = (0..8).map(|n| Device::new(&format!("d{n}"))).collect();
    devices[0].inside().silent = true;
    devices[1].inside().noise = true;
    devices[2].inside().refuses = Some(4);
    let place = Place::new(&server, &devices.iter().collect::<Vec<_>>());
    let gateway = place.start();
    let module = lamp().1;
    let ids: Vec<String> =
        devices.iter().map(|device| server.assign(&device.name, std::slice::from_ref(&module))).collect();
    for (device, id) in devices.iter().zip(&ids).skip(3) {
        assert_eq!(server.outcome(&device.name, id).0, "success");
    }
    // the image came once for all of them
    assert_eq!(server.ranges().len(), 1);
    for device in &devices[..3] {
        until(|| gateway.line(&device.name)["trouble"].as_str().map(|_| ()));
    }
    // and they come to their end when they are good again
    for device in &devices[..3] {
        let mut inside = device.inside();
        (inside.silent, inside.noise, inside.refuses) = (false, false, None);
    }
    for (device, id) in devices.iter().zip(&ids).take(3) {
        assert_eq!(server.outcome(&device.name, id).0, "success");
    }
}

#[test]
fn a_wish_to_cancel_undoes_what_is_not_kept_yet() {
    // in an upload
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    device.inside().stops_at = Some(600);
    let place = Place::new(&server, &[&device]);
    let gateway = place.start();
    server.assign("lamp-1", &[lamp().1]);
    until(|| device.inside().silent.then_some(()));
    let wish = server.cancel("lamp-1");
    {
        let mut inside = device.inside();
        (inside.stops_at, inside.silent) = (None, false);
        inside.nature = Nature::Silent;
    }
    assert_eq!(server.cancelled("lamp-1", &wish).0, "closed");
    assert!(!device.on_trial("lamp"));
    // in a trial
    server.assign("lamp-1", &[lamp().1]);
    until(|| (gateway.line("lamp-1")["phase"] == "trial").then_some(()));
    assert!(device.on_trial("lamp"));
    let wish = server.cancel("lamp-1");
    assert_eq!(server.cancelled("lamp-1", &wish), ("closed".into(), "what the action did was undone".into()));
    assert!(!device.on_trial("lamp"));
    until(|| (gateway.metric("wisp_gateway_actions_total{end=\"canceled\"}") == 2).then_some(()));
}

#[test]
fn a_wish_to_cancel_that_comes_too_late_is_rejected_and_the_action_goes_on() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    device.inside().natures.insert("lamp".into(), Nature::Silent);
    let place = Place::new(&server, &[&device]);
    let gateway = place.start();
    let modules = ["fan", "lamp"].map(|name| Module::new(name, "1.0.0", &image(name, "1.0.0")));
    let id = server.assign("lamp-1", &modules);
    until(|| (gateway.line("lamp-1")["phase"] == "trial" && device.on_trial("lamp")).then_some(()));
    let wish = server.cancel("lamp-1");
    assert_eq!(server.cancelled("lamp-1", &wish), ("rejected".into(), "fan 1.0.0 is kept already".into()));
    device.inside().natures.clear();
    assert_eq!(server.outcome("lamp-1", &id).1, "fan 1.0.0: kept; lamp 1.0.0: kept");
    assert_eq!(device.inside().installs, ["fan", "lamp"]);
}

#[test]
fn an_action_that_the_server_drops_is_left_and_the_next_one_is_done() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    device.inside().stops_at = Some(600);
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    server.assign("lamp-1", &[lamp().1]);
    until(|| device.inside().silent.then_some(()));
    server.quit("lamp-1");
    let (bytes, version) = (image("lamp", "1.1.0"), "1.1.0");
    let id = server.assign("lamp-1", &[Module::new("lamp", version, &bytes)]);
    {
        let mut inside = device.inside();
        (inside.stops_at, inside.silent) = (None, false);
    }
    assert_eq!(server.outcome("lamp-1", &id), ("success".into(), "lamp 1.1.0: kept".into()));
    assert_eq!(device.running("lamp"), Some(mark(&bytes)));
}

#[test]
fn a_second_gateway_for_the_same_folder_is_refused() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    let second = place.command().output().unwrap();
    let words = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1));
    assert!(words.contains("another gateway uses this state folder"), "{words}");
}
