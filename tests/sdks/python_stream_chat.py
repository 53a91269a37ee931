"""Drive the official `stream-chat` package (its synchronous client), unmodified.

Reads CHAT_BASE_URL (may end in a path), SANDBOX_CONTROL_URL and CHAT_FILE_DIR.
"""

from __future__ import annotations

import asyncio
import os

from checklist import API_KEY, API_SECRET, HEADERS, Checklist
from stream_chat import StreamChat
from stream_chat.__pkg__ import __version__
from stream_chat_walk import Walk

sdk = Checklist("python stream-chat", __version__)
client = StreamChat(API_KEY, API_SECRET, base_url=os.environ["CHAT_BASE_URL"])
client.session.headers.update(HEADERS)
asyncio.run(Walk(sdk, client).everything())
sdk.finish()
