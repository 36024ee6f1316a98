# SPDX-License-Identifier: Apache-2.0
"""Runs gooseBit, a rollout server that others wrote, with an empty database; its settings are in the environment."""

import asyncio
import sys

import uvicorn
from goosebit import app
from goosebit.db.config import TORTOISE_CONF
from tortoise import Tortoise


async def make_tables():
    await Tortoise.init(config=TORTOISE_CONF)
    await Tortoise.generate_schemas()
    await Tortoise.close_connections()


asyncio.run(make_tables())
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
