// SPDX-License-Identifier: Apache-2.0
//! A rollout server: hawkBit's DDI as https://eclipse.dev/hawkbit/rest-api/ddi describes it, with faults on demand.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::Router;
use http_body_util::BodyExt;
use serde_json::{json, Value};
use sha2::{Digest, Sha256};

use crate::harness::until;

/// A software module: name, version, and files with their bytes.
#[derive(Clone)]
pub struct Module {
    pub name: String,
    pub version: String,
    pub files: Vec<(String, Vec<u8>)>,
}

impl Module {
    /// Returns a module with one image.
    pub fn new(name: &str, version: &str, image: &[u8]) -> Self {
        Self { name: name.into(), version: version.into(), files: vec![(format!("{name}.wisp"), image.to_vec())] }
    }
}

/// An action of a device.
#[derive(Clone)]
struct Action {
    id: String,
    modules: Vec<Module>,
    update: String,
    cancel: Option<String>,
}

/// Message of a device: the path below that of the device, and the body.
pub type Told = (String, Value);

#[derive(Default)]
struct Target {
    queue: Vec<Action>,
    told: Vec<Told>,
    wants_attributes: bool,
    polls: u64,
}

#[derive(Default)]
struct Shared {
    targets: HashMap<String, Target>,
    /// Answers 503 to everything.
    down: bool,
    /// Breaks off each download after that many bytes.
    cut: Option<usize>,
    /// Changes a byte of each download.
    damage: bool,
    /// Ranges of the downloads.
    ranges: Vec<String>,
    url: String,
}

/// The server.
pub struct Server {
    shared: Arc<Mutex<Shared>>,
    actions: AtomicU64,
    _runtime: tokio::runtime::Runtime,
}

const ROOT: &str = "/DEFAULT/controller/v1";

impl Server {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        shared.lock().unwrap().url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { shared, actions: AtomicU64::new(1), _runtime: runtime }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    pub fn url(&self) -> String {
        self.lock().url.clone()
    }

    pub fn set_down(&self, down: bool) {
        self.lock().down = down;
    }

    pub fn set_cut(&self, cut: Option<usize>) {
        self.lock().cut = cut;
    }

    pub fn set_damage(&self, damage: bool) {
        self.lock().damage = damage;
    }

    pub fn ranges(&self) -> Vec<String> {
        self.lock().ranges.clone()
    }

    /// Gives a device an action, and returns its id.
    pub fn assign(&self, device: &str, modules: &[Module]) -> String {
        self.assign_as(device, modules, "forced")
    }

    /// Does what `assign` does, with a value of `update`.
    pub fn assign_as(&self, device: &str, modules: &[Module], update: &str) -> String {
        let id = self.actions.fetch_add(1, Ordering::Relaxed).to_string();
        let action = Action { id: id.clone(), modules: modules.to_vec(), update: update.into(), cancel: None };
        self.lock().targets.entry(device.into()).or_default().queue.push(action);
        id
    }

    /// Permits to install what was held back.
    pub fn permit(&self, device: &str) {
        self.lock().targets.get_mut(device).unwrap().queue[0].update = "forced".into();
    }

    /// Holds the action of a device back, as at the end of a window for maintenance.
    pub fn forbid(&self, device: &str) {
        self.lock().targets.get_mut(device).unwrap().queue[0].update = "skip".into();
    }

    /// Asks for the end of a device's action, and returns the id of the request.
    pub fn cancel(&self, device: &str) -> String {
        let id = format!("{}", 1000 + self.actions.fetch_add(1, Ordering::Relaxed));
        self.lock().targets.get_mut(device).unwrap().queue[0].cancel = Some(id.clone());
        id
    }

    /// Ends the action of a device without asking it, as hawkBit's force quit does.
    pub fn quit(&self, device: &str) {
        self.lock().targets.get_mut(device).unwrap().queue.remove(0);
    }

    pub fn want_attributes(&self, device: &str) {
        self.lock().targets.entry(device.into()).or_default().wants_attributes = true;
    }

    pub fn told(&self, device: &str) -> Vec<Told> {
        self.lock().targets.get(device).map_or_else(Vec::new, |target| target.told.clone())
    }

    /// Waits until the device is polled for, twice from now on: the first poll may have begun before.
    pub fn polled(&self, device: &str) {
        let polls = |server: &Self| server.lock().targets.get(device).map_or(0, |target| target.polls);
        let before = polls(self);
        until(|| (polls(self) >= before + 2).then_some(()));
    }

    /// Waits for the closing feedback of an action: `finished`, and the details in one text.
    pub fn outcome(&self, device: &str, id: &str) -> (String, String) {
        let path = format!("deploymentBase/{id}/feedback");
        until(|| {
            let told = self.told(device);
            let closed = told.iter().find(|(at, body)| *at == path && body["status"]["execution"] == "closed")?;
            assert_eq!(closed.1["id"], id);
            Some((text(&closed.1["status"]["result"]["finished"]), details(&closed.1)))
        })
    }

    /// Waits for the answer to a wish to cancel: `execution`, and the details in one text.
    pub fn cancelled(&self, device: &str, id: &str) -> (String, String) {
        let path = format!("cancelAction/{id}/feedback");
        until(|| {
            let told = self.told(device);
            let (_, body) = told.iter().find(|(at, _)| *at == path)?;
            Some((text(&body["status"]["execution"]), details(body)))
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().into()
}

/// Returns the details of a feedback.
pub fn details(body: &Value) -> String {
    let lines: Vec<String> = body["status"]["details"].as_array().unwrap().iter().map(text).collect();
    lines.join("; ")
}

fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn answer(State(shared): State<Arc<Mutex<Shared>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let mut shared = shared.lock().unwrap();
    if shared.down {
        return (StatusCode::SERVICE_UNAVAILABLE, "down for maintenance").into_response();
    }
    let Some(path) = parts.uri.path().strip_prefix(ROOT) else { return StatusCode::NOT_FOUND.into_response() };
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let device = segments[0].to_string();
    let token = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    if token != Some(&format!("TargetToken token-{device}")) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Shared { targets, url, .. } = &mut *shared;
    let target = targets.entry(device.clone()).or_default();
    let base = format!("{url}{ROOT}/{device}");
    match (&parts.method, &segments[1..]) {
        (&Method::GET, []) => poll(target, &base).into_response(),
        (&Method::GET, ["deploymentBase", id]) => deployment(target, &base, id),
        (&Method::GET, ["cancelAction", id]) => match target.queue.first() {
            Some(action) if action.cancel.as_deref() == Some(id) => {
                axum::Json(json!({"id": id, "cancelAction": {"stopId": action.id}})).into_response()
            }
            _ => StatusCode::NOT_FOUND.into_response(),
        },
        (&Method::GET, ["softwaremodules", module, "artifacts", file]) => {
            let found = target.queue.first().and_then(|action| {
                let module = action.modules.iter().find(|known| known.name == *module)?;
                module.files.iter().find(|(name, _)| name == file).map(|(_, bytes)| bytes.clone())
            });
            match found {
                Some(bytes) => download(&mut shared, &parts.headers, bytes),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        }
        (&Method::POST | &Method::PUT, rest) => take(target, rest, &body).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn poll(target: &mut Target, base: &str) -> axum::Json<Value> {
    target.polls += 1;
    let mut links = serde_json::Map::new();
    let link = |path: String| json!({"href": format!("{base}/{path}")});
    match target.queue.first() {
        Some(Action { cancel: Some(id), .. }) => {
            drop(links.insert("cancelAction".into(), link(format!("cancelAction/{id}"))))
        }
        Some(action) => {
            drop(links.insert("deploymentBase".into(), link(format!("deploymentBase/{}?c=-2129030598", action.id))))
        }
        None => {}
    }
    if target.wants_attributes {
        links.insert("configData".into(), link("configData".into()));
    }
    axum::Json(json!({"config": {"polling": {"sleep": "12:00:00"}}, "_links": links}))
}

fn deployment(target: &Target, base: &str, id: &str) -> Response {
    let Some(action) = target.queue.first().filter(|action| action.id == id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let artifact = |module: &str, (name, bytes): &(String, Vec<u8>)| {
        let href = format!("{base}/softwaremodules/{module}/artifacts/{name}");
        json!({
            "filename": name,
            "hashes": {"sha1": "0".repeat(40), "md5": "0".repeat(32), "sha256": hex(&Sha256::digest(bytes))},
            "size": bytes.len(),
            "_links": {"download-http": {"href": href}, "md5sum-http": {"href": format!("{href}.MD5SUM")}}
        })
    };
    let chunks: Vec<Value> = action
        .modules
        .iter()
        .map(|module| {
            let artifacts: Vec<Value> = module.files.iter().map(|file| artifact(&module.name, file)).collect();
            json!({"part": "bApp", "name": module.name, "version": module.version, "artifacts": artifacts})
        })
        .collect();
    axum::Json(json!({
        "id": id,
        "deployment": {"download": "forced", "update": action.update, "chunks": chunks},
        "actionHistory": {"status": "RUNNING", "messages": []}
    }))
    .into_response()
}

/// Sends a file, from a byte on if a range is asked for.
fn download(shared: &mut Shared, headers: &HeaderMap, mut bytes: Vec<u8>) -> Response {
    let range = headers.get("range").and_then(|value| value.to_str().ok()).unwrap_or_default().to_string();
    let from: usize = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')?.parse().ok()).unwrap_or(0);
    shared.ranges.push(range);
    if shared.damage {
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    }
    let total = bytes.len();
    let rest = bytes.split_off(from.min(total));
    let status = if from > 0 { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let range = format!("bytes {from}-{}/{total}", total - 1);
    let body = match shared.cut {
        Some(cut) if cut < rest.len() => {
            // the length is that of the whole, so that the client sees the end as a break
            let parts = [Ok(Bytes::copy_from_slice(&rest[..cut])), Err(std::io::Error::other("cut"))];
            Body::new(Parts { parts: parts.into_iter(), waited: true })
        }
        _ => Body::from(rest),
    };
    (status, [("content-range", range)], body).into_response()
}

/// Parts of a body. The last one breaks it off.
struct Parts {
    parts: std::array::IntoIter<Result<Bytes, std::io::Error>, 2>,
    waited: bool,
}

impl axum::body::HttpBody for Parts {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        // what came before is sent meanwhile
        self.waited = !self.waited;
        if self.waited {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.parts.next().map(|part| part.map(hyper::body::Frame::data)))
    }
}

/// Takes what a device tells.
fn take(target: &mut Target, path: &[&str], body: &[u8]) -> StatusCode {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return StatusCode::BAD_REQUEST };
    let state = value["status"]["execution"].as_str().unwrap_or_default().to_string();
    let action = target.queue.first();
    let known = match path {
        ["configData"] => {
            target.wants_attributes = false;
            true
        }
        ["deploymentBase", id, "feedback"] => action.is_some_and(|action| action.id == *id),
        ["cancelAction", id, "feedback"] => action.is_some_and(|action| action.cancel.as_deref() == Some(id)),
        _ => false,
    };
    if !known {
        return StatusCode::GONE;
    }
    target.told.push((path.join("/"), value));
    match (path[0], &*state) {
        ("configData", _) => {}
        (_, "closed") => drop(target.queue.remove(0)),
        ("cancelAction", "rejected") => target.queue[0].cancel = None,
        _ => {}
    }
    StatusCode::OK
}
