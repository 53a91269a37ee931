"""The plain peers of tokens, under Flask: what HTTP costs by itself, and minting with it.

They check nothing, ask nobody, and write no log line.
"""

import time

import jwt
from flask import Flask, Response, jsonify

from benchmarks.processes import API_SECRET
from benchmarks.sdk_calls import BACK_DATED

app = Flask(__name__)


@app.route("/token/<user_id>")
def token(user_id: str) -> tuple[Response, int]:
    """Answer Stream's token for the user, with the claims that the sidecar's has."""
    claims = {"user_id": user_id, "iat": int(time.time()) - BACK_DATED}
    made = jwt.encode(claims, API_SECRET, algorithm="HS256")
    return jsonify(userId=user_id, token=made), 201


@app.route("/empty")
def empty() -> str:
    """Answer 200 without content."""
    return ""
