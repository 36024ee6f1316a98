// SPDX-License-Identifier: Apache-2.0
//! Ends and restarts of the server: no job is lost, and no process is left.

use std::fs;

use crate::harness::{gone, module, until, Place, ANNE, BOB};

const HELD: &str = "target=cortex-m3&name=held";

#[test]
fn a_server_that_is_killed_loses_no_job_and_leaves_no_process() {
    let place = Place::new();
    let mut server = place.serve(&["--workers=1"]);
    let done = server.submit(BOB, "target=cortex-m3&name=done", &module(1));
    let image = server.image(BOB, &done);
    let held = server.submit(ANNE, HELD, &module(2));
    let processes = place.held();
    let waiting = server.submit(BOB, "target=cortex-m3&name=waiting", &module(3));
    server.signal("KILL");
    server.wait();
    processes.into_iter().for_each(gone);
    place.open();
    let server = place.serve(&["--workers=1"]);
    server.image(ANNE, &held);
    server.image(BOB, &waiting);
    assert_eq!(server.image(BOB, &done), image);
    assert_eq!(server.metric("wisp_jobs_ended_total{end=\"done\"}"), 2);
}

#[test]
fn a_job_that_every_server_dies_of_is_given_up() {
    let place = Place::new();
    let mut id = String::new();
    for _ in 0..3 {
        let mut server = place.serve(&["--workers=1"]);
        id = server.submit(ANNE, HELD, &module(2));
        let processes = place.held();
        server.signal("KILL");
        server.wait();
        processes.into_iter().for_each(gone);
        fs::remove_file(place.path("pids")).unwrap();
    }
    let server = place.serve(&["--workers=1"]);
    let job = server.ended(ANNE, &id);
    assert_eq!((job["state"].as_str(), job["reason"].as_str()), (Some("failed"), Some("internal")), "{job}");
    assert!(job["words"].as_str().unwrap().contains("3 times"), "{job}");
    // whoever posts it again wants another try
    place.open();
    assert_eq!(server.post(ANNE, HELD, &module(2)).status, 202);
    server.image(ANNE, &id);
}

#[test]
fn a_server_that_is_stopped_puts_jobs_back_and_ends_well() {
    let place = Place::new();
    let mut id = String::new();
    // more often than a job may be started by servers that die
    for _ in 0..4 {
        let mut server = place.serve(&["--workers=1", "--grace-seconds=0"]);
        id = server.submit(ANNE, HELD, &module(2));
        let processes = place.held();
        server.signal("TERM");
        assert_eq!(server.wait().code(), Some(0));
        processes.into_iter().for_each(gone);
        fs::remove_file(place.path("pids")).unwrap();
    }
    place.open();
    let server = place.serve(&[]);
    server.image(ANNE, &id);
}

#[test]
fn a_server_that_is_stopped_lets_jobs_end_and_takes_no_others() {
    let place = Place::new();
    let mut server = place.serve(&["--workers=1", "--grace-seconds=100000"]);
    let held = server.submit(ANNE, HELD, &module(2));
    place.held();
    let waiting = server.submit(ANNE, "target=cortex-m3&name=waiting", &module(2));
    server.signal("TERM");
    until(|| (server.get("/healthz", "").status == 503).then_some(()));
    let answer = server.post(ANNE, "target=cortex-m3&name=late", &module(2));
    assert_eq!((answer.status, &*answer.problem()), (503, "stopping"));
    assert_eq!(server.get(&format!("/v1/jobs/{held}"), ANNE).json()["state"], "running");
    place.open();
    assert_eq!(server.wait().code(), Some(0));
    let server = place.serve(&["--workers=1"]);
    assert_eq!(server.get(&format!("/v1/jobs/{held}"), ANNE).json()["state"], "done");
    server.image(ANNE, &waiting);
}

#[test]
fn a_state_folder_has_one_server() {
    let place = Place::new();
    let _server = place.serve(&[]);
    let second = place.command(&[]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let text = String::from_utf8(second.stderr).unwrap();
    assert!(text.contains("another server uses this state folder; stop it, or give another --state"), "{text}");
}

#[test]
fn damaged_records_and_stray_files_are_deleted_at_the_start() {
    let place = Place::new();
    let id = {
        let server = place.serve(&[]);
        let id = server.submit(ANNE, "target=cortex-m3&name=a", &module(1));
        server.image(ANNE, &id);
        id
    };
    let state = place.path("state");
    fs::write(state.join("jobs/0.json"), "{").unwrap();
    fs::write(state.join("jobs/1.new"), "").unwrap();
    fs::write(state.join("cache/stray"), "").unwrap();
    fs::write(state.join("modules/stray"), "").unwrap();
    fs::write(state.join("incoming/0"), "").unwrap();
    fs::create_dir_all(state.join("scratch/9/folder")).unwrap();
    let server = place.serve(&[]);
    server.image(ANNE, &id);
    let names = |folder: &str| {
        fs::read_dir(state.join(folder)).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
    };
    assert_eq!(names("jobs"), [format!("{id}.json").as_str()]);
    assert_eq!(names("cache"), [id.as_str()]);
    for folder in ["modules", "incoming", "scratch"] {
        assert!(names(folder).is_empty(), "{folder}");
    }
}

#[test]
fn tokens_are_read_again_on_sighup_and_a_bad_file_changes_nothing() {
    let place = Place::new();
    let server = place.serve(&[]);
    let known = |token: &str| server.get("/v1/targets", token).status == 200;
    assert!(known(ANNE) && known(BOB));
    place.clients(&[("anne", ANNE, "")]);
    server.signal("HUP");
    until(|| (!known(BOB)).then_some(()));
    assert!(known(ANNE));
    fs::write(place.path("tokens.toml"), "[[client]]\nname = 1\n").unwrap();
    server.signal("HUP");
    until(|| place.log().contains("the tokens that were read before stay valid").then_some(()));
    assert!(known(ANNE) && !known(BOB));
}
