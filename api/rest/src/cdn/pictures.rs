//! Pictures of users, guilds and emojis, at the paths where Discord's libraries look for them.
//!
//! The picture that is stored is answered, with its own type, whatever ending and `size` are asked
//! for: nothing is converted.

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use guildhall_app::Failure;
use guildhall_app::uploads::FoundFile;
use guildhall_model::picture::{ImageFormat, PictureHash};
use guildhall_model::rejection::Noun;
use guildhall_model::{GuildId, Rejection, UserId};
use guildhall_wire::file_url::{AVATAR_PATH, EMOJI_PATH, ICON_PATH};
use http::HeaderMap;

use crate::Api;
use crate::error::ApiError;
use crate::path::{EmojiName, Path, PictureName};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route(AVATAR_PATH, get(get_avatar))
        .route(ICON_PATH, get(get_icon))
        .route(EMOJI_PATH, get(get_emoji))
}

async fn get_avatar(
    State(api): State<Api>,
    path: Result<Path<(UserId, PictureName)>, ApiError>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path((user, PictureName(hash))) = path.map_err(|_| unknown())?;
    let found = api.app.pictures().find(user.get(), hash).await;
    of_hash(hash, found, &headers).await
}

async fn get_icon(
    State(api): State<Api>,
    path: Result<Path<(GuildId, PictureName)>, ApiError>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path((guild, PictureName(hash))) = path.map_err(|_| unknown())?;
    let found = api.app.pictures().find(guild.get(), hash).await;
    of_hash(hash, found, &headers).await
}

async fn get_emoji(
    State(api): State<Api>,
    path: Result<Path<(EmojiName,)>, ApiError>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Path((EmojiName(id),)) = path.map_err(|_| unknown())?;
    let found = api.app.pictures().find_emoji(id).await;
    answer(&id.to_string(), found, &headers).await
}

async fn of_hash(
    hash: PictureHash,
    found: Result<Option<FoundFile>, Failure>,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    answer(&hash.to_string(), found, headers).await
}

/// The picture that was found under a name of ours.
async fn answer(
    name: &str,
    found: Result<Option<FoundFile>, Failure>,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let file = found?.ok_or_else(unknown)?;
    let ending = ImageFormat::named(&file.media_type).map_or("bin", ImageFormat::ending);
    let tag = format!("\"{name}\"");
    super::answer(&file, headers, &tag, &format!("{name}.{ending}")).await
}

/// All that is wrong with an address is answered alike.
fn unknown() -> ApiError {
    Rejection::Unknown(Noun::Route).into()
}
