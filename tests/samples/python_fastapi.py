"""The guide's sample for Python, unchanged, with what it takes for granted around it.

argv[1]: the user as JSON. The answer is printed as one line of JSON.
"""
# The guide's own style stays:
# ruff: noqa: B008, E402, I001

import asyncio
import json
import sys

from pydantic import BaseModel


class User(BaseModel):
    id: str
    name: str
    email: str
    department: str
    avatar_url: str | None


def get_current_user() -> User:
    login = json.loads(sys.argv[1])
    return User(avatar_url=login.pop("avatar", None), **login)


# fmt: off
# --- the guide's sample, from here
from fastapi import FastAPI, Depends
import httpx
import os

app = FastAPI()
CHATSDK_API_URL = os.getenv("CHATSDK_API_URL")
CHATSDK_API_KEY = os.getenv("CHATSDK_API_KEY")

@app.post("/api/auth/chat-token")
async def get_chat_token(user: User = Depends(get_current_user)):
    """Generate ChatSDK token for authenticated user"""

    async with httpx.AsyncClient() as client:
        response = await client.post(
            f"{CHATSDK_API_URL}/tokens",
            headers={
                "X-API-Key": CHATSDK_API_KEY,
                "Content-Type": "application/json"
            },
            json={
                "userId": user.id,
                "name": user.name,
                "image": user.avatar_url,
                "custom": {
                    "email": user.email,
                    "department": user.department
                }
            }
        )

    return response.json()
# --- to here
# fmt: on


async def main() -> None:
    """Ask the app inside this process; only the sample's own request goes out."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        print((await client.post("/api/auth/chat-token")).text)


asyncio.run(main())
