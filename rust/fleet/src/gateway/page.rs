// SPDX-License-Identifier: Apache-2.0
//! The gateway's page: what its devices are doing. It can be read only; control is with the rollout server.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::server::Shared;
use super::status::Status;
use super::telemetry::{now, AppLine, Line};
use crate::connections::{self, Limits};

/// Longest time until a request is here.
const IDLE: Duration = Duration::from_secs(30);
/// Longest time of a connection.
const CONNECTION: Duration = Duration::from_secs(300);
/// Time that open connections have when the gateway ends.
const GOODBYE: Duration = Duration::from_secs(2);

/// Permission of the page to load its own style, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
const STYLE: &str = "body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}\
                     td,th{border:1px solid #bbb;padding:.3em .6em;text-align:left;vertical-align:top}\
                     .failure,.trouble{color:#a00}.success{color:#060}";

/// Serves the page until the gateway ends.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let router = Router::new()
        .route("/", get(page))
        .route("/status", get(status))
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(shared);
    let ended = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let limits = Limits { connections: 64, idle: IDLE, connection: CONNECTION, goodbye: GOODBYE };
    connections::serve(listener, router, limits, ended).await;
}

async fn metrics(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], shared.telemetry.text())
}

async fn status(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    Json(Status { server: shared.config.url.to_string(), now: now(), devices: shared.telemetry.lines() })
}

async fn page(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let text = html(shared.config.url.as_str(), &shared.telemetry.lines(), now());
    ([(CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-store")], Html(text))
}

/// Returns text as it stands in HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Returns how long ago something was.
pub(super) fn ago(time: Option<u64>, now: u64) -> String {
    match time.map(|time| now.saturating_sub(time)) {
        None => "never".into(),
        Some(seconds @ 0..120) => format!("{seconds} s ago"),
        Some(seconds @ 120..7200) => format!("{} min ago", seconds / 60),
        Some(seconds) => format!("{} h ago", seconds / 3600),
    }
}

fn app(app: &AppLine) -> String {
    let version = app.running.as_deref().unwrap_or("none");
    let trial = app.candidate.as_ref().map_or_else(String::new, |version| format!(", {version} on trial"));
    let disabled = if app.disabled { ", disabled" } else { "" };
    escaped(&format!("{} {version}{trial}{disabled}", app.name))
}

/// Returns the row of a device.
fn row(line: &Line, now: u64) -> String {
    let apps: Vec<String> = line.apps.iter().map(app).collect();
    let percent = line.percent.map_or_else(String::new, |percent| format!(" {percent} %"));
    let action = line.action.as_ref().map_or_else(String::new, |action| format!("action {action}: "));
    let doing = format!("{action}{} {}{percent}", line.phase.word(), line.subject.as_deref().unwrap_or_default());
    let trouble =
        line.trouble.as_ref().map_or_else(String::new, |words| format!("<div class=trouble>{}</div>", escaped(words)));
    let last = line.last.as_ref().map_or_else(String::new, |(word, details)| {
        format!("<span class=\"{}\">{}</span>: {}", escaped(word), escaped(word), escaped(&details.join("; ")))
    });
    format!(
        "<tr><th scope=row>{}</th><td>{}</td><td>{}</td><td>{}{trouble}</td><td>{last}</td><td>{}</td><td>{}</td></tr>\n",
        escaped(&line.name),
        escaped(&line.address),
        apps.join("<br>"),
        escaped(doing.trim()),
        ago(line.heard, now),
        ago(line.polled, now)
    )
}

/// Returns the page.
fn html(server: &str, lines: &[Line], now: u64) -> String {
    let mut out = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=5><title>Wisp gateway</title>\
         <style>{STYLE}</style><h1>Wisp gateway</h1><p>{} devices, for {}</p><table><thead><tr><th>Device<th>Address<th>Apps\
         <th>State<th>Last action<th>Device answered<th>Server answered</tr></thead><tbody>\n",
        lines.len(),
        escaped(server)
    );
    for line in lines {
        // writing to memory does not fail
        let _ = out.write_str(&row(line, now));
    }
    out + "</tbody></table></html>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_devices_and_servers_say_is_text_on_the_page() {
        let bad = "<script>alert(\"&\")</script>";
        let line = Line {
            name: bad.into(),
            address: bad.into(),
            action: Some(bad.into()),
            subject: Some(bad.into()),
            last: Some((bad.into(), vec![bad.into()])),
            trouble: Some(bad.into()),
            apps: vec![AppLine {
                name: bad.into(),
                running: Some(bad.into()),
                candidate: Some(bad.into()),
                disabled: true,
            }],
            ..Line::default()
        };
        let page = html(bad, &[line], 0);
        assert!(!page.contains("<script") && !page.contains("(\""), "{page}");
        assert_eq!(page.matches("&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;").count(), 12);
    }

    #[test]
    fn a_row_tells_apps_state_and_times() {
        let line = Line {
            name: "lamp-1".into(),
            address: "192.0.2.1:1337".into(),
            action: Some("7".into()),
            subject: Some("lamp 1.2.0".into()),
            percent: Some(40),
            heard: Some(1000),
            apps: vec![AppLine {
                name: "lamp".into(),
                running: Some("1.1.0".into()),
                candidate: None,
                disabled: false,
            }],
            ..Line::default()
        };
        let row = row(&line, 1200);
        for text in
            ["action 7: starting lamp 1.2.0 40 %", "<td>lamp 1.1.0</td>", "<td>3 min ago</td>", "<td>never</td>"]
        {
            assert!(row.contains(text), "{text}: {row}");
        }
    }
}
