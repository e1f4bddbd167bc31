//! Applications.

use guildhall_model::Rejection;
use guildhall_model::text::ApplicationName;
use serde::Deserialize;
use utoipa::ToSchema;

use super::form::{Form, text};
use crate::native::schema;

/// `POST /applications`
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ApplicationCreate {
    #[schema(required, schema_with = schema::application_name)]
    name: Option<String>,
}

impl ApplicationCreate {
    /// The name.
    pub fn parse(self) -> Result<ApplicationName, Rejection> {
        let mut form = Form::default();
        let name = form.required("name", self.name, text(ApplicationName::parse));
        form.finish(|| name)
    }
}
