"""The line protocol between a bot and whoever runs it, for Python; ./README.md describes it."""

import asyncio
import json
import os
import sys
import traceback

# What the runner hands over.
TOKEN = os.environ["BOT_TOKEN"]
REST = os.environ["BOT_REST"]
GATEWAY = os.environ["BOT_GATEWAY"]
SHARDS = int(os.environ["BOT_SHARDS"])


def say(**line):
    """Tells the runner something."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def obey(commands):
    """Carries out what the runner asks for, by name, until the runner is gone."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = set()
    while line := await reader.readline():
        task = loop.create_task(_carry_out(commands, json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)
    os._exit(0)


async def _carry_out(commands, wanted):
    number, name = wanted.pop("id"), wanted.pop("do")
    try:
        done = await getattr(commands, name)(**wanted)
        say(id=number, ok=done or {})
    except Exception:
        say(id=number, failed=traceback.format_exc())
