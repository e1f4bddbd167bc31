//! Embeds as bots send them.

use guildhall_model::message::embed::{Author, Embed, Field, Footer};
use serde::Deserialize;

use super::input::{between, instant};
use crate::native::request::form::{Form, Wrong};
use crate::native::request::object::Object;
use crate::native::request::whole::Whole;

const COLOR_MAX: i64 = 0x00FF_FFFF;

/// One box. What Discord fills in itself (`type`, `provider`, `video`) is passed over.
#[derive(Debug, Default, Deserialize)]
pub(super) struct EmbedInput {
    title: Option<String>,
    description: Option<String>,
    url: Option<String>,
    timestamp: Option<String>,
    color: Option<Whole>,
    footer: Option<Object<FooterInput>>,
    image: Option<Object<Picture>>,
    thumbnail: Option<Object<Picture>>,
    author: Option<Object<AuthorInput>>,
    fields: Option<Vec<Object<FieldInput>>>,
}

#[derive(Debug, Deserialize)]
struct FooterInput {
    text: Option<String>,
    icon_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Picture {
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct AuthorInput {
    name: Option<String>,
    url: Option<String>,
    icon_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct FieldInput {
    name: Option<String>,
    value: Option<String>,
    inline: Option<bool>,
}

/// All boxes of a message. Bounds are the model's to check.
pub(super) fn embeds(inputs: Vec<Object<EmbedInput>>, form: &mut Form) -> Vec<Embed> {
    let numbered = inputs.into_iter().enumerate();
    let embeds: Vec<Embed> = numbered
        .map(|(n, Object(input))| input.parse(&format!("embeds.{n}"), form))
        .collect();
    form.extend(guildhall_model::message::embed::check(&embeds));
    embeds
}

impl EmbedInput {
    fn parse(self, at: &str, form: &mut Form) -> Embed {
        let timestamp = form.optional(&format!("{at}.timestamp"), self.timestamp, instant);
        let color = self.color;
        let color = form.optional(&format!("{at}.color"), color, between(0, COLOR_MAX));
        let footer = self.footer.and_then(|Object(footer)| {
            let text = required(form, at, "footer.text", footer.text)?;
            let icon_url = some(footer.icon_url);
            Some(Footer { text, icon_url })
        });
        let author = self.author.and_then(|Object(author)| {
            let name = required(form, at, "author.name", author.name)?;
            Some(Author {
                name,
                url: some(author.url),
                icon_url: some(author.icon_url),
            })
        });
        let fields = self.fields.into_iter().flatten().enumerate();
        let fields = fields.filter_map(|(n, Object(field))| {
            let name = required(form, at, &format!("fields.{n}.name"), field.name);
            let value = required(form, at, &format!("fields.{n}.value"), field.value);
            Some(Field {
                name: name?,
                value: value?,
                inline: field.inline.unwrap_or(false),
            })
        });
        let fields = fields.collect();
        let picture = |input: Option<Object<Picture>>| some(input?.0.url);
        Embed {
            title: some(self.title),
            description: some(self.description),
            url: some(self.url),
            timestamp,
            color,
            footer,
            image: picture(self.image),
            thumbnail: picture(self.thumbnail),
            author,
            fields,
        }
    }
}

fn required(form: &mut Form, at: &str, field: &str, text: Option<String>) -> Option<String> {
    form.required(&format!("{at}.{field}"), some(text), Ok::<_, Wrong>)
}

/// To Discord an empty text is none.
fn some(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
