// A bot on an unmodified discord.js. Only public options point it at the server.

import {
  ActionRowBuilder,
  ButtonBuilder,
  ButtonStyle,
  Client,
  Events,
  GatewayIntentBits,
  Partials,
  version,
} from 'discord.js';
import { download, obey, rest, say, shards, token } from '../lines.mjs';

const client = new Client({
  intents: [
    GatewayIntentBits.Guilds,
    GatewayIntentBits.GuildMembers,
    GatewayIntentBits.GuildPresences,
    GatewayIntentBits.GuildMessages,
    GatewayIntentBits.GuildMessageReactions,
    GatewayIntentBits.MessageContent,
  ],
  // Events about messages that are not in the cache are told too.
  partials: [Partials.Message, Partials.Reaction, Partials.User],
  shards: Array.from({ length: shards }, (_, shard) => shard),
  shardCount: shards,
  rest: { api: rest },
});

client.on(Events.ClientReady, () => {
  const guilds = [...client.guilds.cache.values()].map(({ id, shardId }) => ({ id, shard: shardId }));
  say({ event: 'ready', version, user: client.user.id, guilds });
});
client.on(Events.MessageCreate, ({ id, author, content, channelId }) => {
  say({ event: 'message', message: id, channel: channelId, author: author.id, content });
});
client.on(Events.MessageUpdate, (_, { id, content }) => {
  say({ event: 'edited', message: id, content });
});
client.on(Events.MessageDelete, ({ id }) => say({ event: 'deleted', message: id }));
client.on(Events.MessageReactionAdd, ({ message, emoji }, user) => {
  say({ event: 'reaction', message: message.id, emoji: emoji.name, user: user.id });
});
client.on(Events.PresenceUpdate, (_, { userId, status }) => {
  say({ event: 'presence', user: userId, status });
});
client.on(Events.ShardResume, (shard) => say({ event: 'resumed', shard }));
client.on(Events.Error, (error) => say({ event: 'error', text: String(error) }));
client.on(Events.ShardError, (error) => say({ event: 'error', text: String(error) }));
client.on(Events.InteractionCreate, async (interaction) => {
  if (interaction.isChatInputCommand()) {
    const button = new ButtonBuilder()
      .setCustomId('press')
      .setLabel('Press')
      .setStyle(ButtonStyle.Primary);
    const components = [new ActionRowBuilder().addComponents(button)];
    await interaction.reply({ content: 'pong', components });
    say({ event: 'command', name: interaction.commandName, user: interaction.user.id });
  } else if (interaction.isButton()) {
    await interaction.update({ content: 'pressed', components: [] });
    say({ event: 'button', name: interaction.customId, user: interaction.user.id });
  }
});

const channelOf = (id) => client.channels.fetch(id);
const messageOf = async ({ channel, message }) => (await channelOf(channel)).messages.fetch(message);

obey({
  async guild({ guild }) {
    const { name, ownerId, roles, members, channels } = client.guilds.cache.get(guild);
    return {
      name,
      owner: ownerId,
      roles: roles.cache.map(({ id, name: called, permissions }) => ({
        id,
        name: called,
        permissions: permissions.bitfield.toString(),
      })),
      members: members.cache.map(({ id, roles: has }) => ({
        id,
        roles: [...has.cache.keys()].filter((role) => role !== guild),
      })),
      channels: channels.cache.map(({ id, name: called }) => ({ id, name: called })),
    };
  },
  async send({ channel, content }) {
    return { message: (await (await channelOf(channel)).send(content)).id };
  },
  async reply({ content, ...where }) {
    return { message: (await (await messageOf(where)).reply(content)).id };
  },
  async edit({ content, ...where }) {
    await (await messageOf(where)).edit(content);
  },
  async react({ emoji, ...where }) {
    await (await messageOf(where)).react(emoji);
  },
  async delete(where) {
    await (await messageOf(where)).delete();
  },
  async upload({ channel, name, text }) {
    const files = [{ name, attachment: Buffer.from(text) }];
    const message = await (await channelOf(channel)).send({ content: 'a file', files });
    return { message: message.id };
  },
  async download(where) {
    const file = (await messageOf(where)).attachments.first();
    return { name: file.name, text: await download(file.url) };
  },
  async command({ guild, name }) {
    const made = await client.application.commands.create({ name, description: 'answers' }, guild);
    return { command: made.id };
  },
  async webhook({ channel, name, content }) {
    const webhook = await (await channelOf(channel)).createWebhook({ name });
    const message = await webhook.send(content);
    await webhook.editMessage(message.id, `${content}, edited`);
    return { webhook: webhook.id, message: message.id };
  },
  async members({ guild }) {
    const members = await client.guilds.cache.get(guild).members.fetch();
    return { members: [...members.keys()] };
  },
  async presence({ status, activity }) {
    client.user.setPresence({ status, activities: [{ name: activity }] });
  },
});

await client.login(token);
