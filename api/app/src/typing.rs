//! Telling others that one writes a message.

use guildhall_host::Refused;
use guildhall_model::rejection::Noun;
use guildhall_model::{ChannelId, Permissions, Rejection};
use guildhall_ports::guilds::Home;

use crate::Context;
use crate::channels::Channels;
use crate::guilds::within;

impl Channels<'_> {
    /// Tells those who see the channel that the caller writes a message there. Whoever may send
    /// one may do this.
    pub async fn start_typing(&self, ctx: &Context, id: ChannelId) -> Result<(), Refused> {
        let (app, user) = (self.app, ctx.user_id());
        let unknown = || Rejection::Unknown(Noun::Channel);
        match app.node().home_of(id).await? {
            Some(Home::Guild(guild)) => {
                let view = app.guild_of_member(guild, user).await;
                let view = view.map_err(within(Noun::Channel))?;
                may_send(view.read(|state| state.channel_permissions(user, id, ctx.now)))?;
                app.node().tell_typing(guild, id, user, ctx.now);
                Ok(())
            }
            Some(Home::Direct(direct)) if direct.users.contains(&user) => {
                app.node()
                    .tell_typing_directly(&direct, user, ctx.now)
                    .await;
                Ok(())
            }
            _ => Err(unknown().into()),
        }
    }
}

fn may_send(held: Permissions) -> Result<(), Rejection> {
    if !held.contains(Permissions::VIEW_CHANNEL) {
        Err(Rejection::Unknown(Noun::Channel))
    } else if !held.contains(Permissions::SEND_MESSAGES) {
        Err(Rejection::MissingPermission(Permissions::SEND_MESSAGES))
    } else {
        Ok(())
    }
}
