"""Drive the official `getstream` package, both of its clients, unmodified.

Reads CHAT_BASE_URL (may end in a path), SANDBOX_CONTROL_URL and CHAT_FILE_DIR.
"""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import os
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import jwt
from checklist import (
    API_KEY,
    API_SECRET,
    HEADERS,
    WEBHOOK_BODY,
    WEBHOOK_SECRET,
    WEBHOOK_SIGNATURE,
    Checklist,
    got,
    last_target,
    order_fault,
    scratch,
)
from getstream import AsyncStream, Stream
from getstream.exceptions import StreamApiException, StreamRateLimitException
from getstream.models import (
    ChannelInput,
    ChannelMemberRequest,
    MessageRequest,
    OnlyUserID,
    QueryMembersPayload,
    QueryUsersPayload,
    ReactionRequest,
    SearchPayload,
    UpdateUserPartialRequest,
    UserRequest,
)
from getstream.version import VERSION

sdk = Checklist("python getstream", VERSION)


class Walk:
    """One client and the names of its run."""

    def __init__(self, kind: str, client: Any) -> None:
        self.kind = kind
        self.client = client
        self.chat = client.chat
        self.run = uuid.uuid4().hex[:8]
        self.ann, self.bob = f"ann-{self.run}", f"Bob_{self.run}"
        self.message_id = f"first-{self.run}"
        self.channel = client.chat.channel("messaging", f"room-{self.run}")

    def call(self, name: str) -> Any:
        """Count one call under the client's kind."""
        return sdk.call(f"{self.kind} {name}")


async def refused(call: Callable[..., Any], *arguments: Any, **options: Any) -> StreamApiException:
    """Return the error that a call ends with."""
    try:
        await got(call(*arguments, **options))
    except StreamApiException as error:
        return error

    raise AssertionError("was not refused")


async def users(walk: Walk) -> None:
    """Upsert, change and query users."""
    client, ann, bob = walk.client, walk.ann, walk.bob
    with walk.call("upsert_users"):
        wanted = UserRequest(id=ann, name="Ann", custom={"shoe": 41}), UserRequest(id=bob)
        answer = await got(client.upsert_users(*wanted))
        assert answer.data.users[ann].custom == {"shoe": 41}
        assert isinstance(answer.data.users[bob].created_at, datetime.datetime)
        assert answer.status_code() == 201
        assert answer.rate_limit().remaining > 0

    with walk.call("update_users_partial"):
        update = UpdateUserPartialRequest(id=ann, set={"name": "Änn"}, unset=["shoe"])
        answer = await got(client.update_users_partial(users=[update]))
        assert (answer.data.users[ann].name, answer.data.users[ann].custom) == ("Änn", {})

    with walk.call("query_users, URL above 4,094 bytes"):
        wanted_ids = [ann, *(f"nobody-{n:04}" for n in range(220))]
        payload = QueryUsersPayload(filter_conditions={"id": {"$in": wanted_ids}})
        answer = await got(client.query_users(payload))
        assert [user.id for user in answer.data.users] == [ann]
        assert 4_094 < len(last_target()) < 8_000, len(last_target())


async def rooms(walk: Walk) -> None:
    """Make a channel and its members."""
    channel, ann, bob = walk.channel, walk.ann, walk.bob
    with walk.call("get_or_create"):
        data = ChannelInput(
            created_by_id=ann,
            members=[ChannelMemberRequest(user_id=ann)],
            custom={"name": "Room"},
        )
        answer = await got(channel.get_or_create(data=data))
        assert answer.data.channel.custom == {"name": "Room"}
        assert answer.data.channel.created_by.id == ann
        assert isinstance(answer.data.channel.created_at, datetime.datetime)

    with walk.call("channel.update"):
        answer = await got(channel.update(add_members=[ChannelMemberRequest(user_id=bob)]))
        assert {member.user_id for member in answer.data.members} == {ann, bob}

    with walk.call("channel.update_channel_partial"):
        answer = await got(channel.update_channel_partial(set={"color": "green"}))
        assert answer.data.channel.custom["color"] == "green"

    with walk.call("query_members"):
        payload = QueryMembersPayload(
            type="messaging", id=channel.channel_id, filter_conditions={"id": bob}
        )
        answer = await got(walk.chat.query_members(payload))
        assert [member.user.id for member in answer.data.members] == [bob]


async def messages(walk: Walk) -> None:
    """Send, read, edit, react, search."""
    chat, channel, ann, message_id = walk.chat, walk.channel, walk.ann, walk.message_id
    with walk.call("send_message"):
        message = MessageRequest(id=message_id, text="héllo", user_id=ann, custom={"mood": "fine"})
        answer = await got(channel.send_message(message))
        assert (answer.data.message.text, answer.data.message.user.id) == ("héllo", ann)
        assert answer.data.message.custom == {"mood": "fine"}

    with walk.call("get_message"):
        answer = await got(chat.get_message(message_id))
        assert answer.data.message.channel.cid == f"messaging:{channel.channel_id}"

    with walk.call("update_message"):
        message = MessageRequest(text="better", user_id=ann)
        answer = await got(chat.update_message(message_id, message))
        assert answer.data.message.text == "better"

    with walk.call("update_message_partial"):
        answer = await got(
            chat.update_message_partial(message_id, user_id=ann, set={"mood": "best"})
        )
        assert answer.data.message.custom["mood"] == "best"

    with walk.call("send_reaction"):
        reaction = ReactionRequest(type="love", user_id=ann)
        answer = await got(chat.send_reaction(message_id, reaction))
        assert answer.data.message.reaction_counts == {"love": 1}

    with walk.call("delete_reaction"):
        answer = await got(chat.delete_reaction(message_id, "love", user_id=ann))
        assert answer.data.message.reaction_counts == {}

    with walk.call("search"):
        payload = SearchPayload(filter_conditions={"type": "messaging"}, query="better")
        answer = await got(chat.search(payload))
        assert message_id in [hit.message.id for hit in answer.data.results]

    with walk.call("query_channels"):
        cid = f"messaging:{channel.channel_id}"
        answer = await got(chat.query_channels(filter_conditions={"cid": cid}))
        assert answer.data.channels[0].messages[0].id == message_id


async def moderation(walk: Walk) -> None:
    """Ban and mute."""
    client, ann, bob = walk.client, walk.ann, walk.bob
    with walk.call("ban, unban"):
        answer = await got(client.moderation.ban(bob, banned_by_id=ann))
        assert answer.status_code() == 201
        answer = await got(client.moderation.unban(bob))
        assert answer.status_code() == 201

    with walk.call("mute"):
        answer = await got(client.moderation.mute([bob], user_id=ann))
        assert [mute.target.id for mute in answer.data.mutes] == [bob]


async def settings(walk: Walk) -> None:
    """Read and change the app; upload and delete a file."""
    client = walk.client
    with walk.call("update_app, get_app"):
        await got(client.update_app(webhook_url=f"https://hooks.invalid/{walk.run}"))
        answer = await got(client.get_app())
        assert answer.data.app.webhook_url == f"https://hooks.invalid/{walk.run}"

    with walk.call("upload_file, delete_file"):
        content = os.urandom(100_000)
        path = scratch(f"{walk.run}.bin", content)
        answer = await got(client.upload_file(path, user=OnlyUserID(id=walk.ann)))
        assert answer.data.file.endswith(f"{walk.run}.bin")
        assert hashlib.sha256(content).hexdigest() in answer._StreamResponse__response.text
        assert (await got(client.delete_file(answer.data.file))).status_code() == 200

    with walk.call("channel file"):
        path = scratch(f"{walk.run}.txt", b"text")
        answer = await got(walk.channel.upload_channel_file(path, user=OnlyUserID(id=walk.ann)))
        assert answer.data.file.endswith(f"{walk.run}.txt")

    with walk.call("list_channel_types"):
        answer = await got(walk.chat.list_channel_types())
        messaging = answer.data.channel_types["messaging"]
        assert messaging.max_message_length == 5_000
        assert "create-channel" in messaging.grants["user"]
        assert messaging.permissions[0].action == "Allow"

    with walk.call("create_role, list_roles"):
        made = (await got(client.create_role(f"role-{walk.run}"))).data.role
        assert made.custom
        roles = (await got(client.list_roles())).data.roles
        assert made.name in [one.name for one in roles]

    with walk.call("create_channel_type"):
        made = await got(
            walk.chat.create_channel_type(
                automod="disabled",
                automod_behavior="flag",
                max_message_length=99,
                name=f"type-{walk.run}",
            )
        )
        assert made.data.max_message_length == 99

    with walk.call("create_device, list_devices"):
        await got(client.create_device(f"phone-{walk.run}", "apn", user_id=walk.ann))
        answer = await got(client.list_devices(user_id=walk.ann))
        assert [device.id for device in answer.data.devices] == [f"phone-{walk.run}"]


async def refusals(walk: Walk) -> None:
    """Provoke errors: they must be the SDK's own, with the code, and no KeyError."""
    chat, channel = walk.chat, walk.channel
    with walk.call("channel without creator"):
        error = await refused(chat.channel("messaging", f"orphan-{walk.run}").get_or_create)
        assert (error.status_code, error.code) == (400, 4)
        assert error.exception_fields

    with walk.call("message too long"):
        message = MessageRequest(text="x" * 5_001, user_id=walk.ann)
        error = await refused(channel.send_message, message)
        assert (error.status_code, error.code) == (400, 20)

    with walk.call("429"):
        order_fault("status=429-budget", "*/app")
        error = await refused(walk.client.get_app)
        assert isinstance(error, StreamRateLimitException)
        assert (error.code, error.retry_after) == (9, datetime.timedelta(seconds=1))
        assert error.rate_limit_info.limit > 0


async def farewells(walk: Walk) -> None:
    """Delete what was made."""
    with walk.call("delete_message"):
        answer = await got(walk.chat.delete_message(walk.message_id, hard=True))
        assert answer.data.message.type == "deleted"
        assert (await refused(walk.chat.get_message, walk.message_id)).code == 16

    with walk.call("channel.delete"):
        answer = await got(walk.channel.delete())
        assert answer.data.channel.deleted_at is not None

    with walk.call("delete_users, get_task"):
        answer = await got(walk.client.delete_users(user_ids=[walk.bob], user="hard"))
        task = await got(walk.client.get_task(answer.data.task_id))
        assert task.data.status == "completed"


async def local(walk: Walk) -> None:
    """What the SDK does without the network: tokens and webhook signatures."""
    with walk.call("create_token"):
        token = walk.client.create_token(walk.ann, expiration=60)
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["user_id"] == walk.ann
        assert claims["exp"] - claims["iat"] == 65

    with walk.call("verify_and_parse_webhook"):
        other = type(walk.client)(api_key=API_KEY, api_secret=WEBHOOK_SECRET)
        event = other.verify_and_parse_webhook(WEBHOOK_BODY, WEBHOOK_SIGNATURE)
        assert event.type == "message.new"


STEPS = (users, rooms, messages, moderation, settings, refusals, farewells, local)


async def main() -> None:
    """Walk once with each client."""
    base = os.environ["CHAT_BASE_URL"]
    for kind, make, http in (
        ("sync", Stream, httpx.Client),
        ("async", AsyncStream, httpx.AsyncClient),
    ):
        options = {"http_client": http(headers=HEADERS)} if HEADERS else {}
        walk = Walk(kind, make(api_key=API_KEY, api_secret=API_SECRET, base_url=base, **options))
        for step in STEPS:
            await step(walk)


asyncio.run(main())
sdk.finish()
