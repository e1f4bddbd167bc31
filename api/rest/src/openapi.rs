//! `/openapi.json`: the description of every route, made from the routes themselves.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use guildhall_app::authorize::{Method, Need, Proof, Row, row};
use guildhall_model::Permissions;
use guildhall_wire::Spelling;
use guildhall_wire::error::{ErrorBody, JSON_CONTENT_TYPE};
use guildhall_wire::id::UuidText;
use guildhall_wire::native::request::channel::OverwriteInput;
use guildhall_wire::native::{NativePermissions, schema};
use http::StatusCode;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Schema};
use utoipa::{OpenApi as _, ToSchema as _};

use crate::Api;
use crate::reply::json_response;
use crate::routes::methods;

/// Where the description is.
const DOCUMENT: &str = "/openapi.json";
const PERSON: &str = "access_token";
const BOT: &str = "bot_token";

/// What stands around the routes.
pub(crate) fn frame() -> OpenApi {
    #[derive(utoipa::OpenApi)]
    #[openapi(
        info(
            title = "Guildhall",
            description = "The native dialect: chat servers, channels, messages, roles. Ids are also \
                taken in decimal. Fields and parameters that are not described are passed over.",
            license(identifier = "AGPL-3.0-only"),
        ),
        // The list of overwrites has a bound of ours, so its items are not found by derivation.
        components(schemas(ErrorBody, OverwriteInput))
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
pub(crate) fn render(mut document: OpenApi, spelling: Spelling) -> Arc<str> {
    let schemas = document
        .components
        .as_mut()
        .map(|components| &mut components.schemas);
    let id = schemas.and_then(|schemas| schemas.get_mut(&*UuidText::name()));
    if let Some(RefOr::T(Schema::Object(id))) = id {
        id.pattern = Some(spelling.pattern());
    }
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
        Method::Patch => item.patch.as_mut(),
        Method::Delete => item.delete.as_mut(),
    }
}

fn annotate(operation: &mut Operation, row: &Row) {
    let scheme = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    operation.security = match row.need.proof() {
        Proof::Nothing => Some(Vec::new()),
        Proof::Any => Some(vec![scheme(PERSON), scheme(BOT)]),
        Proof::Person => Some(vec![scheme(PERSON)]),
        Proof::Bot => Some(vec![scheme(BOT)]),
    };
    operation.description = Some(match operation.description.take() {
        Some(text) => format!("{text}\n\nFor {}.", whom(row.need)),
        None => format!("For {}.", whom(row.need)),
    });
    let named = parameters(row.path);
    operation
        .parameters
        .get_or_insert_default()
        .extend(named.map(RefOr::T));
    for status in errors(row, operation) {
        let key = status.as_str().to_owned();
        let responses = &mut operation.responses.responses;
        let response = responses.entry(key).or_insert_with(|| {
            let reason = status.canonical_reason().unwrap_or_default();
            ResponseBuilder::new().description(reason).build().into()
        });
        if let RefOr::T(response) = response {
            let error = Ref::from_schema_name(ErrorBody::name());
            let content = ContentBuilder::new().schema(Some(error)).build();
            response
                .content
                .insert(JSON_CONTENT_TYPE.to_owned(), content.into());
        }
    }
}

/// What a path's template names, in order.
fn parameters(path: &str) -> impl Iterator<Item = Parameter> {
    let names = path.split('/').filter_map(|part| part.strip_prefix('{'));
    names.map(|name| name.trim_end_matches('}')).map(|name| {
        let schema = match name {
            "emoji" => schema::emoji().into(),
            "code" => schema::invite_code_in_path().into(),
            _ => RefOr::from(Ref::from_schema_name(UuidText::name())),
        };
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .schema(Some(schema))
            .build()
    })
}

/// The errors that a route answers with: those that its handler names, and those that follow from
/// what it takes and whom it lets in.
fn errors(row: &Row, operation: &Operation) -> BTreeSet<StatusCode> {
    let takes_body = operation.request_body.is_some();
    let takes_query = operation
        .parameters
        .iter()
        .flatten()
        .any(|each| matches!(each, RefOr::T(each) if each.parameter_in == ParameterIn::Query));
    let is_served_from_memory = row.path == DOCUMENT;
    let named = operation.responses.responses.keys();
    let named = named.filter_map(|status| status.parse::<StatusCode>().ok());
    let mut errors: BTreeSet<_> = named.filter(|status| !status.is_success()).collect();
    errors.extend(
        [
            (StatusCode::BAD_REQUEST, takes_body || takes_query),
            (StatusCode::UNAUTHORIZED, row.need.proof() != Proof::Nothing),
            (StatusCode::FORBIDDEN, may_forbid(row.need)),
            (StatusCode::NOT_FOUND, row.path.contains('{')),
            (StatusCode::PAYLOAD_TOO_LARGE, takes_body),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, takes_body),
            (StatusCode::TOO_MANY_REQUESTS, true),
            (StatusCode::INTERNAL_SERVER_ERROR, !is_served_from_memory),
            (StatusCode::SERVICE_UNAVAILABLE, !is_served_from_memory),
            (StatusCode::INSUFFICIENT_STORAGE, row.method != Method::Get),
        ]
        .into_iter()
        .filter(|&(_, applies)| applies)
        .map(|(status, _)| status),
    );
    errors
}

/// Whether somebody may see what a route names and still not be let in.
fn may_forbid(need: Need) -> bool {
    match need {
        Need::Nobody
        | Need::Token
        | Need::Anyone
        | Need::Preview
        | Need::Member
        | Need::MemberButOwner => false,
        Need::Viewer(needed) => !needed.is_empty(),
        Need::Person
        | Need::Bot
        | Need::OwnApplication
        | Need::Entry
        | Need::MemberWith(_)
        | Need::PersonWith(_)
        | Need::PersonWho(_)
        | Need::Above(_)
        | Need::SelfOrAbove { .. }
        | Need::Owner
        | Need::Author
        | Need::OwnOr(_) => true,
    }
}

/// Whom a need describes, in words.
fn whom(need: Need) -> String {
    match need {
        Need::Nobody => "everybody, without a credential".to_owned(),
        Need::Token => "whoever shows the token".to_owned(),
        Need::Anyone => "people and bots".to_owned(),
        Need::Person => "people".to_owned(),
        Need::Bot => "bots".to_owned(),
        Need::OwnApplication => "the application's bot".to_owned(),
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
        Need::PersonWho(needed) if needed.is_empty() => "people who see the channel".to_owned(),
        Need::PersonWho(needed) => {
            format!("people who see the channel, with {}", names(needed))
        }
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
