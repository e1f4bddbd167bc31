//! Registration, login, refresh, and the own profile.

use std::fmt;

use guildhall_model::command;
use guildhall_model::limits::{EMAIL_CHARS, PASSWORD_CHARS};
use guildhall_model::text::{DisplayName, Email, TextError, Username};
use guildhall_model::{Rejection, user};
use serde::Deserialize;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema, openapi::RefOr};

use super::form::{Form, Wrong, picture, text};
use super::patch::Patch;
use crate::native::schema;
use crate::native::user::Chosen;

/// A text that must not be shown, in logs least of all.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// `POST /auth/register`
#[derive(Default, Deserialize, ToSchema)]
pub struct Register {
    #[schema(required, schema_with = schema::username)]
    username: Option<String>,
    #[schema(required, schema_with = schema::email)]
    email: Option<String>,
    #[schema(required, schema_with = schema::password)]
    password: Option<String>,
}

/// What a person registers with.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the types say it")]
pub struct Registration {
    pub username: Username,
    pub email: Email,
    pub password: Secret,
}

impl Register {
    /// Checks all fields.
    pub fn parse(self) -> Result<Registration, Rejection> {
        let mut form = Form::default();
        let username = form.required("username", self.username, text(Username::parse));
        let email = form.required("email", self.email, text(Email::parse));
        let password = form.required("password", self.password, new_password);
        form.finish(|| {
            Some(Registration {
                username: username?,
                email: email?,
                password: password?,
            })
        })
    }
}

fn new_password(raw: String) -> Result<Secret, TextError> {
    let (min, max) = PASSWORD_CHARS;
    match raw.chars().count() {
        n if n < min => Err(TextError::TooShort { min }),
        n if max < n => Err(TextError::TooLong { max }),
        _ => Ok(Secret(raw)),
    }
}

/// `POST /auth/login`, with either name.
#[derive(Default, Deserialize)]
pub struct Login {
    email: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

impl PartialSchema for Login {
    fn schema() -> RefOr<Schema> {
        let by = |name: &str| {
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .property(name, schema::login_name())
                .required(name)
                .property("password", schema::presented_password())
                .required("password")
        };
        let either = AnyOfBuilder::new().item(by("email")).item(by("username"));
        Schema::AnyOf(either.build()).into()
    }
}

impl ToSchema for Login {}

/// What a person logs in with.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// An address or a username.
    pub name: String,
    /// Not yet compared with anything.
    pub password: Secret,
}

impl Login {
    /// Checks that a name and a password are there and no longer than any that was registered.
    pub fn parse(self) -> Result<Credentials, Rejection> {
        let mut form = Form::default();
        let path = if self.email.is_none() && self.username.is_some() {
            "username"
        } else {
            "email"
        };
        let name = form.required(path, self.email.or(self.username), |raw| {
            bounded(raw, EMAIL_CHARS.1).map(|name| name.trim().to_owned())
        });
        let password = form.required("password", self.password, |raw| {
            bounded(raw, PASSWORD_CHARS.1).map(Secret)
        });
        form.finish(|| {
            Some(Credentials {
                name: name?,
                password: password?,
            })
        })
    }
}

fn bounded(raw: String, max: usize) -> Result<String, TextError> {
    if max < raw.chars().count() {
        return Err(TextError::TooLong { max });
    }
    Ok(raw)
}

/// `POST /auth/refresh`
#[derive(Default, Deserialize, ToSchema)]
pub struct Refresh {
    #[schema(required, nullable = false)]
    refresh_token: Option<String>,
}

impl Refresh {
    /// The token, as it was sent.
    pub fn parse(self) -> Result<Secret, Rejection> {
        let mut form = Form::default();
        let token = form.required("refresh_token", self.refresh_token, Ok::<_, Wrong>);
        form.finish(|| token.map(Secret))
    }
}

/// `PUT /users/me`
#[derive(Default, Deserialize, ToSchema)]
pub struct ProfileUpdate {
    #[serde(default)]
    #[schema(required = false, schema_with = schema::username)]
    username: Patch<String>,
    #[serde(default)]
    #[schema(required = false, schema_with = schema::display_name)]
    display_name: Patch<String>,
    #[serde(default)]
    #[schema(required = false, schema_with = schema::picture)]
    avatar_url: Patch<String>,
    #[serde(default)]
    #[schema(value_type = Chosen, required = false)]
    status: Patch<Chosen>,
    #[serde(default)]
    #[schema(required = false, schema_with = schema::email)]
    email: Patch<String>,
}

impl ProfileUpdate {
    /// Checks all fields.
    pub fn parse(self) -> Result<command::ProfileUpdate, Rejection> {
        let mut form = Form::default();
        let update = command::ProfileUpdate {
            username: form.kept("username", self.username, text(Username::parse)),
            display_name: form.removable(
                "display_name",
                self.display_name,
                text(DisplayName::parse),
            ),
            avatar: form.removable("avatar_url", self.avatar_url, picture),
            status: form.kept("status", self.status, |chosen| {
                Ok::<_, Wrong>(user::Status::from(chosen))
            }),
            email: form.kept("email", self.email, text(Email::parse)),
        };
        form.finish(|| Some(update))
    }
}
