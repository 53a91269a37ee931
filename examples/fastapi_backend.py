"""The smallest backend in FastAPI: whoever is logged in gets a chat token from the sidecar."""

import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Form, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware

ENV = os.environ
USERS = {"1": "Alice", "2": "Bob"}  # a toy: here come your own users, and your own login

KEYS = {"X-Chatproxy-Key": ENV["SIDECAR_KEY"], "IM-API-KEY": ENV["IMKIT_KEY"]}
# It keeps its connections. The sidecar is next door: no proxy.
sidecar = httpx.AsyncClient(base_url=ENV["SIDECAR_URL"], headers=KEYS, timeout=5, trust_env=False)


async def ask(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the sidecar. Raises `httpx.HTTPError`."""
    answer = await sidecar.request(method, path, json=body)
    return answer.raise_for_status().json()


def refuse_other_sites(request: Request) -> None:
    """Take a POST from our own page only: no other may send this header, since we allow no CORS."""
    if request.method == "POST" and "X-Chat-Page" not in request.headers:
        raise HTTPException(403, "This comes from another page.")


app = FastAPI(dependencies=[Depends(refuse_other_sites)], openapi_url=None)
cookie: Any = {
    "session_cookie": "fastapi_demo",
    "same_site": "lax",
}  # https_only where you have TLS
app.add_middleware(SessionMiddleware, secret_key=ENV["SESSION_SECRET"], **cookie)


@app.get("/session")
async def who(request: Request) -> dict[str, Any]:
    return {"name": USERS.get(request.session.get("user", ""))}


@app.post("/login")
async def login(request: Request, user: Annotated[str, Form()] = "") -> dict[str, Any]:
    if user not in USERS:
        raise HTTPException(401, "There is no such user.")
    request.session["user"] = user
    return await who(request)


@app.post("/chat")
async def chat(request: Request) -> dict[str, Any]:
    if not (user_id := request.session.get("user")):
        raise HTTPException(401, "Log in first.")
    profile = {"_id": user_id, "nickname": USERS[user_id], "issueAccessToken": True}
    client = (await ask("POST", "/imkit/admin/clients", profile))["result"]
    life = datetime.fromisoformat(client["expirationDate"]) - datetime.now(UTC)
    return {
        "token": client["token"],
        "expiresIn": life.total_seconds(),  # not a moment: the page's clock may be wrong
        "url": ENV["CHAT_URL"],
        "clientKey": ENV["CLIENT_KEY"],
        "widget": await ask("GET", f"/imbachat/widget/{user_id}"),
    }


@app.post("/logout")
async def logout(request: Request) -> dict[str, Any]:
    if user_id := request.session.pop("user", None):  # it ends all of this user's tokens
        await ask("DELETE", f"/imkit/admin/clients/{user_id}/token", {})
    return await who(request)


@app.exception_handler(HTTPException)
async def refused(_: Request, error: HTTPException) -> JSONResponse:
    return JSONResponse({"error": error.detail}, error.status_code)


@app.exception_handler(httpx.HTTPError)
async def sidecar_failed(_: Request, error: httpx.HTTPError) -> JSONResponse:
    logging.getLogger(__name__).warning("the sidecar: %r", error)
    return JSONResponse({"error": "The chat cannot be reached. Try again soon."}, 502)


app.mount("/", StaticFiles(directory=Path(__file__).with_name("page"), html=True))
