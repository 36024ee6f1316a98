// SPDX-License-Identifier: Apache-2.0
//! What a client gets: images, states, quotas, and nothing of other clients.

use std::fs;
use std::process::Command;

use serde_json::Value;
use wisp_image::format::Section;
use wisp_image::Image;

use crate::harness::{gone, module, until, wisp, Place, ANNE, BOB};

const QUERY: &str = "target=cortex-m33&name=lamp&version=1.2.3&rollback=4&small=true&stop=async";

#[test]
fn a_module_becomes_the_image_that_wisp_build_makes() {
    let (place, other) = (Place::new(), Place::new());
    let (server, second) = (place.serve(&[]), other.serve(&[]));
    let answer = server.post(ANNE, QUERY, &module(7));
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = answer.json()["id"].as_str().unwrap().to_string();
    assert!(answer.head.contains(&format!("location: /v1/jobs/{id}")), "{}", answer.head);
    let image = server.image(ANNE, &id);
    // as on a workstation
    fs::write(place.path("lamp.wasm"), module(7)).unwrap();
    let arguments = ["lamp.wasm", "--version=1.2.3", "--rollback=4", "--target=cortex-m33", "--small", "--stop=async"];
    let built = Command::new(wisp()).arg("build").args(arguments).current_dir(place.folder.path()).output().unwrap();
    assert!(built.status.success(), "{built:?}");
    assert_eq!(image, fs::read(place.path("lamp.wisp")).unwrap());
    // as by another server in another folder
    assert_eq!(image, second.image(BOB, &second.submit(BOB, QUERY, &module(7))));
    let image = Image::parse(&image).unwrap();
    assert_eq!(image.manifest().unwrap().name, "lamp");
    assert!(image.sections().any(|(kind, _)| kind >= Section::NATIVE));
    for path in [place.path("state/scratch"), place.path("state/modules"), place.path("state/incoming")] {
        until(|| fs::read_dir(&path).unwrap().next().is_none().then_some(()));
    }
}

#[test]
fn the_same_request_is_the_same_job_and_any_other_is_not() {
    let place = Place::new();
    let server = place.serve(&[]);
    let id = server.submit(ANNE, "target=cortex-m3&name=a", &module(1));
    server.image(ANNE, &id);
    let again = server.post(ANNE, "name=a&target=cortex-m3&small=false&version=0.1.0", &module(1));
    assert_eq!((again.status, again.json()["id"].as_str()), (200, Some(&*id)));
    assert_eq!(again.json()["state"], "done");
    let others = [
        server.submit(ANNE, "target=cortex-m3&name=a", &module(2)),
        server.submit(ANNE, "target=cortex-m0plus&name=a", &module(1)),
        server.submit(ANNE, "target=cortex-m3&name=b", &module(1)),
        server.submit(ANNE, "target=cortex-m3&name=a&strict=true", &module(1)),
        server.submit(ANNE, "target=cortex-m3&name=a&native_only=true&no_trap_sites=true", &module(1)),
    ];
    for other in &others {
        assert_ne!(*other, id);
        server.image(ANNE, other);
    }
    assert_eq!(server.metric("wisp_jobs_posted_total{as=\"new\"}"), 6);
    assert_eq!(server.metric("wisp_jobs_posted_total{as=\"hit\"}"), 1);
    assert_eq!(server.metric("wisp_jobs_ended_total{end=\"done\"}"), 6);
}

#[test]
fn a_refused_module_fails_in_the_words_of_the_compiler() {
    let place = Place::new();
    let server = place.serve(&[]);
    let id = server.submit(ANNE, "target=cortex-m3&name=a", b"int main(void) { return 0; }");
    let job = server.ended(ANNE, &id);
    assert_eq!((job["state"].as_str(), job["reason"].as_str()), (Some("failed"), Some("refused")));
    let words = job["words"].as_str().unwrap();
    assert!(words.starts_with("module.wasm: this is text, not a wasm module"), "{words}");
    let answer = server.get(&format!("/v1/jobs/{id}/result"), ANNE);
    assert_eq!((answer.status, &*answer.problem()), (422, "failed"));
    assert_eq!(answer.json()["detail"], words);
    // the same module fails again, and no compiler runs for that
    assert_eq!(server.post(ANNE, "target=cortex-m3&name=a", b"int main(void) { return 0; }").json()["state"], "failed");
    assert_eq!(server.metric("wisp_jobs_ended_total{end=\"refused\"}"), 1);
}

#[test]
fn jobs_are_seen_by_the_clients_that_posted_them_only() {
    let place = Place::new();
    let server = place.serve(&[]);
    let id = server.submit(ANNE, "target=cortex-m3&name=a", &module(1));
    server.image(ANNE, &id);
    for (method, path) in [("GET", ""), ("GET", "/result"), ("DELETE", "")] {
        let answer = server.request(method, &format!("/v1/jobs/{id}{path}"), BOB, b"");
        assert_eq!((answer.status, &*answer.problem()), (404, "no-such-job"));
    }
    // the same module is the same result, for whoever has the module
    assert_eq!(server.post(BOB, "target=cortex-m3&name=a", &module(1)).status, 200);
    assert_eq!(server.request("DELETE", &format!("/v1/jobs/{id}"), ANNE, b"").status, 204);
    assert_eq!(server.get(&format!("/v1/jobs/{id}"), ANNE).status, 404);
    server.image(BOB, &id);
}

#[test]
fn a_job_is_killed_when_the_last_client_deletes_it() {
    let place = Place::new();
    let server = place.serve(&["--workers=1"]);
    let id = server.submit(ANNE, "target=cortex-m3&name=held", &module(1));
    assert_eq!(server.submit(BOB, "target=cortex-m3&name=held", &module(1)), id);
    let processes = place.held();
    let state = |token| server.get(&format!("/v1/jobs/{id}"), token).json()["state"].clone();
    assert_eq!((state(ANNE), state(BOB)), ("running".into(), "running".into()));
    assert_eq!(server.get(&format!("/v1/jobs/{id}/result"), BOB).problem(), "not-done");
    let waiting = server.submit(BOB, "target=cortex-m3&name=after", &module(1));
    assert_eq!(server.request("DELETE", &format!("/v1/jobs/{id}"), ANNE, b"").status, 204);
    assert_eq!(state(BOB), "running");
    assert_eq!(server.request("DELETE", &format!("/v1/jobs/{id}"), BOB, b"").status, 204);
    assert_eq!(server.get(&format!("/v1/jobs/{id}"), BOB).status, 404);
    assert_eq!(processes.len(), 2);
    processes.into_iter().for_each(gone);
    // the only worker is free again, and the same job can be posted again
    server.image(BOB, &waiting);
    place.open();
    server.image(BOB, &server.submit(BOB, "target=cortex-m3&name=held", &module(1)));
}

#[test]
fn a_client_has_no_more_jobs_than_its_quota_allows() {
    let place = Place::new();
    place.clients(&[("anne", ANNE, "active = 2"), ("bob", BOB, "hourly = 1")]);
    let server = place.serve(&["--workers=1", "--queue-limit=2"]);
    let query = |name: &str| format!("target=cortex-m3&name={name}");
    let held = server.submit(ANNE, &query("held"), &module(1));
    place.held();
    server.submit(ANNE, &query("a"), &module(1));
    let answer = server.post(ANNE, &query("b"), &module(1));
    assert_eq!((answer.status, &*answer.problem()), (429, "quota"));
    assert!(answer.head.contains("retry-after: "), "{}", answer.head);
    // what waits already is not counted twice
    assert_eq!(server.post(ANNE, &query("a"), &module(1)).status, 200);
    server.submit(BOB, &query("c"), &module(1));
    let full = server.post(BOB, &query("d"), &module(1));
    assert_eq!((full.status, &*full.problem()), (503, "queue-full"));
    place.open();
    server.image(ANNE, &held);
    server.image(BOB, &server.submit(BOB, &query("c"), &module(1)));
    let answer = server.post(BOB, &query("d"), &module(1));
    assert_eq!((answer.status, &*answer.problem()), (429, "quota"));
    assert!(answer.json()["detail"].as_str().unwrap().contains("in an hour"), "{answer:?}");
}

#[test]
fn clients_take_turns() {
    let place = Place::new();
    let server = place.serve(&["--workers=1"]);
    server.submit(ANNE, "target=cortex-m3&name=held", &module(0));
    place.held();
    let mut last = String::new();
    for number in 1..20 {
        last = server.submit(ANNE, "target=cortex-m3&name=a", &module(number));
    }
    let one = server.submit(BOB, "target=cortex-m3&name=b", &module(1));
    assert_eq!(server.get(&format!("/v1/jobs/{one}"), BOB).json()["before"], 19);
    place.open();
    server.image(BOB, &one);
    // Anne's jobs came first, and are not all done
    let state = server.get(&format!("/v1/jobs/{last}"), ANNE).json()["state"].clone();
    let log = place.log();
    let started = |id: &str| log.find(&format!("job {id} for cortex-m3 starts"));
    assert!(started(&one).unwrap() < started(&last).unwrap_or(usize::MAX), "{state}");
    server.image(ANNE, &last);
}

#[test]
fn results_that_nobody_fetched_for_longest_make_room() {
    let place = Place::new();
    let server = place.serve(&["--cache-limit=5000"]);
    let ids: Vec<String> = (0..6)
        .map(|n| {
            let id = server.submit(ANNE, "target=cortex-m3&name=a", &module(n));
            server.image(ANNE, &id);
            // the first stays in use
            if n > 0 {
                server.submit(ANNE, "target=cortex-m3&name=a", &module(0));
            }
            id
        })
        .collect();
    assert!(server.metric("wisp_cache_evictions_total") > 0);
    assert!(server.metric("wisp_cache_bytes") <= 5000);
    let status = |id: &String| server.get(&format!("/v1/jobs/{id}"), ANNE).status;
    assert_eq!((status(&ids[0]), status(&ids[1]), status(&ids[5])), (200, 404, 200));
    let files = fs::read_dir(place.path("state/cache")).unwrap().count();
    assert_eq!(files, ids.iter().filter(|id| status(id) == 200).count());
}

#[test]
fn a_result_that_changed_on_disk_is_never_delivered() {
    let place = Place::new();
    let server = place.serve(&[]);
    let id = server.submit(ANNE, "target=cortex-m3&name=a", &module(1));
    let image = server.image(ANNE, &id);
    let spoil = || {
        let mut bytes = image.clone();
        bytes[40] ^= 1;
        fs::write(place.path("state/cache").join(&id), bytes).unwrap();
    };
    spoil();
    let answer = server.get(&format!("/v1/jobs/{id}/result"), ANNE);
    assert_eq!((answer.status, &*answer.problem()), (410, "damaged"));
    assert_eq!(server.get(&format!("/v1/jobs/{id}"), ANNE).status, 404);
    assert_eq!(server.submit(ANNE, "target=cortex-m3&name=a", &module(1)), id);
    assert_eq!(server.image(ANNE, &id), image);
    spoil();
    assert_eq!(server.post(ANNE, "target=cortex-m3&name=a", &module(1)).status, 202);
    assert_eq!(server.image(ANNE, &id), image);
}

#[test]
fn the_description_has_every_path_and_every_path_answers() {
    let place = Place::new();
    let server = place.serve(&[]);
    let document = server.get("/openapi.json", "").json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push(format!("{method} {path}"));
            let answer = server.request(&method.to_uppercase(), &path.replace("{id}", "0"), ANNE, b"");
            let status = answer.status.to_string();
            assert!(operation["responses"].get(&status).is_some(), "{method} {path} answers {status}");
            let open = ["/healthz", "/metrics"].contains(&path.as_str());
            assert_eq!(operation["security"].is_null(), open, "{path}");
            let without = server.request(&method.to_uppercase(), &path.replace("{id}", "0"), "", b"");
            assert_eq!(without.status == 401, !open, "{path}");
        }
    }
    found.sort();
    let expected = [
        "delete /v1/jobs/{id}",
        "get /healthz",
        "get /metrics",
        "get /v1/jobs/{id}",
        "get /v1/jobs/{id}/result",
        "get /v1/targets",
        "post /v1/jobs",
    ];
    assert_eq!(found, expected);
    let targets = server.get("/v1/targets", ANNE).json();
    let compiler = |name: &str| {
        let line = targets.as_array().unwrap().iter().find(|line| line["name"] == name);
        line.map(|line| line["compiler"].clone())
    };
    assert!(compiler("cortex-m3").is_some_and(|words: Value| words.as_str().unwrap().contains("gcc")), "{targets}");
    assert_eq!(compiler("cortex-m99"), None);
}
