//! `/openapi.json`: the description of every route, made from the routes themselves.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use guildhall_app::authorize::{Method, Need, Proof, Row, row};
use guildhall_model::Permissions;
use guildhall_wire::error::ErrorBody;
use guildhall_wire::native::{DirectChannel, NativePermissions};
use http::StatusCode;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa::{OpenApi as _, ToSchema as _};

use crate::Api;
use crate::reply::json_response;
use crate::routes::methods;

const PERSON: &str = "access_token";
const BOT: &str = "bot_token";

/// What stands around the routes.
pub(crate) fn frame() -> OpenApi {
    #[derive(utoipa::OpenApi)]
    #[openapi(
        info(
            title = "Guildhall",
            description = "The native dialect: chat servers, channels, messages, roles.",
            license(identifier = "AGPL-3.0-only"),
        ),
        components(schemas(ErrorBody, DirectChannel))
    )]
    struct Frame;

    let mut document = Frame::openapi();
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT");
    components.add_security_scheme(PERSON, SecurityScheme::Http(bearer.build()));
    let bot = ApiKeyValue::with_description("Authorization", "`Bot `, then the bot's token.");
    components.add_security_scheme(BOT, SecurityScheme::ApiKey(ApiKey::Header(bot)));
    document
}

/// The whole document: what the rows say is added to what the handlers say.
pub(crate) fn render(mut document: OpenApi) -> Arc<str> {
    for (path, item) in &mut document.paths.paths {
        let described: Vec<Method> = methods(item).collect();
        for method in described {
            if let (Some(row), Some(operation)) = (row(method, path), operation(item, method)) {
                annotate(operation, row);
            }
        }
    }
    document
        .to_json()
        .expect("a description is always JSON")
        .into()
}

fn operation(item: &mut PathItem, method: Method) -> Option<&mut Operation> {
    match method {
        Method::Get => item.get.as_mut(),
        Method::Post => item.post.as_mut(),
        Method::Put => item.put.as_mut(),
        Method::Delete => item.delete.as_mut(),
    }
}

fn annotate(operation: &mut Operation, row: &Row) {
    let scheme = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    operation.security = match row.need.proof() {
        Proof::Nothing => Some(Vec::new()),
        Proof::Any => Some(vec![scheme(PERSON), scheme(BOT)]),
        Proof::Person => Some(vec![scheme(PERSON)]),
    };
    operation.description = Some(match operation.description.take() {
        Some(text) => format!("{text}\n\nFor {}.", whom(row.need)),
        None => format!("For {}.", whom(row.need)),
    });
    let error = Ref::from_schema_name(ErrorBody::name());
    let content = ContentBuilder::new().schema(Some(error)).build();
    let response = ResponseBuilder::new()
        .description("What is wrong.")
        .content("application/json", content)
        .build();
    operation
        .responses
        .responses
        .insert("default".to_owned(), response.into());
}

/// Whom a need describes, in words.
fn whom(need: Need) -> String {
    match need {
        Need::Nobody => "everybody, without a credential".to_owned(),
        Need::Anyone => "people and bots".to_owned(),
        Need::Person => "people".to_owned(),
        Need::Preview => "members, and for everybody if the server is public".to_owned(),
        Need::Entry => "people with an invite, or without if the server is public".to_owned(),
        Need::Member => "members".to_owned(),
        Need::MemberButOwner => "members other than the owner".to_owned(),
        Need::MemberWith(needed) => format!("members with {}", names(needed)),
        Need::PersonWith(needed) => format!("members with {}, no bots", names(needed)),
        Need::Above(needed) => {
            format!(
                "members with {} who stand above whom or what it concerns",
                names(needed)
            )
        }
        Need::SelfOrAbove { own, others } => format!(
            "oneself with {}; for others with {} and above them",
            names(own),
            names(others)
        ),
        Need::Owner => "the owner".to_owned(),
        Need::Viewer(needed) if needed.is_empty() => "whoever sees the channel".to_owned(),
        Need::Viewer(needed) => format!("whoever sees the channel, with {}", names(needed)),
        Need::Author => "the author".to_owned(),
        Need::OwnOr(needed) => format!("whose own it is, or with {}", names(needed)),
    }
}

fn names(needed: Permissions) -> String {
    NativePermissions::names(needed)
        .collect::<Vec<_>>()
        .join(" and ")
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "description",
    responses((status = 200, description = "An OpenAPI 3.1 document.", body = Object)))]
pub(crate) async fn get_document(State(api): State<Api>) -> Response {
    json_response(StatusCode::OK, api.document.to_string())
}
