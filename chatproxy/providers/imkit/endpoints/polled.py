"""The requests of a client that polls, where the socket leads to the IMKit server.

Any worker, and any replica, may get the next one of a session. So the directory knows with which
token a client has signed in on it (`identity.signed_in_sessions`).
"""

import contextlib
import dataclasses
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Response, request

from chatproxy.errors import CallerError, MalformedBody, UpstreamError, WrongMethod
from chatproxy.forwarding.body import CallerBody
from chatproxy.forwarding.call import Call
from chatproxy.identity.token_records import Binding
from chatproxy.metrics.table import SOCKETS_ENDED
from chatproxy.providers.imkit.endpoints import relayed, signing_in
from chatproxy.providers.imkit.endpoints.relayed import Opened
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.imkit.relaying.opening import Presented
from chatproxy.providers.imkit.relaying.sightings import Sightings
from chatproxy.services import Backend
from chatproxy.turns import Turns
from chatproxy.web.current import context, directory, provider, services
from chatproxy.web.relay import Waits, relay

if TYPE_CHECKING:
    from chatproxy.providers.imkit.relaying.payload import Payload
    from chatproxy.providers.imkit.relaying.speech import Speech
    from chatproxy.providers.imkit.sockets.hub import Hub

NO_JSONP = "JSONP is not relayed: any page could read its answers. Use another transport."

#: Nobody would look at the body of another one.
METHODS = ("GET", "POST")

#: Bytes of a body that is read, and packets before other requests get their turn.
LONGEST = 8 * 1024 * 1024
TURN = 500

#: Seconds between two looks whether a waiting request has to end.
LOOK_EVERY = 0.25

PLAIN = "text/plain; charset=UTF-8"


@dataclasses.dataclass(frozen=True)
class Asked:
    """A request of a session. `session` is by what the directory knows it, `revision` Engine.IO's.

    `token` is the app and the digest of the token with which a client has signed in.
    """

    session_id: str
    session: str
    revision: str
    opened: Opened
    token: tuple[str, str] | None

    @property
    def known_as(self) -> tuple[str, str]:
        """Return by what the directory knows the session: its app, and its name."""
        return provider(IMKit).app, self.session

    @property
    def backend(self) -> Backend:
        """Return the way to the server."""
        return services().backends[IMKit.name]


def poll(hub: "Hub", sightings: Sightings) -> Response:
    """Forward a polling request, unless its session is over."""
    from chatproxy.providers.imkit.relaying.waiting import SessionOver

    query = context().target.query

    if request.method not in METHODS:
        raise WrongMethod("Engine.IO has no such request.", allowed=METHODS)

    if Presented.only("j", query) is not None:
        raise CallerError(NO_JSONP)

    opened, session_id = relayed.look(), Presented.only("sid", query)

    if session_id is None:
        return relay(services().backends[IMKit.name], relayed.mount(), opened.credentials)

    revision = Presented.only("EIO", query) or ""
    session = directory().sessions.name_of(session_id)
    asked = Asked(session_id, session, revision, opened, _token_of(session, opened))

    try:
        _check_token(asked)
        return _say(asked) if request.method == "POST" else _wait(hub, sightings, asked)
    except SessionOver as over:
        context().notes["socket"] = {"endedBy": over.ended_by}
        SOCKETS_ENDED.add(over.ended_by.replace(" ", "_"))

        if request.method == "POST":
            raise

        return _goodbye(asked)


def _token_of(session: str, opened: Opened) -> tuple[str, str] | None:
    app = provider(IMKit).app
    found = directory().sessions.heard_of(app, session)

    if found is None and opened.bound is not None:
        return app, opened.bound.digest

    return found


def _check_token(asked: Asked) -> None:
    from chatproxy.providers.imkit.relaying.waiting import SessionOver

    if asked.token is not None and not directory().opaque_tokens.still_valid([asked.token]):
        raise SessionOver("token")


def _wait(hub: "Hub", sightings: Sightings, asked: Asked) -> Response:
    from chatproxy.providers.imkit.relaying.tunnel import Times
    from chatproxy.providers.imkit.relaying.waiting import Waiting

    current, times, found = context(), Times(), services()
    since = sightings.since(asked.session) if asked.token is None else current.monotonic()
    waiting = Waiting(asked.session, asked.token, current, current.monotonic, times, since)
    # At once: where the server has something to say, nothing is waited for.
    waiting.has_left()
    limits = dataclasses.replace(
        found.limits, read=times.silence, total=times.silence + found.limits.connect
    )
    hub.acquire_slot()

    try:
        with hub.watching(waiting):
            waits = Waits(limits, waiting, LOOK_EVERY)
            credentials = asked.opened.credentials
            return relay(asked.backend, relayed.mount(), credentials, waits=waits)
    finally:
        hub.release_slot()


def _say(asked: Asked) -> Response:
    from chatproxy.providers.imkit.relaying.payload import CLOSE, BadPayload, Payload
    from chatproxy.providers.imkit.relaying.speech import NoSuchPacket, Speech

    speech = Speech(
        signing_in.sign_in,
        signing_in.check_client_key,
        provider(IMKit).client_key,
        answers=False,
    )
    body = context().body
    most = min(LONGEST, services().settings.max_body_bytes)
    content = b"" if body is None else body.read_all(most)

    try:
        payload = Payload(content, asked.revision, request.environ.get("CONTENT_TYPE") or "")
        content = _heard(payload, speech, content)
    except (BadPayload, NoSuchPacket) as error:
        raise MalformedBody("The body is not one of Engine.IO's.", detail=str(error)) from error

    # First, so that the server is never told of a sign-in of which another worker knows nothing.
    if speech.bound is not None:
        directory().sessions.note(asked.session, speech.bound)

    upload, taken = None if body is None else CallerBody.of_bytes(content), False

    try:
        answer = relay(asked.backend, relayed.mount(), asked.opened.credentials, upload=upload)
        taken = answer.answered == HTTPStatus.OK
        return answer
    finally:
        _follow_up(asked, speech.bound, taken=taken, closes=CLOSE in payload.packets)


def _follow_up(asked: Asked, bound: Binding | None, *, taken: bool, closes: bool) -> None:
    """Take note of what became of a session that had a token, once the server has answered."""
    # What a server has not taken has changed nothing there: the session goes on as it was.
    if asked.token is None:
        return

    if bound is None and closes and taken:
        directory().sessions.forget(*asked.known_as)
    elif bound is not None and not taken and bound.digest != asked.token[1]:
        # Of its two tokens the server may go by either.
        directory().sessions.end(*asked.known_as)


def _heard(payload: "Payload", speech: "Speech", content: bytes) -> bytes:
    onward: list[str | bytes] = []
    swallow, turns = 0, Turns(TURN)

    for packet in payload.packets:
        turns.count()

        if isinstance(packet, bytes) or packet.startswith("b"):
            onward += [] if swallow else [packet]
            swallow = max(0, swallow - 1)
            continue

        heard = speech.hear(packet)
        swallow = heard.swallowed
        onward += [] if heard.onward is None else [heard.onward]

    return content if onward == payload.packets else payload.written(onward)


def _goodbye(asked: Asked) -> Response:
    from chatproxy.providers.imkit.relaying.payload import goodbye

    answer = Response(goodbye(asked.revision), content_type=PLAIN)
    answer.headers["Cache-Control"] = "no-store"
    answer.call_on_close(_telling_server(asked))
    return answer


def _telling_server(asked: Asked) -> Callable[[], None]:
    # Once the client has its answer. A request that waited there is given up, and the server has
    # ended the session by itself then.
    from chatproxy.providers.imkit.relaying.payload import CLOSE, Payload

    peer, path = asked.backend.peer, context().target.below(relayed.mount()).path
    names = {"EIO": asked.revision, "transport": "polling", "sid": asked.session_id}
    call = Call.own(
        "POST",
        path,
        query=[(name, quote(value, safe="")) for name, value in names.items()],
        headers=[*asked.opened.credentials.headers, ("Content-Type", PLAIN)],
        body=Payload(b"", asked.revision, "").written([CLOSE]),
    )

    def tell() -> None:
        with contextlib.suppress(UpstreamError):
            if peer is not None:
                peer.ask(call)

    return tell
