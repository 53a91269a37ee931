"""The smallest backend in Flask: whoever is logged in gets a chat token from the sidecar."""

import os
from datetime import UTC, datetime
from typing import Any

import requests
from flask import Flask, Response, abort, request, session
from werkzeug.exceptions import HTTPException

ENV = os.environ
USERS = {"1": "Alice", "2": "Bob"}  # a toy: here come your own users, and your own login

app = Flask(__name__, static_folder="page", static_url_path="")
app.config |= {"SECRET_KEY": ENV["SESSION_SECRET"], "SESSION_COOKIE_NAME": "flask_demo"}
app.config |= {"SESSION_COOKIE_SAMESITE": "Lax"}  # add SESSION_COOKIE_SECURE where you have TLS

sidecar = requests.Session()  # keeps its connections
sidecar.trust_env = False  # it is next door: no proxy
sidecar.headers.update({"X-Chatproxy-Key": ENV["SIDECAR_KEY"], "IM-API-KEY": ENV["IMKIT_KEY"]})


def ask(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the sidecar. Raises `requests.RequestException`."""
    answer = sidecar.request(method, ENV["SIDECAR_URL"] + path, json=body, timeout=5)
    answer.raise_for_status()
    return answer.json()


@app.before_request
def refuse_other_sites() -> None:
    """Take a POST from our own page only: no other may send this header, since we allow no CORS."""
    if request.method == "POST" and "X-Chat-Page" not in request.headers:
        abort(403, "This comes from another page.")


@app.get("/")
def page() -> Response:
    return app.send_static_file("index.html")


@app.get("/session")
def who() -> dict[str, Any]:
    return {"name": USERS.get(session.get("user", ""))}


@app.post("/login")
def login() -> dict[str, Any]:
    user_id = request.form.get("user", "")
    session["user"] = user_id if user_id in USERS else abort(401, "There is no such user.")
    return who()


@app.post("/chat")
def chat() -> dict[str, Any]:
    user_id = session.get("user") or abort(401, "Log in first.")
    profile = {"_id": user_id, "nickname": USERS[user_id], "issueAccessToken": True}
    client = ask("POST", "/imkit/admin/clients", profile)["result"]
    life = datetime.fromisoformat(client["expirationDate"]) - datetime.now(UTC)
    return {
        "token": client["token"],
        "expiresIn": life.total_seconds(),  # not a moment: the page's clock may be wrong
        "url": ENV["CHAT_URL"],
        "clientKey": ENV["CLIENT_KEY"],
        "widget": ask("GET", f"/imbachat/widget/{user_id}"),
    }


@app.post("/logout")
def logout() -> dict[str, Any]:
    if user_id := session.pop("user", None):  # it ends all of this user's tokens
        ask("DELETE", f"/imkit/admin/clients/{user_id}/token", {})
    return who()


@app.errorhandler(HTTPException)
def refused(error: HTTPException) -> tuple[dict[str, Any], int]:
    return {"error": error.description}, error.code or 500


@app.errorhandler(requests.RequestException)
def sidecar_failed(error: requests.RequestException) -> tuple[dict[str, Any], int]:
    app.logger.warning("the sidecar: %s", error)
    return {"error": "The chat cannot be reached. Try again soon."}, 502
