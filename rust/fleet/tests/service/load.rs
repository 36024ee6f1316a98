// SPDX-License-Identifier: Apache-2.0
//! Hundreds of jobs at once from several clients, among them hostile ones.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Mutex;
use std::thread;

use crate::harness::{head, heavy, module, Place, Server, ANNE, BOB};

const CLIENTS: u32 = 6;
const JOBS: u32 = 60;
/// Different modules, each of which is compiled for two targets.
const MODULES: u32 = 8;

/// Posts jobs and fetches their images. Returns the ids.
fn client(server: &Server, number: u32) -> BTreeSet<String> {
    let token = if number.is_multiple_of(2) { ANNE } else { BOB };
    let ids: Vec<String> = (0..JOBS)
        .map(|job| {
            let target = if job % 2 == 0 { "cortex-m3" } else { "rv32imac" };
            server.submit(token, &format!("target={target}&name=a"), &module((job / 2 + number) % MODULES))
        })
        .collect();
    for id in &ids {
        let image = server.image(token, id);
        assert!(wisp_image::Image::parse(&image).is_ok());
    }
    ids.into_iter().collect()
}

/// Sends what no client should, over and over.
fn hostile(server: &Server) {
    let heavy = heavy(3000);
    for round in 0..8 {
        let mut cut = server.connect();
        cut.write_all(head("POST", "/v1/jobs?target=cortex-m3&name=a", ANNE, Some(9999)).as_bytes()).unwrap();
        drop(cut);
        assert_eq!(server.post("nobody", "target=cortex-m3&name=a", &heavy).status, 401);
        server.submit(ANNE, "target=cortex-m3&name=text", format!("text {round}").as_bytes());
        let id = server.submit(ANNE, &format!("target=cortex-m3&name=heavy&rollback={round}"), &heavy);
        // leaves in the middle
        assert_eq!(server.request("DELETE", &format!("/v1/jobs/{id}"), ANNE, b"").status, 204);
    }
}

#[test]
fn hundreds_of_jobs_of_several_clients_are_all_done_among_hostile_ones() {
    let place = Place::new();
    let server = place.serve(&[]);
    let ids = Mutex::new(BTreeSet::new());
    thread::scope(|scope| {
        scope.spawn(|| hostile(&server));
        for number in 0..CLIENTS {
            let (server, ids) = (&server, &ids);
            scope.spawn(move || {
                let found = client(server, number);
                ids.lock().unwrap().extend(found);
            });
        }
    });
    let different = u64::from(2 * MODULES);
    assert_eq!(ids.lock().unwrap().len() as u64, different);
    let posted = |how: &str| server.metric(&format!("wisp_jobs_posted_total{{as=\"{how}\"}}"));
    let (new, joined, hit) = (posted("new"), posted("joined"), posted("hit"));
    // 8 texts and 8 heavy modules are those of the hostile client
    assert_eq!(new + joined + hit, u64::from(CLIENTS * JOBS) + 16);
    assert_eq!(new, different + 16);
    // a heavy module is done if its client is slow to delete it
    let done = server.metric("wisp_jobs_ended_total{end=\"done\"}");
    assert!((different..=different + 8).contains(&done), "{done}");
    assert_eq!(server.metric("wisp_jobs_ended_total{end=\"internal\"}"), 0);
    println!("{} jobs: {new} compiled, {joined} joined, {hit} hits, 0 of the clients' failed", new + joined + hit);
}
