//! One route: path and method from its OpenAPI description, the scope it needs, and its handler.
//!
//! The router and `/openapi.json` are both made from the same list, so neither can know a route alone.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use utoipa::__dev::SchemaReferences;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::{Content, ObjectBuilder, RefOr, Schema, Type};

use crate::app::App;
use crate::credentials::{Access, guard};

/// A route of the API.
pub struct Route {
    /// The method, as OpenAPI names it.
    pub method: HttpMethod,
    /// The pattern, `/v1/tables/{name}`.
    pub path: String,
    /// What its caller needs.
    pub access: Access,
    /// What it says of itself.
    pub operation: Operation,
    /// Schemas that the operation refers to.
    pub schemas: Vec<(String, RefOr<Schema>)>,
    handler: MethodRouter<App>,
}

impl Route {
    /// Makes a route of a handler that `P` describes.
    pub fn new<P: utoipa::Path + SchemaReferences>(access: Access, handler: MethodRouter<App>) -> Self {
        let method = P::methods().into_iter().next().unwrap_or(HttpMethod::Get);
        let mut schemas = Vec::new();
        P::schemas(&mut schemas);
        Self { method, path: P::path(), access, operation: P::operation(), schemas, handler }
    }

    /// Puts it at another path than its description names: one handler may serve several.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Says that its body may be of these media types.
    #[must_use]
    pub fn takes(mut self, media: &[&str]) -> Self {
        if let Some(body) = &mut self.operation.request_body {
            let schema = body.content.values().next().and_then(|content| content.schema.clone());
            let text = || Some(ObjectBuilder::new().schema_type(Type::String).into());
            let of = |media: &str| if media.contains("json") { schema.clone() } else { text() };
            body.content = media.iter().map(|media| ((*media).to_owned(), Content::new(of(media)))).collect();
        }
        self
    }

    /// Says that its answer may be of these media types.
    #[must_use]
    pub fn gives<'a>(mut self, media: impl IntoIterator<Item = &'a str>) -> Self {
        if let Some(RefOr::T(answer)) = self.operation.responses.responses.get_mut("200") {
            for media in media {
                // Parameters such as a charset are no part of the type.
                let essence = media.split(';').next().unwrap_or(media);
                answer.content.entry(essence.to_owned()).or_default();
            }
        }
        self
    }

    /// Adds it to the router, behind its guard.
    pub fn mount(self, router: Router<App>, app: &App) -> Router<App> {
        let layer = from_fn_with_state((app.clone(), self.access), guard);
        router.route(&self.path, self.handler.layer(layer))
    }
}
