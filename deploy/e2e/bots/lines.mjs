// The line protocol between a bot and whoever runs it, for Node.js; ./README.md describes it.

import { createInterface } from 'node:readline';

/** What the runner hands over. */
export const { BOT_TOKEN: token, BOT_REST: rest } = process.env;
export const shards = Number(process.env.BOT_SHARDS);

/** Tells the runner something. */
export function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Carries out what the runner asks for, by name, until the runner is gone. */
export function obey(commands) {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', async (text) => {
    const { id, do: name, ...wanted } = JSON.parse(text);
    try {
      say({ id, ok: (await commands[name](wanted)) ?? {} });
    } catch (error) {
      say({ id, failed: String(error?.stack ?? error) });
    }
  });
  lines.on('close', () => process.exit(0));
}

/** The text at an address that a message gave. */
export async function download(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status} for the file`);
  return answer.text();
}
