//! What a path names: ids in either spelling, emoji, invite codes.
//!
//! A segment that cannot be an id is answered like an id that does not exist.

use axum::extract::{FromRequestParts, RawPathParams};
use guildhall_app::Secret;
use guildhall_model::attachment::FileName;
use guildhall_model::channel::OverwriteTarget;
use guildhall_model::command::AnswerRef;
use guildhall_model::id::kind;
use guildhall_model::limits::INVITE_CODE_CHARS_MAX;
use guildhall_model::message::Emoji;
use guildhall_model::picture::PictureHash;
use guildhall_model::rejection::Noun;
use guildhall_model::{EmojiId, Id, Rejection};
use guildhall_wire::file_url::picture_stem;
use guildhall_wire::{Spelling, emoji_text};
use http::request::Parts;

use crate::Api;
use crate::error::ApiError;

/// The parameters of a path, in order.
#[derive(Clone, Debug)]
pub(crate) struct Path<T>(pub(crate) T);

/// One parameter of a path.
pub(crate) trait Segment: Sized {
    /// Reads the text of the segment after percent-decoding.
    fn read(text: &str, spelling: &Spelling) -> Result<Self, Rejection>;
}

/// All parameters of a path.
pub(crate) trait Segments: Sized {
    fn read<'a>(
        texts: impl Iterator<Item = &'a str>,
        spelling: &Spelling,
    ) -> Result<Self, Rejection>;
}

/// What a client is told when an id of this kind names nothing.
pub(crate) trait Named {
    const NOUN: Noun;
}

macro_rules! nouns {
    ($($kind:ident),*) => {$(
        impl Named for kind::$kind {
            const NOUN: Noun = Noun::$kind;
        }
    )*};
}
nouns!(
    Application,
    Channel,
    Emoji,
    Guild,
    Message,
    Role,
    User,
    Webhook
);

impl Named for kind::Command {
    const NOUN: Noun = Noun::ApplicationCommand;
}

impl Named for kind::Interaction {
    const NOUN: Noun = Noun::Interaction;
}

impl Named for kind::Attachment {
    // Named in addresses of files only, where all that is wrong is answered alike.
    const NOUN: Noun = Noun::Route;
}

impl<K: Named> Segment for Id<K> {
    fn read(text: &str, spelling: &Spelling) -> Result<Self, Rejection> {
        spelling.parse(text).ok_or(Rejection::Unknown(K::NOUN))
    }
}

impl Segment for Emoji {
    fn read(text: &str, spelling: &Spelling) -> Result<Self, Rejection> {
        emoji_text::read(text, spelling).ok_or(Rejection::Unknown(Noun::Reaction))
    }
}

/// The name of a file, as it stands in its address.
#[derive(Clone, Debug)]
pub(crate) struct FileNameText(pub(crate) String);

impl Segment for FileNameText {
    fn read(text: &str, _: &Spelling) -> Result<Self, Rejection> {
        // What we would not have written cannot be signed; nor may it come into a header.
        if FileName::clean(text).as_str() != text {
            return Err(Rejection::Unknown(Noun::Route));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The name of a picture, as it stands in its address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PictureName(pub(crate) PictureHash);

impl Segment for PictureName {
    fn read(text: &str, _: &Spelling) -> Result<Self, Rejection> {
        let hash = picture_stem(text).and_then(PictureHash::parse);
        hash.map(Self).ok_or(Rejection::Unknown(Noun::Route))
    }
}

/// The name of the picture of an emoji, as it stands in its address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EmojiName(pub(crate) EmojiId);

impl Segment for EmojiName {
    fn read(text: &str, spelling: &Spelling) -> Result<Self, Rejection> {
        let id = picture_stem(text).and_then(|stem| spelling.parse(stem));
        id.map(Self).ok_or(Rejection::Unknown(Noun::Route))
    }
}

/// The code of an invite.
#[derive(Clone, Debug)]
pub(crate) struct Code(pub(crate) String);

impl Segment for Code {
    fn read(text: &str, _: &Spelling) -> Result<Self, Rejection> {
        if INVITE_CODE_CHARS_MAX < text.len()
            || !text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err(Rejection::Unknown(Noun::Invite));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Segment for AnswerRef {
    fn read(text: &str, spelling: &Spelling) -> Result<Self, Rejection> {
        match text {
            "@original" => Ok(Self::Original),
            id => Segment::read(id, spelling).map(Self::Message),
        }
    }
}

/// The token of a webhook, as it was shown.
#[derive(Clone, Debug)]
pub(crate) struct Token(pub(crate) Secret);

impl Segment for Token {
    fn read(text: &str, _: &Spelling) -> Result<Self, Rejection> {
        Ok(Self(Secret::new(text)))
    }
}

/// Whom an overwrite may bind that is named by this id: a role or a member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound(pub(crate) [OverwriteTarget; 2]);

impl Segment for Bound {
    fn read(text: &str, spelling: &Spelling) -> Result<Self, Rejection> {
        let role = spelling.parse(text).map(OverwriteTarget::Role);
        let member = spelling.parse(text).map(OverwriteTarget::Member);
        let unknown = Rejection::Unknown(Noun::Overwrite);
        match (role, member) {
            (Some(role), Some(member)) => Ok(Self([role, member])),
            _ => Err(unknown),
        }
    }
}

/// The segment at this place; a template with fewer parameters names nothing.
fn next<'a, T: Segment>(
    texts: &mut impl Iterator<Item = &'a str>,
    spelling: &Spelling,
) -> Result<T, Rejection> {
    let text = texts.next().ok_or(Rejection::Unknown(Noun::Route))?;
    T::read(text, spelling)
}

macro_rules! segments {
    ($($name:ident)*) => {
        impl<$($name: Segment),*> Segments for ($($name,)*) {
            fn read<'a>(
                mut texts: impl Iterator<Item = &'a str>,
                spelling: &Spelling,
            ) -> Result<Self, Rejection> {
                Ok(($(next::<$name>(&mut texts, spelling)?,)*))
            }
        }
    };
}
segments!(A);
segments!(A B);
segments!(A B C);
segments!(A B C D);

impl<T: Segments> FromRequestParts<Api> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, ApiError> {
        let unknown = |_| Rejection::Unknown(Noun::Route);
        let params = RawPathParams::from_request_parts(parts, api)
            .await
            .map_err(unknown)?;
        let texts = params.iter().map(|(_, text)| text);
        Ok(Self(T::read(texts, &api.spelling)?))
    }
}
