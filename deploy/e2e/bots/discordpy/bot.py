"""A bot on an unmodified discord.py. Only names that its documentation leaves open are assigned."""

import io

import discord
import yarl

from lines import GATEWAY, REST, SHARDS, TOKEN, obey, say

# The two addresses that the library has no option for.
discord.http.Route.BASE = f"{REST}/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(GATEWAY)

INTENTS = discord.Intents.none()
INTENTS.guilds = INTENTS.members = INTENTS.presences = True
INTENTS.guild_messages = INTENTS.guild_reactions = INTENTS.message_content = True


class Press(discord.ui.View):
    """The button under the command's answer."""

    @discord.ui.button(label="Press", custom_id="press", style=discord.ButtonStyle.primary)
    async def press(self, interaction, button):
        await interaction.response.edit_message(content="pressed", view=None)
        say(event="button", name=button.custom_id, user=str(interaction.user.id))


class Events:
    """What is told to the runner; mixed into a client with or without shards."""

    async def setup_hook(self):
        self.tree = discord.app_commands.CommandTree(self)
        self.listening = self.loop.create_task(obey(self))

    async def on_ready(self):
        guilds = [{"id": str(guild.id), "shard": guild.shard_id} for guild in self.guilds]
        say(event="ready", version=discord.__version__, user=str(self.user.id), guilds=guilds)

    async def on_message(self, message):
        say(
            event="message",
            message=str(message.id),
            channel=str(message.channel.id),
            author=str(message.author.id),
            content=message.content,
        )

    async def on_raw_message_edit(self, edit):
        say(event="edited", message=str(edit.message_id), content=edit.message.content)

    async def on_raw_message_delete(self, gone):
        say(event="deleted", message=str(gone.message_id))

    async def on_raw_reaction_add(self, given):
        emoji, user = given.emoji.name, str(given.user_id)
        say(event="reaction", message=str(given.message_id), emoji=emoji, user=user)

    async def on_presence_update(self, _, member):
        say(event="presence", user=str(member.id), status=str(member.status))

    async def on_resumed(self):
        say(event="resumed", shard=None)

    async def on_shard_resumed(self, shard):
        say(event="resumed", shard=shard)


class Commands:
    """What the runner may ask for."""

    async def guild(self, guild):
        guild = self.get_guild(int(guild))
        return {
            "name": guild.name,
            "owner": str(guild.owner_id),
            "roles": [
                {"id": str(role.id), "name": role.name, "permissions": str(role.permissions.value)}
                for role in guild.roles
            ],
            "members": [
                {
                    "id": str(member.id),
                    "roles": [str(role.id) for role in member.roles if not role.is_default()],
                }
                for member in guild.members
            ],
            "channels": [{"id": str(channel.id), "name": channel.name} for channel in guild.channels],
        }

    def _message(self, channel, message):
        return self.get_channel(int(channel)).get_partial_message(int(message))

    async def send(self, channel, content):
        return {"message": str((await self.get_channel(int(channel)).send(content)).id)}

    async def reply(self, channel, message, content):
        return {"message": str((await self._message(channel, message).reply(content)).id)}

    async def edit(self, channel, message, content):
        await self._message(channel, message).edit(content=content)

    async def react(self, channel, message, emoji):
        await self._message(channel, message).add_reaction(emoji)

    async def delete(self, channel, message):
        await self._message(channel, message).delete()

    async def upload(self, channel, name, text):
        file = discord.File(io.BytesIO(text.encode()), filename=name)
        message = await self.get_channel(int(channel)).send("a file", file=file)
        return {"message": str(message.id)}

    async def download(self, channel, message):
        message = await self._message(channel, message).fetch()
        file = message.attachments[0]
        return {"name": file.filename, "text": (await file.read()).decode()}

    async def command(self, guild, name):
        guild = discord.Object(int(guild))

        async def answer(interaction: discord.Interaction):
            await interaction.response.send_message("pong", view=Press())
            say(event="command", name=interaction.command.name, user=str(interaction.user.id))

        command = discord.app_commands.Command(name=name, description="answers", callback=answer)
        self.tree.add_command(command, guild=guild)
        return {"command": str((await self.tree.sync(guild=guild))[0].id)}

    async def webhook(self, channel, name, content):
        webhook = await self.get_channel(int(channel)).create_webhook(name=name)
        message = await webhook.send(content, wait=True)
        await webhook.edit_message(message.id, content=f"{content}, edited")
        return {"webhook": str(webhook.id), "message": str(message.id)}

    async def members(self, guild):
        members = await self.get_guild(int(guild)).chunk(cache=False)
        return {"members": [str(member.id) for member in members]}

    async def presence(self, status, activity):
        await self.change_presence(
            status=discord.Status(status), activity=discord.Game(name=activity)
        )


class Bot(Commands, Events, discord.Client):
    pass


class ShardedBot(Commands, Events, discord.AutoShardedClient):
    pass


if SHARDS == 1:
    bot = Bot(intents=INTENTS)
else:
    bot = ShardedBot(intents=INTENTS, shard_count=SHARDS)
bot.run(TOKEN)
