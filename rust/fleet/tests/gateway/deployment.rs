// SPDX-License-Identifier: Apache-2.0
//! Actions that go as they should, and those whose outcome is a failure.

use std::fs;

use ciborium::Value;
use serde_json::json;

use crate::device::{mark, Device, Nature};
use crate::harness::{image, until, Place};
use crate::server::{details, Module, Server};

#[test]
fn an_update_is_downloaded_installed_tried_and_reported_as_kept() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let bytes = image("lamp", "1.2.3");
    let place = Place::new(&server, &[&device]);
    let gateway = place.start();
    let id = server.assign("lamp-1", &[Module::new("lamp", "1.2.3", &bytes)]);
    assert_eq!(server.outcome("lamp-1", &id), ("success".into(), "lamp 1.2.3: kept".into()));
    assert_eq!(device.running("lamp"), Some(mark(&bytes)));
    // each piece once
    assert_eq!(device.inside().taken, bytes.len());
    let told = server.told("lamp-1");
    let proceeding: Vec<String> = told
        .iter()
        .filter(|(_, body)| body["status"]["execution"] == "proceeding")
        .map(|(_, body)| details(body))
        .collect();
    assert_eq!(proceeding, ["lamp 1.2.3: downloaded", "lamp 1.2.3: on trial"]);
    let closed = told.iter().find(|(_, body)| body["status"]["execution"] == "closed").unwrap();
    assert_eq!(closed.1["status"]["result"]["progress"], json!({"cnt": 1, "of": 1}));
    until(|| (gateway.metric("wisp_gateway_actions_total{end=\"success\"}") == 1).then_some(()));
    assert_eq!(gateway.metric("wisp_gateway_downloaded_bytes_total"), bytes.len() as u64);
    assert_eq!(gateway.metric("wisp_gateway_uploaded_bytes_total"), bytes.len() as u64);
}

#[test]
fn an_announcement_says_of_the_image_what_its_manifest_says() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let bytes = image("lamp", "1.2.259");
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    let id = server.assign("lamp-1", &[Module::new("lamp", "1.2.259", &bytes)]);
    server.outcome("lamp-1", &id);
    let announced = device.inside().announced[0].clone();
    let entry = |key: &str| announced.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    // major and minor in a byte each, then the patch in two
    assert_eq!(entry("ver"), Some(Value::from(1 | 2 << 8 | 259 << 16)));
    assert_eq!(entry("name"), Some(Value::from("lamp")));
    assert_eq!(entry("len"), Some(Value::from(bytes.len() as u64)));
    assert_eq!(entry("if"), Some(Value::from("wisp:log@1")));
    assert_eq!((entry("rb"), entry("down"), entry("tgt")), (Some(Value::from(0)), None, None));
    assert_eq!(entry("own").unwrap().as_bytes().unwrap().len(), 16);
}

#[test]
fn an_update_that_crashes_is_reported_as_failure_with_the_devices_reason() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    device.inside().natures.insert("lamp".into(), Nature::Crashing);
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    let id = server.assign("lamp-1", &[Module::new("lamp", "2.0.0", &image("lamp", "2.0.0"))]);
    let (finished, words) = server.outcome("lamp-1", &id);
    assert_eq!(finished, "failure");
    assert_eq!(words, "lamp 2.0.0: the update was rolled back: trap: unreachable (2:0x1c)");
    assert_eq!(device.inside().installs, ["lamp"]);
}

#[test]
fn an_update_that_never_confirms_itself_is_rolled_back_by_the_gateway() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    device.inside().nature = Nature::Silent;
    let place = Place::with(&server, &[&device], "trial-seconds = 0.2");
    let _gateway = place.start();
    let id = server.assign("lamp-1", &[Module::new("lamp", "2.0.0", &image("lamp", "2.0.0"))]);
    let (finished, words) = server.outcome("lamp-1", &id);
    assert_eq!(finished, "failure");
    assert!(words.contains("did not confirm itself within"), "{words}");
    assert!(!device.on_trial("lamp"));
}

#[test]
fn several_apps_of_an_action_are_installed_one_after_the_other() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    let modules = ["fan", "lamp", "door"].map(|name| Module::new(name, "1.0.0", &image(name, "1.0.0")));
    let id = server.assign("lamp-1", &modules);
    let (finished, words) = server.outcome("lamp-1", &id);
    assert_eq!((&*finished, &*words), ("success", "fan 1.0.0: kept; lamp 1.0.0: kept; door 1.0.0: kept"));
    assert_eq!(device.inside().installs, ["fan", "lamp", "door"]);
}

#[test]
fn after_an_app_that_fails_the_others_are_not_installed() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    device.inside().natures.insert("lamp".into(), Nature::Crashing);
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    let modules = ["fan", "lamp", "door"].map(|name| Module::new(name, "1.0.0", &image(name, "1.0.0")));
    let id = server.assign("lamp-1", &modules);
    let (finished, words) = server.outcome("lamp-1", &id);
    assert_eq!(finished, "failure");
    assert!(words.starts_with("fan 1.0.0: kept; lamp 1.0.0: the update was rolled back"), "{words}");
    assert!(words.ends_with("; door 1.0.0: not installed, because lamp 1.0.0 failed"), "{words}");
    assert_eq!(device.inside().installs, ["fan", "lamp"]);
}

#[test]
fn an_image_that_is_installed_already_is_reported_as_kept_without_an_upload() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let module = Module::new("lamp", "1.0.0", &image("lamp", "1.0.0"));
    let place = Place::new(&server, &[&device]);
    let gateway = place.start();
    for _ in 0..2 {
        let id = server.assign("lamp-1", std::slice::from_ref(&module));
        assert_eq!(server.outcome("lamp-1", &id).0, "success");
    }
    assert_eq!(device.inside().announced.len(), 1);
    until(|| (gateway.metric("wisp_gateway_actions_total{end=\"success\"}") == 2).then_some(()));
}

#[test]
fn what_is_no_image_is_a_failure_and_reaches_no_device() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    let mut damaged = image("lamp", "1.0.0");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let two =
        Module { files: vec![("a.wisp".into(), vec![0]), ("b.wisp".into(), vec![1])], ..Module::new("lamp", "1", &[]) };
    for (modules, expected) in [
        (vec![Module::new("lamp", "1.0.0", b"hello, world")], "lamp.wisp: "),
        (vec![Module::new("lamp", "1.0.0", &damaged)], "lamp.wisp: "),
        (vec![two], "has 2 artifacts that end with .wisp or .swu; expected one"),
        (vec![], "the action has no software module"),
    ] {
        let id = server.assign("lamp-1", &modules);
        let (finished, words) = server.outcome("lamp-1", &id);
        assert_eq!(finished, "failure");
        assert!(words.contains(expected), "{words}");
    }
    assert!(device.inside().announced.is_empty());
}

#[test]
fn a_device_that_refuses_an_image_is_a_failure_in_its_words() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    // the signature is that of an unknown key
    device.inside().refuses = Some(36);
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    let id = server.assign("lamp-1", &[Module::new("lamp", "1.0.0", &image("lamp", "1.0.0"))]);
    let (finished, words) = server.outcome("lamp-1", &id);
    assert_eq!(finished, "failure");
    assert!(words.starts_with("lamp 1.0.0: ") && words.ends_with("(error 36)") && words.contains("key"), "{words}");
}

#[test]
fn requests_are_signed_for_a_device_that_wants_that() {
    let server = Server::new();
    let mut device = Device::new("lamp-1");
    let pair = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new([5; 32]));
    device.inside().manager = Some(*pair.pk);
    device.more = "management-key = \"manager.pem\"".into();
    let place = Place::new(&server, &[&device]);
    fs::write(place.path("manager.pem"), pair.sk.to_pem()).unwrap();
    let _gateway = place.start();
    let id = server.assign("lamp-1", &[Module::new("lamp", "1.0.0", &image("lamp", "1.0.0"))]);
    assert_eq!(server.outcome("lamp-1", &id), ("success".into(), "lamp 1.0.0: kept".into()));
}

#[test]
fn a_device_that_wants_signed_requests_refuses_a_gateway_without_the_key() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let pair = ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new([5; 32]));
    device.inside().manager = Some(*pair.pk);
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    let id = server.assign("lamp-1", &[Module::new("lamp", "1.0.0", &image("lamp", "1.0.0"))]);
    let (finished, words) = server.outcome("lamp-1", &id);
    assert_eq!(finished, "failure");
    assert!(words.contains("signed requests only"), "{words}");
}

#[test]
fn attributes_are_those_of_the_configuration_and_versions_of_apps() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let place = Place::new(&server, &[&device]);
    let _gateway = place.start();
    let attributes = |count: usize| {
        until(|| {
            let told = server.told("lamp-1");
            let mut found = told.iter().filter(|(path, _)| path == "configData");
            found.nth(count).map(|(_, body)| body.clone())
        })
    };
    server.want_attributes("lamp-1");
    let body = attributes(0);
    assert_eq!((&body["mode"], &body["data"]), (&json!("merge"), &json!({"room": "lamp-1-room"})));
    let id = server.assign("lamp-1", &[Module::new("lamp", "1.2.3", &image("lamp", "1.2.3"))]);
    server.outcome("lamp-1", &id);
    // only if the server wants them: some servers forget other attributes then
    server.polled("lamp-1");
    assert_eq!(server.told("lamp-1").iter().filter(|(path, _)| path == "configData").count(), 1);
    server.want_attributes("lamp-1");
    assert_eq!(attributes(1)["data"], json!({"room": "lamp-1-room", "app.lamp": "1.2.3"}));
}

#[test]
fn an_action_that_is_held_back_is_downloaded_and_installed_when_it_is_permitted() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    let place = Place::new(&server, &[&device]);
    let gateway = place.start();
    let id = server.assign_as("lamp-1", &[Module::new("lamp", "1.0.0", &image("lamp", "1.0.0"))], "skip");
    until(|| server.told("lamp-1").iter().any(|(_, body)| body["status"]["execution"] == "downloaded").then_some(()));
    server.polled("lamp-1");
    assert_eq!(gateway.line("lamp-1")["phase"], "holding");
    assert!(device.inside().announced.is_empty());
    server.permit("lamp-1");
    assert_eq!(server.outcome("lamp-1", &id).0, "success");
    let downloaded =
        server.told("lamp-1").iter().filter(|(_, body)| body["status"]["execution"] == "downloaded").count();
    assert_eq!((downloaded, server.ranges().len()), (1, 1));
}

#[test]
fn an_upload_that_the_end_of_a_window_interrupts_goes_on_in_the_next_one() {
    let (server, device) = (Server::new(), Device::new("lamp-1"));
    device.inside().stops_at = Some(600);
    let place = Place::new(&server, &[&device]);
    let gateway = place.start();
    let id = server.assign("lamp-1", &[Module::new("lamp", "1.0.0", &image("lamp", "1.0.0"))]);
    until(|| device.inside().silent.then_some(()));
    server.forbid("lamp-1");
    until(|| (gateway.line("lamp-1")["phase"] == "holding").then_some(()));
    {
        let mut inside = device.inside();
        (inside.stops_at, inside.silent) = (None, false);
    }
    server.polled("lamp-1");
    server.polled("lamp-1");
    assert!(device.inside().installs.is_empty());
    server.permit("lamp-1");
    assert_eq!(server.outcome("lamp-1", &id).0, "success");
}
