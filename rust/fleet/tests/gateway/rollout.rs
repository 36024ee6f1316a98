// SPDX-License-Identifier: Apache-2.0
//! A rollout in groups. hawkBit's rule for the error threshold is played by the test, on the feedback of the gateway.

use crate::device::{mark, Device, Nature};
use crate::harness::{image, until, Place};
use crate::server::{Module, Server};

const DEVICES: usize = 12;
const GROUP: usize = 4;
/// Failures in a group, in percent, at which a rollout halts.
const ERROR_THRESHOLD: usize = 25;

#[test]
fn a_rollout_halts_when_too_many_devices_of_a_group_fail() {
    let server = Server::new();
    let devices: Vec<Device> = (0..DEVICES).map(|n| Device::new(&format!("d{n:02}"))).collect();
    let place = Place::new(&server, &devices.iter().collect::<Vec<_>>());
    let gateway = place.start();
    let old = image("lamp", "1.0.0");
    let ids: Vec<String> =
        devices.iter().map(|device| server.assign(&device.name, &[Module::new("lamp", "1.0.0", &old)])).collect();
    for (device, id) in devices.iter().zip(&ids) {
        assert_eq!(server.outcome(&device.name, id).0, "success");
    }
    // the update crashes on two devices of the second group
    for device in &devices[GROUP..GROUP + 2] {
        device.inside().natures.insert("lamp".into(), Nature::Crashing);
    }
    let update = Module::new("lamp", "1.1.0", &image("lamp", "1.1.0"));
    let mut reached = 0;
    for group in devices.chunks(GROUP) {
        reached += 1;
        let ids: Vec<String> =
            group.iter().map(|device| server.assign(&device.name, std::slice::from_ref(&update))).collect();
        let failed =
            group.iter().zip(&ids).filter(|(device, id)| server.outcome(&device.name, id).0 == "failure").count();
        if failed * 100 >= ERROR_THRESHOLD * group.len() {
            break;
        }
    }
    assert_eq!(reached, 2);
    // who got the update and survived has it; all others have what they had
    let new = mark(&update.files[0].1);
    for (n, device) in devices.iter().enumerate() {
        let updated = n < GROUP || (GROUP + 2..2 * GROUP).contains(&n);
        assert_eq!(device.running("lamp"), Some(if updated { new.clone() } else { mark(&old) }), "{}", device.name);
    }
    until(|| (gateway.metric("wisp_gateway_actions_total{end=\"failure\"}") == 2).then_some(()));
    let page = gateway.get("/");
    assert!(page.contains("12 devices") && page.contains("trap: unreachable"), "{page}");
    assert_eq!(gateway.get("/healthz"), "ok\n");
    let status: serde_json::Value = serde_json::from_str(&gateway.status(&["--json"])).unwrap();
    assert_eq!(status["devices"].as_array().unwrap().len(), DEVICES);
    assert_eq!(status["devices"][GROUP]["last"][0], "failure");
    let text = gateway.status(&[]);
    assert!(
        text.contains("\nd00: idle") && text.contains("    last action: failure: lamp 1.1.0: the update was"),
        "{text}"
    );
}
