// SPDX-License-Identifier: Apache-2.0
//! The HTTP interface. Each handler carries the description of its path, so the OpenAPI document has all of them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{header, HeaderMap, StatusCode};
use axum::middleware::{from_fn_with_state, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::board::Admission;
use super::order::Order;
use super::problem::{Problem, ProblemName};
use super::record::Job;
use super::server::Service;
use super::tokens::Client;
use super::upload;

type Shared = State<Arc<Service>>;

/// The bytes of a file.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "describes a body")]
struct Bytes(Vec<u8>);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "wisp serve",
        description = "Compiles WebAssembly modules to native code for microcontrollers. The same module with the same \
                       options is the same job. Errors are problem details (RFC 9457)."
    ),
    modifiers(&Token)
)]
struct Description;

/// Describes the tokens.
struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        openapi.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// Returns the routes, and the OpenAPI document that describes them.
fn described() -> (Router<Arc<Service>>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(post_job))
        .routes(routes!(get_job, delete_job))
        .routes(routes!(get_result))
        .routes(routes!(get_targets))
        .routes(routes!(get_health))
        .routes(routes!(get_metrics))
        .split_for_parts()
}

/// Returns all that answers requests.
pub fn router(service: Arc<Service>) -> Router {
    let (routes, document) = described();
    routes
        .route("/openapi.json", get(|| async move { Json(document) }))
        .fallback(|| async { Problem::no_such_path() })
        .method_not_allowed_fallback(|| async { Problem::no_such_method() })
        .layer(from_fn_with_state(service.clone(), count))
        .with_state(service)
}

/// Counts responses.
async fn count(State(service): Shared, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    service.metrics.response(response.status().as_u16());
    if let Some(ProblemName(name)) = response.extensions().get() {
        service.metrics.problem(name);
    }
    response
}

/// The client whose token a request has.
struct Caller(Arc<Client>);

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, service: &Arc<Service>) -> Result<Self, Problem> {
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        token.and_then(|token| service.client(token)).map(Self).ok_or_else(Problem::unauthorized)
    }
}

/// Post a module
///
/// The module is compiled for one target. Posting the same again finds the same job, and the result at once if there
/// is one. A job that reached a limit of the service is tried again.
#[utoipa::path(
    post, path = "/v1/jobs", params(Order), security(("token" = [])),
    request_body(content = Bytes, content_type = "application/wasm", description = "A WebAssembly module or component"),
    responses(
        (status = 200, description = "The job has ended, or was posted before", body = Job),
        (status = 202, description = "The job waits", body = Job),
        (status = 400, description = "The query or the body is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "There is no valid token", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body came too slowly", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The module is too long", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "The quota is used up", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The queue is full, or the service is stopping", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn post_job(
    State(service): Shared,
    Caller(client): Caller,
    query: Result<Query<Order>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Query(order) = query.map_err(|error| Problem::bad_query(error.body_text()))?;
    order.check()?;
    let compiler = service.compilers.of(&order.target)?.identity.clone();
    let _sending = client.begin_upload()?;
    let limits = &service.options.requests;
    let path = service.store.incoming(service.number());
    let upload = upload::receive(&headers, body, path, limits.body_limit, limits.idle_seconds).await?;
    let work = move |board: &mut super::board::Board| board.submit(&upload, order, &compiler, &client);
    let (job, admission) = service.with(work).await??;
    service.metrics.posted(admission);
    let status = if admission == Admission::New { StatusCode::ACCEPTED } else { StatusCode::OK };
    service.wake.notify_one();
    let location = [(header::LOCATION, format!("/v1/jobs/{}", job.id))];
    Ok((status, location, Json(job)).into_response())
}

/// See how far a job is
#[utoipa::path(
    get, path = "/v1/jobs/{id}", params(("id" = String, Path, description = "Id of the job")), security(("token" = [])),
    responses(
        (status = 200, description = "The job", body = Job),
        (status = 401, description = "There is no valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The token has no such job", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn get_job(State(service): Shared, Caller(client): Caller, Path(id): Path<String>) -> Result<Json<Job>, Problem> {
    service.with(move |board| board.job(&id, &client.name)).await?.map(Json)
}

/// Delete a job
///
/// A job that waits or runs ends, unless another token has posted it as well.
#[utoipa::path(
    delete, path = "/v1/jobs/{id}", params(("id" = String, Path, description = "Id of the job")),
    security(("token" = [])),
    responses(
        (status = 204, description = "The token has the job no more"),
        (status = 401, description = "There is no valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The token has no such job", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn delete_job(
    State(service): Shared,
    Caller(client): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    service.with(move |board| board.cancel(&id, &client.name)).await??;
    Ok(StatusCode::NO_CONTENT)
}

/// Get the image
///
/// The image has IR and native code, a hash, and no signature.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/result", params(("id" = String, Path, description = "Id of the job")),
    security(("token" = [])),
    responses(
        (status = 200, description = "The image", body = Bytes, content_type = "application/octet-stream"),
        (status = 401, description = "There is no valid token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The token has no such job", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The job has not ended", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The result was damaged", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The job failed", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn get_result(
    State(service): Shared,
    Caller(client): Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (image, sha256) = service.with(move |board| board.result(&id, &client.name)).await??;
    let headers =
        [(header::CONTENT_TYPE, "application/octet-stream".to_string()), (header::ETAG, format!("\"{sha256}\""))];
    Ok((headers, image).into_response())
}

/// A target.
#[derive(Serialize, ToSchema)]
struct TargetLine {
    /// Name of the target
    name: &'static str,
    /// The compilers that make code for it, null if the service has none
    compiler: Option<String>,
}

/// See the targets
#[utoipa::path(
    get, path = "/v1/targets", security(("token" = [])),
    responses(
        (status = 200, description = "All targets", body = Vec<TargetLine>),
        (status = 401, description = "There is no valid token", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn get_targets(State(service): Shared, _: Caller) -> Json<Vec<TargetLine>> {
    let line = |(name, found): (_, Option<&super::compilers::Compiler>)| TargetLine {
        name,
        compiler: found.map(|compiler| compiler.identity.clone()),
    };
    Json(service.compilers.targets().map(line).collect())
}

/// The health of the service.
#[derive(Serialize, ToSchema)]
struct Health {
    /// ok
    status: &'static str,
}

/// See whether the service takes jobs
#[utoipa::path(
    get, path = "/healthz",
    responses(
        (status = 200, description = "It takes jobs", body = Health),
        (status = 503, description = "It is stopping", body = Problem, content_type = "application/problem+json"),
    )
)]
async fn get_health(State(service): Shared) -> Result<Json<Health>, Problem> {
    match service.with(|board| board.is_stopping()).await? {
        true => Err(Problem::stopping()),
        false => Ok(Json(Health { status: "ok" })),
    }
}

/// Read counters, in the text format of Prometheus
#[utoipa::path(
    get, path = "/metrics",
    responses((status = 200, description = "Counters", body = String, content_type = "text/plain"))
)]
async fn get_metrics(State(service): Shared) -> Result<Response, Problem> {
    let counts = service.with(|board| board.counts()).await?;
    let kind = [(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)];
    Ok((kind, service.metrics.text(counts)).into_response())
}
