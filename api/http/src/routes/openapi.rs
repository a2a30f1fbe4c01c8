//! `/openapi.json`: the description of the API, made from the same list as the router.

use std::sync::LazyLock;

use axum::http::HeaderMap;
use axum::routing::get;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn, PathItem, PathsBuilder};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, License, ObjectBuilder, OpenApi, OpenApiBuilder, Ref, Required, Response,
    ResponseBuilder, Type,
};
use utoipa::{PartialSchema, ToSchema};

use crate::conditional;
use crate::credentials::Access::{Needs, Open};
use crate::failure::ProblemBody;
use crate::reply::Answer;
use crate::route::Route;

pub fn routes() -> Vec<Route> {
    vec![Route::new::<__path_description>(Open, get(description))]
}

static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(document);

const ABOUT: &str = "System of record, memory and analyst of a team of AI agents.\n\n\
    Every answer has `X-Partitura-Position` (the position of the log at which it was given), `X-Trace-Id` and \
    `Server-Timing`. Every refusal is `application/problem+json` with a stable `code`, a `hint` and near names.";

/// Get this description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    responses((status = 200, description = "OpenAPI 3.1", body = Value)),
    tag = "server"
)]
async fn description(headers: HeaderMap) -> Answer {
    Ok(conditional::unchanging(&headers, &*DOCUMENT))
}

/// Returns the document of all routes.
pub fn document() -> OpenApi {
    let mut paths = PathsBuilder::new();
    let mut components = ComponentsBuilder::new()
        .security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .security_scheme("basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)))
        .security_scheme("header", SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key"))))
        .schema(ProblemBody::name(), ProblemBody::schema());
    for mut route in super::all() {
        describe(&mut route);
        components = components.schemas_from_iter(route.schemas);
        paths = paths.path(shown(&route.path), PathItem::new(route.method, route.operation));
    }
    let info = InfoBuilder::new()
        .title("Partitura")
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(License::new("Apache-2.0")))
        .description(Some(ABOUT));
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}

/// Adds to an operation what follows from its place: its name, its guard, and how it refuses.
fn describe(route: &mut Route) {
    let operation = &mut route.operation;
    operation.operation_id = Some(operation_id(&route.method, &route.path));
    let mut refusals = vec![("default", "A problem")];
    if let Needs(scope) = route.access {
        let schemes = ["bearer", "basic", "header"];
        operation.security = Some(schemes.map(|name| SecurityRequirement::new(name, [scope.name()])).to_vec());
        operation.parameters.get_or_insert_default().push(workspace());
        refusals.extend([("401", "A valid key is needed"), ("403", "Not allowed with this key")]);
    }
    if route.path.contains('{') {
        refusals.push(("404", "There is no such thing; near names are suggested"));
    }
    if operation.request_body.is_some() {
        refusals.extend([("413", "The body is over the limit"), ("415", "The content type is not supported")]);
    }
    for (status, what) in refusals {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| problem(what).into());
    }
}

fn problem(what: &str) -> Response {
    let schema = Ref::from_schema_name(ProblemBody::name());
    ResponseBuilder::new().description(what).content("application/problem+json", Content::new(Some(schema))).build()
}

fn workspace() -> utoipa::openapi::path::Parameter {
    ParameterBuilder::new()
        .name("X-Partitura-Workspace")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("Another workspace that the key may read"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

/// `GET /v1/knowledge/{id}/history` is `get_knowledge_id_history`.
fn operation_id(method: &utoipa::openapi::path::HttpMethod, path: &str) -> String {
    let method = serde_json::to_value(method).ok().and_then(|name| name.as_str().map(str::to_owned));
    let path = path.strip_prefix("/v1").unwrap_or(path);
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    [method.unwrap_or_default()].into_iter().chain(words.map(str::to_owned)).collect::<Vec<_>>().join("_")
}

/// OpenAPI has no name for "the rest of the path": it is shown as one parameter.
pub fn shown(pattern: &str) -> String {
    pattern.replace("{*", "{")
}
