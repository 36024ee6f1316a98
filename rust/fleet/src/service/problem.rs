// SPDX-License-Identifier: Apache-2.0
//! Errors as clients get them: problem details in JSON (RFC 9457).

use axum::http::{header, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A request that was not done: what happened, where, what was expected, and what to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Name of the kind of problem, `urn:wisp:problem:` and a word
    #[serde(rename = "type", serialize_with = "urn")]
    #[schema(value_type = String, example = "urn:wisp:problem:unknown-target")]
    name: &'static str,
    /// The kind of problem in words
    title: &'static str,
    /// Status of the response
    status: u16,
    /// A sentence about this case
    detail: String,
    /// The part of the request that is concerned
    #[serde(rename = "where")]
    place: &'static str,
    /// The value that was expected there
    expected: String,
    /// Advice for the client
    remedy: &'static str,
    /// Seconds to wait before the next try, or 0
    #[serde(skip)]
    retry_after: u16,
}

/// Writes the name of a kind of problem in its whole form.
fn urn<S: serde::Serializer>(name: &&'static str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("urn:wisp:problem:{name}"))
}

/// The name of a problem, which its response carries for the metrics.
#[derive(Clone)]
pub struct ProblemName(pub &'static str);

impl Problem {
    fn new(status: StatusCode, name: &'static str, title: &'static str, place: &'static str) -> Self {
        Self {
            name,
            title,
            status: status.as_u16(),
            detail: title.into(),
            place,
            expected: String::new(),
            remedy: "correct the request",
            retry_after: 0,
        }
    }

    fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    fn expected(self, expected: impl Into<String>) -> Self {
        Self { expected: expected.into(), ..self }
    }

    fn remedy(self, remedy: &'static str) -> Self {
        Self { remedy, ..self }
    }

    fn retry(self, seconds: u16) -> Self {
        Self { retry_after: seconds, ..self }
    }

    /// Returns the problem of a request with no token, or with one that is not known.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "the request has no valid token", "header Authorization")
            .expected("Bearer TOKEN, with a token of this service")
            .remedy("send the header, or ask the service's operator for a token")
    }

    /// Returns the problem that nothing has this path.
    pub fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-such-path", "there is nothing at this path", "path")
            .expected("a path that /openapi.json describes")
    }

    /// Returns the problem that the path has no such method.
    pub fn no_such_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "no-such-method", "this path has no such method", "method")
            .expected("a method that /openapi.json describes for the path")
    }

    /// Returns the problem that the client has no job with this id.
    pub fn no_such_job() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-such-job", "this token has no job with this id", "path")
            .expected("the id of a job that was posted with the same token, and neither deleted nor evicted since")
            .remedy("post the module again")
    }

    /// Returns the problem that the query of a request cannot be understood.
    pub fn bad_query(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-query", "the query is not understood", "query")
            .detail(detail)
            .expected("target and name, and the options that /openapi.json describes")
    }

    /// Returns the problem that no target has this name.
    pub fn unknown_target(name: &str, offered: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "unknown-target", "the target is unknown", "query, target")
            .detail(format!("there is no target `{}`", name.escape_debug()))
            .expected(format!("one of: {offered}"))
    }

    /// Returns the problem that the service has no compiler for a target.
    pub fn target_not_offered(name: &str, offered: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "target-not-offered", "the service has no compiler for it", "query, target")
            .detail(format!("no C compiler for `{name}` is installed where the service runs"))
            .expected(format!("one of: {offered}"))
            .remedy("choose another target, or ask the service's operator to install the compiler")
    }

    /// Returns the problem that the request has no body.
    pub fn empty_body() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "empty-body", "the request has no body", "body")
            .expected("the bytes of a WebAssembly module")
            .remedy("send the module, as `curl --data-binary @app.wasm` does")
    }

    /// Returns the problem that the body is too long.
    pub fn too_large(limit: u64) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "the module is too long", "body")
            .expected(format!("at most {limit} bytes"))
            .remedy("strip the module, or ask the service's operator for a higher limit")
    }

    /// Returns the problem that the body came too slowly.
    pub fn too_slow(limit: u64) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "the body came too slowly", "body")
            .expected(format!("the next part within {limit} seconds"))
            .remedy("send the module again over a faster connection")
    }

    /// Returns the problem that the body ended early.
    pub fn cut_short(received: u64) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "cut-short", "the body ended early", "body")
            .detail(format!("the body ended after {received} bytes"))
            .expected("as many bytes as the request announced")
            .remedy("send the module again")
    }

    /// Returns the problem that the client has as many jobs as it may have.
    pub fn quota(detail: String, retry: u16) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "quota", "the token's quota is used up", "header Authorization")
            .detail(detail)
            .expected("as many jobs at once and in an hour as the token's quota allows")
            .remedy("wait for as many seconds as the header Retry-After says, and send the request again")
            .retry(retry)
    }

    /// Returns the problem that no more jobs can wait.
    pub fn queue_full(limit: usize) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "queue-full", "the queue is full", "service")
            .expected(format!("less than {limit} jobs that wait"))
            .remedy("wait for as many seconds as the header Retry-After says, and send the request again")
            .retry(10)
    }

    /// Returns the problem that the server is about to end.
    pub fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the service is stopping", "service")
            .expected("a service that is running")
            .remedy("send the request again: what the service has accepted is kept")
            .retry(10)
    }

    /// Returns the problem that the result does not exist yet.
    pub fn not_done(state: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "not-done", "the job has no result yet", "path")
            .detail(format!("the job is {state}"))
            .expected("a job in the state done")
            .remedy("ask for the job until its state is done")
            .retry(1)
    }

    /// Returns the problem that the job failed, so that there never will be a result.
    pub fn failed(words: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "failed", "the job failed", "body")
            .detail(words)
            .expected("a module that the compiler accepts")
            .remedy("correct the module as the detail says")
    }

    /// Returns the problem that the bytes of a result have changed on the server's disk.
    pub fn damaged() -> Self {
        Self::new(StatusCode::GONE, "damaged", "the stored result was damaged and is deleted", "service")
            .expected("the bytes that the compiler made")
            .remedy("post the module again")
    }

    /// Returns the problem that the server cannot do its work.
    pub fn internal(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the service has a fault", "service")
            .detail(detail)
            .expected("a service with room on its disk")
            .remedy("tell the service's operator, whose log has more")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // texts and numbers: nothing that JSON has no form for
        let mut response = (status, serde_json::to_string(&self).unwrap_or_default()).into_response();
        response.extensions_mut().insert(ProblemName(self.name));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.retry_after > 0 {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_explains_each_problem_with_its_status() {
        let page = include_str!("../../../../doc/service.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
        let explained: std::collections::BTreeSet<(String, String)> = rows
            .filter_map(|(name, rest)| Some((name.to_string(), rest.split_once(" | ")?.0.to_string())))
            .filter(|(_, status)| status.len() == 3 && status.bytes().all(|digit| digit.is_ascii_digit()))
            .collect();
        let all = [
            super::Problem::unauthorized(),
            super::Problem::no_such_path(),
            super::Problem::no_such_method(),
            super::Problem::no_such_job(),
            super::Problem::bad_query(""),
            super::Problem::unknown_target("", ""),
            super::Problem::target_not_offered("", ""),
            super::Problem::empty_body(),
            super::Problem::too_large(1),
            super::Problem::too_slow(1),
            super::Problem::cut_short(1),
            super::Problem::quota(String::new(), 1),
            super::Problem::queue_full(1),
            super::Problem::stopping(),
            super::Problem::not_done(""),
            super::Problem::failed(""),
            super::Problem::damaged(),
            super::Problem::internal(""),
        ];
        let source = include_str!("problem.rs").split("#[cfg(test)]").next().unwrap();
        assert_eq!(source.matches("Self::new(StatusCode::").count(), all.len());
        let known = all.iter().map(|problem| (problem.name.to_string(), problem.status.to_string())).collect();
        assert_eq!(explained, known);
    }
}
