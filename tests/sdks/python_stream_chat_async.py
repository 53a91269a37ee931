"""Drive the official `stream-chat` package (its asynchronous client), unmodified.

This client drops the path of its base URL, so CHAT_ROOT_URL must end in the root's slash.
Reads SANDBOX_CONTROL_URL and CHAT_FILE_DIR too.
"""

from __future__ import annotations

import asyncio
import os

from checklist import API_KEY, API_SECRET, HEADERS, Checklist
from stream_chat.__pkg__ import __version__
from stream_chat.async_chat import StreamChatAsync
from stream_chat_walk import Walk

sdk = Checklist("python stream-chat async", __version__)


async def main() -> None:
    """Open the client inside the loop, as it wants to be."""
    async with StreamChatAsync(API_KEY, API_SECRET, base_url=os.environ["CHAT_ROOT_URL"]) as client:
        client.session.headers.update(HEADERS)
        await Walk(sdk, client).everything()


asyncio.run(main())
sdk.finish()
