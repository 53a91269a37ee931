"""The vendor's example for Python, unchanged but for the URL, with what it needs around it.

Prints the answer as one line of JSON.
"""
# The vendor's own style stays:
# ruff: noqa: B008, E402, I001, ANN, RUF013, UP

import asyncio


def get_current_user() -> dict:
    return {"id": "user_123"}


# fmt: off
# --- the vendor's example, from here
import os
import httpx
from fastapi import FastAPI, HTTPException, Depends
app = FastAPI()
PERFORMCHAT_API_URL = "SIDECAR/rest/v1/auth/token"
async def generate_chat_token(user_id: str, agent_id: str = None) -> str:
    async with httpx.AsyncClient() as client:
        payload = {
            "keyId": os.getenv("PERFORMCHAT_KEY_ID"),
            "keySecret": os.getenv("PERFORMCHAT_KEY_SECRET"),
            "userId": user_id,
        }
        if agent_id:
            payload["agentId"] = agent_id
        response = await client.post(PERFORMCHAT_API_URL, json=payload)
        if response.status_code != 200:
            raise HTTPException(status_code=500, detail="Failed to generate token")
        return response.json()["token"]
@app.post("/api/chat/token")
async def create_chat_token(current_user: dict = Depends(get_current_user)):
    token = await generate_chat_token(user_id=current_user["id"])
    return {"token": token}
# --- to here
# fmt: on


async def main() -> None:
    """Ask the app inside this process; only the example's own request goes out."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        print((await client.post("/api/chat/token")).text)


asyncio.run(main())
