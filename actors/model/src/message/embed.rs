//! Embeds: boxes of structured text beside a message's content, sent by bots and webhooks.
//!
//! <https://discord.com/developers/docs/resources/message#embed-object>

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::rejection::FieldError;
use crate::time::Timestamp;

/// One box. All parts may be absent, but not all at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the documentation of Discord names them so")]
pub struct Embed {
    pub title: Option<String>,
    pub description: Option<String>,
    pub url: Option<String>,
    pub timestamp: Option<Timestamp>,
    /// 24 bits: red, green, blue.
    pub color: Option<u32>,
    pub footer: Option<Footer>,
    /// The address of a picture.
    pub image: Option<String>,
    /// The address of a small picture.
    pub thumbnail: Option<String>,
    pub author: Option<Author>,
    pub fields: Vec<Field>,
}

/// The last line of a box.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Embed")]
pub struct Footer {
    pub text: String,
    pub icon_url: Option<String>,
}

/// Whom the box is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Embed")]
pub struct Author {
    pub name: String,
    pub url: Option<String>,
    pub icon_url: Option<String>,
}

/// A name with a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "as in Embed")]
pub struct Field {
    pub name: String,
    pub value: String,
    /// Stands beside its neighbours where there is room.
    pub inline: bool,
}

impl Embed {
    /// Nothing would be shown.
    pub fn is_empty(&self) -> bool {
        let Self {
            title,
            description,
            footer,
            image,
            thumbnail,
            author,
            fields,
            url: _,
            timestamp: _,
            color: _,
        } = self;
        title.is_none()
            && description.is_none()
            && footer.is_none()
            && image.is_none()
            && thumbnail.is_none()
            && author.is_none()
            && fields.is_empty()
    }

    /// The characters that count for [`limits::EMBEDS_CHARS_MAX`].
    fn chars(&self) -> usize {
        let fields = self
            .fields
            .iter()
            .flat_map(|field| [&field.name, &field.value]);
        let texts = [self.title.as_ref(), self.description.as_ref()].into_iter();
        texts
            .flatten()
            .chain(self.footer.iter().map(|footer| &footer.text))
            .chain(self.author.iter().map(|author| &author.name))
            .chain(fields)
            .map(|text| text.chars().count())
            .sum()
    }

    fn check(&self, at: &str, errors: &mut Vec<FieldError>) {
        let mut bound = |field: &str, text: Option<&String>, max: usize| {
            if text.is_some_and(|text| max < text.chars().count()) {
                errors.push(too_long(format!("{at}.{field}"), max));
            }
        };
        bound("title", self.title.as_ref(), limits::EMBED_TITLE_CHARS_MAX);
        bound(
            "description",
            self.description.as_ref(),
            limits::EMBED_DESCRIPTION_CHARS_MAX,
        );
        let footer = self.footer.as_ref().map(|footer| &footer.text);
        bound("footer.text", footer, limits::EMBED_FOOTER_CHARS_MAX);
        let author = self.author.as_ref().map(|author| &author.name);
        bound("author.name", author, limits::EMBED_AUTHOR_CHARS_MAX);
        for (n, field) in self.fields.iter().enumerate() {
            let path = |part| format!("fields.{n}.{part}");
            bound(
                &path("name"),
                Some(&field.name),
                limits::EMBED_FIELD_NAME_CHARS_MAX,
            );
            bound(
                &path("value"),
                Some(&field.value),
                limits::EMBED_FIELD_VALUE_CHARS_MAX,
            );
        }
        for (field, url) in self.addresses() {
            if !is_address(url) {
                let message = "must be an http or https address".to_owned();
                errors.push(FieldError {
                    path: format!("{at}.{field}"),
                    code: "invalid_url",
                    message,
                });
            }
        }
        if limits::EMBED_FIELDS_MAX < self.fields.len() {
            errors.push(too_many(format!("{at}.fields"), limits::EMBED_FIELDS_MAX));
        }
        if self.is_empty() {
            errors.push(FieldError {
                path: at.to_owned(),
                code: "required",
                message: "must show something".to_owned(),
            });
        }
    }

    fn addresses(&self) -> impl Iterator<Item = (&'static str, &String)> {
        let footer = self.footer.as_ref().and_then(|it| it.icon_url.as_ref());
        let author = self.author.as_ref();
        let (author_url, author_icon) = (
            author.and_then(|it| it.url.as_ref()),
            author.and_then(|it| it.icon_url.as_ref()),
        );
        [
            ("url", self.url.as_ref()),
            ("image.url", self.image.as_ref()),
            ("thumbnail.url", self.thumbnail.as_ref()),
            ("footer.icon_url", footer),
            ("author.url", author_url),
            ("author.icon_url", author_icon),
        ]
        .into_iter()
        .filter_map(|(field, url)| Some((field, url?)))
    }
}

/// What is wrong with the embeds of one message; nothing, if they may be sent.
pub fn check(embeds: &[Embed]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if limits::EMBEDS_MAX < embeds.len() {
        errors.push(too_many("embeds".to_owned(), limits::EMBEDS_MAX));
        return errors;
    }
    for (n, embed) in embeds.iter().enumerate() {
        embed.check(&format!("embeds.{n}"), &mut errors);
    }
    let chars: usize = embeds.iter().map(Embed::chars).sum();
    if limits::EMBEDS_CHARS_MAX < chars {
        errors.push(too_long("embeds".to_owned(), limits::EMBEDS_CHARS_MAX));
    }
    errors
}

/// Pictures may also be those of the message's own files.
fn is_address(url: &str) -> bool {
    const SCHEMES: [&str; 3] = ["https://", "http://", "attachment://"];
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>\"'`".contains(c);
    let mut rests = SCHEMES.iter().filter_map(|scheme| url.strip_prefix(scheme));
    let is_named = rests.any(|rest| !rest.is_empty() && !rest.starts_with('/'));
    is_named && url.chars().count() <= limits::URL_CHARS_MAX && !url.contains(odd)
}

fn too_long(path: String, max: usize) -> FieldError {
    FieldError {
        path,
        code: "too_long",
        message: format!("must have at most {max} characters"),
    }
}

fn too_many(path: String, max: usize) -> FieldError {
    FieldError {
        path,
        code: "too_many",
        message: format!("must have at most {max} entries"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titled(title: &str) -> Embed {
        Embed {
            title: Some(title.to_owned()),
            ..Embed::default()
        }
    }

    fn paths(embeds: &[Embed]) -> Vec<String> {
        check(embeds).into_iter().map(|error| error.path).collect()
    }

    #[test]
    fn an_embed_within_its_bounds_may_be_sent() {
        let full = Embed {
            image: Some("attachment://cat.png".to_owned()),
            url: Some("https://example.org/".to_owned()),
            ..titled(&"ü".repeat(limits::EMBED_TITLE_CHARS_MAX))
        };
        assert!(check(&[full]).is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        let long = titled(&"x".repeat(limits::EMBED_TITLE_CHARS_MAX + 1));
        let scripted = Embed {
            url: Some("javascript:alert(1)".to_owned()),
            ..titled("x")
        };
        let embeds = [titled("x"), long, Embed::default(), scripted];
        assert_eq!(
            paths(&embeds),
            ["embeds.1.title", "embeds.2", "embeds.3.url"]
        );
    }

    #[test]
    fn all_embeds_together_have_a_bound() {
        let described = |chars: usize| Embed {
            description: Some("x".repeat(chars)),
            ..Embed::default()
        };
        let half = limits::EMBEDS_CHARS_MAX / 2;
        assert!(paths(&[described(half), described(half)]).is_empty());
        assert_eq!(paths(&[described(half), described(half + 1)]), ["embeds"]);
        assert_eq!(
            paths(&vec![titled("x"); limits::EMBEDS_MAX + 1]),
            ["embeds"]
        );
    }
}
