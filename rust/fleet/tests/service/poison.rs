// SPDX-License-Identifier: Apache-2.0
//! What clients send that they should not. Each gets an error, and the jobs of the others are done.

use std::io::{Read, Write};
use std::net::Shutdown;

use crate::harness::{head, heavy, module, read, Place, Server, ANNE, BOB};

const QUERY: &str = "target=cortex-m3&name=a";

/// Checks that another client's job is done, in spite of all.
fn lives(server: &Server, number: u32) {
    server.image(BOB, &server.submit(BOB, QUERY, &module(number)));
}

#[test]
fn wrong_requests_get_a_problem_that_says_what_is_wrong() {
    let place = Place::new();
    let server = place.serve(&["--body-limit=4096"]);
    let long = "x".repeat(32);
    let queries = [
        ("", "bad-query"),
        ("target=cortex-m3", "bad-query"),
        ("name=a", "bad-query"),
        ("target=cortex-m3&name=", "bad-query"),
        (&*format!("target=cortex-m3&name={long}"), "bad-query"),
        ("target=cortex-m3&name=a%0ab", "bad-query"),
        ("target=cortex-m3&name=a%00", "bad-query"),
        ("target=cortex-m3&name=a&name=b", "bad-query"),
        ("target=cortex-m3&name=a&version=1.2", "bad-query"),
        ("target=cortex-m3&name=a&version=1.2.%2b3", "bad-query"),
        ("target=cortex-m3&name=a&version=256.0.0", "bad-query"),
        ("target=cortex-m3&name=a&small=perhaps", "bad-query"),
        ("target=cortex-m3&name=a&rollback=-1", "bad-query"),
        ("target=cortex-m3&name=a&cc=/bin/sh", "bad-query"),
        ("target=cortex-m99&name=a", "unknown-target"),
        ("target=../../etc/passwd&name=a", "unknown-target"),
        ("target=&name=a", "unknown-target"),
    ];
    for (query, problem) in queries {
        let answer = server.post(ANNE, query, &module(1));
        assert_eq!((answer.status, &*answer.problem()), (400, problem), "{query}");
    }
    for token in ["", "x", "token-of-ann", "token-of-anne2", "token-of-anne,token-of-bob"] {
        let answer = server.post(token, QUERY, &module(1));
        assert_eq!((answer.status, &*answer.problem()), (401, "unauthorized"), "{token}");
        assert!(answer.head.contains("www-authenticate: Bearer"), "{}", answer.head);
    }
    assert_eq!(server.post(ANNE, QUERY, b"").problem(), "empty-body");
    assert_eq!(server.post(ANNE, QUERY, &[0; 4097]).problem(), "too-large");
    for id in ["0", "..%2f..%2flock", "../../lock", &"f".repeat(64), &"a".repeat(9000)] {
        let answer = server.get(&format!("/v1/jobs/{id}"), ANNE);
        assert!(matches!(&*answer.problem(), "no-such-job" | "no-such-path"), "{id}: {answer:?}");
    }
    assert_eq!(server.get("/v1/job", ANNE).problem(), "no-such-path");
    assert_eq!(server.request("PUT", "/v1/jobs", ANNE, b"").problem(), "no-such-method");
    lives(&server, 1);
    assert_eq!(server.metric("wisp_jobs_posted_total{as=\"new\"}"), 1);
}

#[test]
fn names_reach_the_compiler_as_they_are_and_no_file() {
    let place = Place::new();
    let server = place.serve(&[]);
    for (name, text) in [
        ("..%2f..%2f..%2fetc%2fpasswd", "../../../etc/passwd"),
        ("--cc%3dsh", "--cc=sh"),
        ("-o", "-o"),
        ("$(id)%60id%60;", "$(id)`id`;"),
        ("%c3%a4%20b", "ä b"),
    ] {
        let image = server.image(ANNE, &server.submit(ANNE, &format!("target=cortex-m3&name={name}"), &module(1)));
        assert_eq!(wisp_image::Image::parse(&image).unwrap().manifest().unwrap().name, text);
    }
}

#[test]
fn bodies_that_are_long_slow_or_cut_short_disturb_nobody() {
    let place = Place::new();
    let server = place.serve(&["--idle-seconds=1", "--body-limit=4096"]);
    let path = format!("/v1/jobs?{QUERY}");
    // a chunked body does not announce its length
    let mut endless = server.connect();
    let start = head("POST", &path, ANNE, None).replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n");
    endless.write_all(start.as_bytes()).unwrap();
    for _ in 0..10 {
        // the server may have answered already
        let _ = endless.write_all(format!("400\r\n{}\r\n", "x".repeat(1024)).as_bytes());
    }
    assert_eq!(read(&mut endless).unwrap().problem(), "too-large");
    // an announced length is refused without the body
    let mut huge = server.connect();
    huge.write_all(head("POST", &path, ANNE, Some(usize::MAX / 2)).as_bytes()).unwrap();
    assert_eq!(read(&mut huge).unwrap().problem(), "too-large");
    // a body that stops in the middle, with the connection open
    let mut slow = server.connect();
    slow.write_all(head("POST", &path, ANNE, Some(100)).as_bytes()).unwrap();
    slow.write_all(b"\0asm").unwrap();
    let answer = read(&mut slow).unwrap();
    assert_eq!((answer.status, &*answer.problem()), (408, "too-slow"));
    // a body that ends early
    let mut short = server.connect();
    short.write_all(head("POST", &path, ANNE, Some(100)).as_bytes()).unwrap();
    short.write_all(b"\0asm").unwrap();
    short.shutdown(Shutdown::Write).unwrap();
    if let Some(answer) = read(&mut short) {
        assert_eq!(answer.problem(), "cut-short");
    }
    // lines that never end, and what is no HTTP
    for bytes in [&b"GET /healthz HTTP/1.1\r\nHo"[..], b"", b"\x16\x03\x01\x02\x00\x01", &[b'x'; 100_000]] {
        let mut stream = server.connect();
        let _ = stream.write_all(bytes);
        // the server closes the connection
        let _ = stream.read_to_end(&mut Vec::new());
    }
    lives(&server, 1);
    assert_eq!(server.metric("wisp_jobs_posted_total{as=\"new\"}"), 1);
    assert_eq!(std::fs::read_dir(place.path("state/incoming")).unwrap().count(), 0);
}

#[test]
fn more_connections_than_allowed_wait_and_idle_ones_are_closed() {
    let place = Place::new();
    let server = place.serve(&["--idle-seconds=1", "--connections=4"]);
    let idle: Vec<_> = (0..12).map(|_| server.connect()).collect();
    lives(&server, 1);
    drop(idle);
}

#[test]
fn a_job_that_takes_too_long_is_killed_with_all_its_processes() {
    let place = Place::new();
    let server = place.serve(&["--job-seconds=1"]);
    let id = server.submit(ANNE, "target=cortex-m3&name=held", &module(1));
    let processes = place.held();
    let job = server.ended(ANNE, &id);
    assert_eq!((job["state"].as_str(), job["reason"].as_str()), (Some("failed"), Some("limit")), "{job}");
    assert!(job["words"].as_str().unwrap().contains("did not end within 1 seconds"), "{job}");
    processes.into_iter().for_each(crate::harness::gone);
    // a limit is no verdict on the module
    assert_eq!(server.post(ANNE, "target=cortex-m3&name=held", &module(1)).status, 202);
}

#[test]
fn a_job_that_takes_too_much_memory_or_disk_fails_alone() {
    let heavy = heavy(1500);
    for (limit, words) in [("--job-memory=70000000", "memory"), ("--job-file=100000", "signal 25")] {
        let place = Place::new();
        let server = place.serve(&[limit]);
        let job = server.ended(ANNE, &server.submit(ANNE, QUERY, &heavy));
        assert_eq!((job["state"].as_str(), job["reason"].as_str()), (Some("failed"), Some("limit")), "{limit}: {job}");
        assert!(job["words"].as_str().unwrap().contains(words), "{limit}: {job}");
        lives(&server, 1);
    }
    let place = Place::new();
    let server = place.serve(&["--output-limit=100"]);
    let job = server.ended(ANNE, &server.submit(ANNE, QUERY, &module(1)));
    assert_eq!(job["reason"], "limit", "{job}");
    assert!(job["words"].as_str().unwrap().contains("this service allows 100"), "{job}");
}

#[test]
fn words_of_the_compiler_name_no_folder_of_the_service() {
    let place = Place::new();
    let server = place.serve(&["--job-memory=70000000"]);
    let job = server.ended(ANNE, &server.submit(ANNE, QUERY, &heavy(1500)));
    assert_eq!(job["state"], "failed");
    assert!(!job.to_string().contains(place.folder.path().to_str().unwrap()), "{job}");
}
