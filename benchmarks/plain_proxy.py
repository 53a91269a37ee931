"""The plain peer: what one writes in a quarter of an hour with Flask and requests.

It streams both ways and puts the credentials in, and does nothing else: no check of
the target, no limit on a body, no log line, no watch on who has left. `TRUST_ENV=0`
also leaves out requests' look at netrc and proxy variables, as a proxy that holds
credentials should.
"""

import os
from functools import partial

import requests
from flask import Flask, Response, request
from requests.adapters import HTTPAdapter

API_KEY = "plain-key"
TOKEN = "plain-token"
UPSTREAM = os.environ["UPSTREAM"]
PIECE = 64 * 1024
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
REMADE = {"host", "content-length", "connection", "keep-alive", "transfer-encoding"}
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}

app = Flask(__name__)
session = requests.Session()
session.trust_env = os.environ.get("TRUST_ENV", "1") == "1"
session.mount("http://", HTTPAdapter(pool_maxsize=100))


@app.route("/proxy/<path:path>", methods=METHODS)
def proxy(path: str) -> Response:
    """Forward one call."""
    headers = {name: value for name, value in request.headers if name.lower() not in REMADE}
    headers["Authorization"] = TOKEN
    headers["Stream-Auth-Type"] = "jwt"
    has_body = "Content-Length" in request.headers or "Transfer-Encoding" in request.headers

    answer = session.request(
        request.method,
        f"{UPSTREAM}/{path}",
        params=[*request.args.items(multi=True), ("api_key", API_KEY)],
        headers=headers,
        # By itself `requests` would read it by lines, of which a picture may have one or thousands.
        data=iter(partial(request.stream.read, PIECE), b"") if has_body else None,
        stream=True,
        allow_redirects=False,
        timeout=(5, 30),
    )
    fields = [
        (name, value)
        for name, value in answer.raw.headers.items()
        if name.lower() not in HOP_BY_HOP
    ]
    pieces = answer.raw.stream(PIECE, decode_content=False)
    response = Response(pieces, answer.status_code, fields)
    response.call_on_close(answer.close)
    return response
