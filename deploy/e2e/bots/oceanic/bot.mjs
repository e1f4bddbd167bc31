// A bot on an unmodified oceanic.js. Only public options point it at the server.

import {
  ApplicationCommandTypes,
  ButtonStyles,
  Client,
  ComponentTypes,
  InteractionTypes,
  VERSION,
} from 'oceanic.js';
import { download, obey, rest, say, shards, token } from '../lines.mjs';

const client = new Client({
  auth: `Bot ${token}`,
  gateway: {
    intents: [
      'GUILDS',
      'GUILD_MEMBERS',
      'GUILD_PRESENCES',
      'GUILD_MESSAGES',
      'GUILD_MESSAGE_REACTIONS',
      'MESSAGE_CONTENT',
    ],
    maxShards: shards,
  },
  rest: { baseURL: `${rest}/v10` },
});

// A guild of READY is in the cache when its GUILD_CREATE has come; `ready` waits for all of them.
client.on('ready', () => {
  const guilds = client.guilds.map(({ id, shard }) => ({ id, shard: shard.id }));
  say({ event: 'ready', version: VERSION, user: client.user.id, guilds });
});
client.on('messageCreate', ({ id, channelID, author, content }) => {
  say({ event: 'message', message: id, channel: channelID, author: author.id, content });
});
client.on('messageUpdate', ({ id, content }) => say({ event: 'edited', message: id, content }));
client.on('messageDelete', ({ id }) => say({ event: 'deleted', message: id }));
client.on('messageReactionAdd', (message, reactor, { emoji }) => {
  say({ event: 'reaction', message: message.id, emoji: emoji.name, user: reactor.id });
});
client.on('presenceUpdate', (_, member, { status }) => {
  say({ event: 'presence', user: member.id, status });
});
client.on('shardResume', (shard) => say({ event: 'resumed', shard }));
client.on('error', (error) => say({ event: 'error', text: String(error) }));
client.on('warn', (text) => say({ event: 'warning', text }));
client.on('interactionCreate', async (interaction) => {
  if (interaction.type === InteractionTypes.APPLICATION_COMMAND) {
    const button = {
      type: ComponentTypes.BUTTON,
      customID: 'press',
      label: 'Press',
      style: ButtonStyles.PRIMARY,
    };
    const components = [{ type: ComponentTypes.ACTION_ROW, components: [button] }];
    await interaction.createMessage({ content: 'pong', components });
    say({ event: 'command', name: interaction.data.name, user: interaction.user.id });
  } else if (interaction.type === InteractionTypes.MESSAGE_COMPONENT) {
    await interaction.editParent({ content: 'pressed', components: [] });
    say({ event: 'button', name: interaction.data.customID, user: interaction.user.id });
  }
});

const { channels, webhooks, applications } = client.rest;

obey({
  async guild({ guild }) {
    const { name, ownerID, roles, members, channels: rooms } = client.guilds.get(guild);
    return {
      name,
      owner: ownerID,
      roles: roles.map(({ id, name: called, permissions }) => ({
        id,
        name: called,
        permissions: permissions.allow.toString(),
      })),
      members: members.map(({ id, roles: has }) => ({ id, roles: has })),
      channels: rooms.map(({ id, name: called }) => ({ id, name: called })),
    };
  },
  async send({ channel, content }) {
    return { message: (await channels.createMessage(channel, { content })).id };
  },
  async reply({ channel, message, content }) {
    const wanted = { content, messageReference: { messageID: message } };
    return { message: (await channels.createMessage(channel, wanted)).id };
  },
  async edit({ channel, message, content }) {
    await channels.editMessage(channel, message, { content });
  },
  async react({ channel, message, emoji }) {
    await channels.createReaction(channel, message, emoji);
  },
  async delete({ channel, message }) {
    await channels.deleteMessage(channel, message);
  },
  async upload({ channel, name, text }) {
    const files = [{ name, contents: Buffer.from(text) }];
    return { message: (await channels.createMessage(channel, { content: 'a file', files })).id };
  },
  async download({ channel, message }) {
    const [file] = [...(await channels.getMessage(channel, message)).attachments.values()];
    return { name: file.filename, text: await download(file.url) };
  },
  async command({ guild, name }) {
    const wanted = { type: ApplicationCommandTypes.CHAT_INPUT, name, description: 'answers' };
    const made = await applications.createGuildCommand(client.application.id, guild, wanted);
    return { command: made.id };
  },
  async webhook({ channel, name, content }) {
    const { id, token: secret } = await webhooks.create(channel, { name });
    const message = await webhooks.execute(id, secret, { content, wait: true });
    await webhooks.editMessage(id, secret, message.id, { content: `${content}, edited` });
    return { webhook: id, message: message.id };
  },
  async members({ guild }) {
    const members = await client.guilds.get(guild).fetchMembers();
    return { members: members.map(({ id }) => id) };
  },
  async presence({ status, activity }) {
    await client.editStatus(status, [{ name: activity, type: 0 }]);
  },
});

await client.connect();
