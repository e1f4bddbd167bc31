"""A bot on an unmodified hikari. Only public options point it at the server."""

import asyncio

import hikari

from lines import REST, SHARDS, TOKEN, obey, say

bot = hikari.GatewayBot(
    TOKEN,
    rest_url=f"{REST}/v10",
    banner=None,
    intents=hikari.Intents.GUILDS
    | hikari.Intents.GUILD_MEMBERS
    | hikari.Intents.GUILD_PRESENCES
    | hikari.Intents.GUILD_MESSAGES
    | hikari.Intents.GUILD_MESSAGE_REACTIONS
    | hikari.Intents.MESSAGE_CONTENT,
)
# The guilds that READY named and that have not come yet.
awaited = set()
has_started = False
listening = None


def tell_ready():
    global has_started
    if has_started or awaited or len(bot.shards) != SHARDS:
        return
    has_started = True
    guilds = [
        {"id": str(id), "shard": hikari.snowflakes.calculate_shard_id(SHARDS, id)}
        for id in bot.cache.get_guilds_view()
    ]
    version = hikari.__version__
    say(event="ready", version=version, user=str(bot.get_me().id), guilds=guilds)


@bot.listen()
async def on_shard_ready(event: hikari.ShardReadyEvent):
    awaited.update(event.unavailable_guilds)
    awaited.difference_update(bot.cache.get_available_guilds_view())


@bot.listen()
async def on_started(_: hikari.StartedEvent):
    global listening
    listening = asyncio.create_task(obey(Commands()))
    tell_ready()


@bot.listen()
async def on_guild(event: hikari.GuildAvailableEvent):
    awaited.discard(event.guild_id)
    if bot.is_alive:
        tell_ready()


@bot.listen()
async def on_message(event: hikari.MessageCreateEvent):
    say(
        event="message",
        message=str(event.message_id),
        channel=str(event.channel_id),
        author=str(event.author_id),
        content=event.content or "",
    )


@bot.listen()
async def on_edit(event: hikari.MessageUpdateEvent):
    say(event="edited", message=str(event.message_id), content=event.message.content)


@bot.listen()
async def on_delete(event: hikari.MessageDeleteEvent):
    say(event="deleted", message=str(event.message_id))


@bot.listen()
async def on_reaction(event: hikari.ReactionAddEvent):
    user = str(event.user_id)
    say(event="reaction", message=str(event.message_id), emoji=str(event.emoji_name), user=user)


@bot.listen()
async def on_presence(event: hikari.PresenceUpdateEvent):
    say(event="presence", user=str(event.user_id), status=str(event.presence.visible_status))


@bot.listen()
async def on_resumed(event: hikari.ShardResumedEvent):
    say(event="resumed", shard=event.shard.id)


@bot.listen()
async def on_interaction(event: hikari.InteractionCreateEvent):
    interaction = event.interaction
    user = str(interaction.user.id)
    if isinstance(interaction, hikari.CommandInteraction):
        row = bot.rest.build_message_action_row()
        row.add_interactive_button(hikari.ButtonStyle.PRIMARY, "press", label="Press")
        await interaction.create_initial_response(
            hikari.ResponseType.MESSAGE_CREATE, "pong", component=row
        )
        say(event="command", name=interaction.command_name, user=user)
    elif isinstance(interaction, hikari.ComponentInteraction):
        await interaction.create_initial_response(
            hikari.ResponseType.MESSAGE_UPDATE, "pressed", components=[]
        )
        say(event="button", name=interaction.custom_id, user=user)


class Commands:
    """What the runner may ask for."""

    async def guild(self, guild):
        guild = bot.cache.get_guild(int(guild))
        return {
            "name": guild.name,
            "owner": str(guild.owner_id),
            "roles": [
                {"id": str(role.id), "name": role.name, "permissions": str(int(role.permissions))}
                for role in guild.get_roles().values()
            ],
            "members": [
                {
                    "id": str(member.id),
                    "roles": [str(role) for role in member.role_ids if role != guild.id],
                }
                for member in guild.get_members().values()
            ],
            "channels": [
                {"id": str(channel.id), "name": channel.name}
                for channel in guild.get_channels().values()
            ],
        }

    async def send(self, channel, content):
        return {"message": str((await bot.rest.create_message(int(channel), content)).id)}

    async def reply(self, channel, message, content):
        sent = await bot.rest.create_message(int(channel), content, reply=int(message))
        return {"message": str(sent.id)}

    async def edit(self, channel, message, content):
        await bot.rest.edit_message(int(channel), int(message), content)

    async def react(self, channel, message, emoji):
        await bot.rest.add_reaction(int(channel), int(message), emoji)

    async def delete(self, channel, message):
        await bot.rest.delete_message(int(channel), int(message))

    async def upload(self, channel, name, text):
        file = hikari.Bytes(text.encode(), name)
        sent = await bot.rest.create_message(int(channel), "a file", attachment=file)
        return {"message": str(sent.id)}

    async def download(self, channel, message):
        file = (await bot.rest.fetch_message(int(channel), int(message))).attachments[0]
        return {"name": file.filename, "text": (await file.read()).decode()}

    async def command(self, guild, name):
        application = await bot.rest.fetch_application()
        made = await bot.rest.create_slash_command(
            application.id, name, "answers", guild=int(guild)
        )
        return {"command": str(made.id)}

    async def webhook(self, channel, name, content):
        webhook = await bot.rest.create_webhook(int(channel), name)
        message = await webhook.execute(content)
        await webhook.edit_message(message, f"{content}, edited")
        return {"webhook": str(webhook.id), "message": str(message.id)}

    async def members(self, guild):
        heard = []
        nonce = "all-of-them"
        with bot.stream(hikari.MemberChunkEvent, timeout=10) as chunks:
            await bot.request_guild_members(int(guild), nonce=nonce)
            async for chunk in chunks:
                if chunk.nonce != nonce:
                    continue
                heard += [str(member.id) for member in chunk]
                if chunk.chunk_index + 1 == chunk.chunk_count:
                    break
        return {"members": heard}

    async def presence(self, status, activity):
        await bot.update_presence(
            status=hikari.Status(status), activity=hikari.Activity(name=activity)
        )


bot.run(shard_count=SHARDS)
