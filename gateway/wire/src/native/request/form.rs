//! Collects every wrong field of a body before it is refused.

use std::borrow::Cow;

use guildhall_model::picture::Picture;
use guildhall_model::rejection::FieldError;
use guildhall_model::text::{PictureUrl, TextError};
use guildhall_model::{Id, Rejection};

use super::patch::Patch;
use super::whole::Whole;
use crate::id::Spelling;
use crate::native::permission::NativePermissions;

/// Wrong fields that are reported; a body may hold thousands.
const REPORTED_MAX: usize = 50;

/// What is wrong with a field, before it is known where it stands.
pub(crate) struct Wrong {
    code: &'static str,
    message: Cow<'static, str>,
}

impl Wrong {
    pub(crate) fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

#[cfg(test)]
impl Wrong {
    pub(crate) const fn code(&self) -> &'static str {
        self.code
    }
}

impl From<TextError> for Wrong {
    fn from(error: TextError) -> Self {
        let field = error.at("");
        Self::new(field.code, field.message)
    }
}

/// The errors of one body so far.
#[derive(Default)]
pub(crate) struct Form {
    errors: Vec<FieldError>,
}

impl Form {
    /// A field that must be there.
    pub(crate) fn required<T, U, E: Into<Wrong>>(
        &mut self,
        path: &str,
        value: Option<T>,
        check: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<U> {
        if value.is_none() {
            self.note(path, Wrong::new("required", "is required"));
        }
        self.optional(path, value, check)
    }

    /// A field that may be left out or `null`.
    pub(crate) fn optional<T, U, E: Into<Wrong>>(
        &mut self,
        path: &str,
        value: Option<T>,
        check: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<U> {
        match check(value?) {
            Ok(checked) => Some(checked),
            Err(error) => {
                self.note(path, error.into());
                None
            }
        }
    }

    /// A field of an update whose value can be replaced but not removed.
    pub(crate) fn kept<T, U, E: Into<Wrong>>(
        &mut self,
        path: &str,
        value: Patch<T>,
        check: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<U> {
        match value {
            Patch::Absent => None,
            Patch::Null => {
                self.note(path, Wrong::new("required", "must not be null"));
                None
            }
            Patch::Value(given) => self.optional(path, Some(given), check),
        }
    }

    /// A field of an update whose value can be removed.
    #[expect(
        clippy::option_option,
        reason = "so the model tells leaving from removing"
    )]
    pub(crate) fn removable<T, U, E: Into<Wrong>>(
        &mut self,
        path: &str,
        value: Patch<T>,
        check: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<Option<U>> {
        match value {
            Patch::Absent => None,
            Patch::Null => Some(None),
            Patch::Value(given) => self.optional(path, Some(given), check).map(Some),
        }
    }

    /// Notes a field that is wrong.
    pub(crate) fn note(&mut self, path: &str, wrong: Wrong) {
        if self.errors.len() < REPORTED_MAX {
            self.errors.push(FieldError {
                path: path.to_owned(),
                code: wrong.code,
                message: wrong.message.into_owned(),
            });
        }
    }

    /// Notes what a rule of the model finds wrong.
    pub(crate) fn extend(&mut self, errors: Vec<FieldError>) {
        let room = REPORTED_MAX.saturating_sub(self.errors.len());
        self.errors.extend(errors.into_iter().take(room));
    }

    /// The body's meaning, which `build` has unless an error was noted.
    pub(crate) fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Rejection> {
        if self.errors.is_empty() {
            Ok(build().expect("a field is missing only where an error was noted"))
        } else {
            Err(Rejection::Invalid(self.errors))
        }
    }
}

/// A check for a text that a parser of the model reads.
pub(crate) fn text<T>(
    parse: fn(&str) -> Result<T, TextError>,
) -> impl FnOnce(String) -> Result<T, Wrong> {
    move |raw| parse(&raw).map_err(Wrong::from)
}

/// A check for the address of a picture.
pub(crate) fn picture(raw: String) -> Result<Picture, Wrong> {
    text(PictureUrl::parse)(raw).map(Picture::from)
}

/// A check for an id in either spelling.
pub(crate) fn id<K>(spelling: &Spelling) -> impl FnOnce(String) -> Result<Id<K>, Wrong> {
    move |raw| {
        let wrong = || Wrong::new("invalid_id", "must be an id of this installation");
        spelling.parse(&raw).ok_or_else(wrong)
    }
}

/// A check for a whole number from 0 to `max`.
pub(crate) fn up_to<T: TryFrom<i64>>(max: i64) -> impl FnOnce(Whole) -> Result<T, Wrong> {
    move |Whole(number)| {
        let wrong = || Wrong::new("out_of_range", format!("must be from 0 to {max}"));
        let number = if number <= max { number } else { -1 };
        T::try_from(number).map_err(|_| wrong())
    }
}

/// A check for the specification's permission numbers.
pub(crate) fn permissions(Whole(number): Whole) -> Result<NativePermissions, Wrong> {
    let wrong = || Wrong::new("unknown_permission", "must hold known permission bits only");
    let number = u64::try_from(number).map_err(|_| wrong())?;
    NativePermissions::parse(number).ok_or_else(wrong)
}
