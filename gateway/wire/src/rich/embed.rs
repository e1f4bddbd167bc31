//! Embeds, as messages carry them.

use guildhall_model::message::embed as model;
use serde::Serialize;
use utoipa::ToSchema;

use crate::time::Iso8601;

/// A box beside a message's content. What it does not have is left out, as Discord does.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Embed<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    timestamp: Option<Iso8601>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    color: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    footer: Option<Footer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    image: Option<Picture<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    thumbnail: Option<Picture<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    author: Option<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    fields: Vec<Field<'a>>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EmbedFooter)]
struct Footer<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    icon_url: Option<&'a str>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EmbedPicture)]
struct Picture<'a> {
    url: &'a str,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EmbedAuthor)]
struct Author<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    icon_url: Option<&'a str>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = EmbedField)]
struct Field<'a> {
    name: &'a str,
    value: &'a str,
    inline: bool,
}

impl<'a> Embed<'a> {
    /// The box as both dialects show it.
    pub fn new(embed: &'a model::Embed) -> Self {
        let picture = |url: &'a Option<String>| url.as_deref().map(|url| Picture { url });
        let fields = embed.fields.iter().map(|field| Field {
            name: &field.name,
            value: &field.value,
            inline: field.inline,
        });
        Self {
            r#type: "rich",
            title: embed.title.as_deref(),
            description: embed.description.as_deref(),
            url: embed.url.as_deref(),
            timestamp: embed.timestamp.map(Iso8601),
            color: embed.color,
            footer: embed.footer.as_ref().map(|footer| Footer {
                text: &footer.text,
                icon_url: footer.icon_url.as_deref(),
            }),
            image: picture(&embed.image),
            thumbnail: picture(&embed.thumbnail),
            author: embed.author.as_ref().map(|author| Author {
                name: &author.name,
                url: author.url.as_deref(),
                icon_url: author.icon_url.as_deref(),
            }),
            fields: fields.collect(),
        }
    }
}
