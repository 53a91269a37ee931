"""The walk that both Python clients of the `stream-chat` package take.

They have the same methods; the asynchronous one's give something to wait for, so every call goes
through `got`.
"""

from __future__ import annotations

import datetime
import hashlib
import inspect
import os
import uuid
from collections.abc import Callable
from typing import Any

import jwt
from checklist import (
    API_KEY,
    WEBHOOK_BODY,
    WEBHOOK_SECRET,
    WEBHOOK_SIGNATURE,
    Checklist,
    got,
    last_target,
    order_fault,
    picture,
    scratch,
)
from stream_chat.base.exceptions import StreamAPIException


class Walk:
    """One client, its checklist, and the names of this run."""

    def __init__(self, sdk: Checklist, client: Any) -> None:
        self.sdk = sdk
        self.client = client
        self.is_async = inspect.iscoroutinefunction(client.get_app_settings)
        self.run = uuid.uuid4().hex[:8]
        self.ann, self.bob = f"ann-{self.run}", f"Bob_{self.run}"
        self.message_id = f"first-{self.run}"
        data = {"name": "Room", "members": [self.ann]}
        self.channel = client.channel("messaging", f"room-{self.run}", data)

    @property
    def parts(self) -> tuple[Checklist, Any, Any, str, str, str]:
        """What most steps are about: SDK, client, channel, both users, the first message."""
        return self.sdk, self.client, self.channel, self.ann, self.bob, self.message_id

    async def everything(self) -> None:
        """All steps, in the order they need each other."""
        for step in STEPS:
            await step(self)


async def refused(call: Callable[..., Any], *arguments: Any) -> StreamAPIException:
    """The error that a call ends with."""
    try:
        await got(call(*arguments))
    except StreamAPIException as error:
        return error

    raise AssertionError("was not refused")


async def users(walk: Walk) -> None:
    """Upsert, change and query users, one query with a URL longer than a line of 4,094 bytes."""
    sdk, client, ann, bob = walk.sdk, walk.client, walk.ann, walk.bob
    with sdk.call("upsert_users"):
        answer = await got(
            client.upsert_users([{"id": ann, "name": "Ann", "shoe": 41}, {"id": bob}])
        )
        assert answer["users"][ann]["shoe"] == 41
        assert answer["users"][bob]["role"] == "user"
        assert answer.status_code() == 201

    with sdk.call("rate_limit headers"):
        headers = {name.lower(): value for name, value in answer.headers().items()}
        assert 0 < int(headers["x-ratelimit-remaining"]) < int(headers["x-ratelimit-limit"])
        # The SDK looks for lower-case names; aiohttp has a spelling of its own for these three.
        limit = answer.rate_limit()
        assert limit is None if walk.is_async else limit.limit == int(headers["x-ratelimit-limit"])

    with sdk.call("update_user_partial"):
        answer = await got(
            client.update_user_partial({"id": ann, "set": {"name": "Änn"}, "unset": ["shoe"]})
        )
        assert answer["users"][ann]["name"] == "Änn"
        assert "shoe" not in answer["users"][ann]

    with sdk.call("query_users, URL above 4,094 bytes"):
        wanted = [ann, *(f"nobody-{n:04}" for n in range(220))]
        answer = await got(client.query_users({"id": {"$in": wanted}}, {"id": 1}))
        assert [user["id"] for user in answer["users"]] == [ann]
        assert 4_094 < len(last_target()) < 8_000, len(last_target())


async def rooms(walk: Walk) -> None:
    """Make a channel and its members."""
    sdk, channel, ann, bob = walk.sdk, walk.channel, walk.ann, walk.bob
    with sdk.call("channel.create"):
        answer = await got(channel.create(ann))
        assert answer["channel"]["cid"] == channel.cid
        assert answer["channel"]["name"] == "Room"
        assert answer["channel"]["created_by"]["id"] == ann

    with sdk.call("channel.add_members"):
        answer = await got(channel.add_members([bob]))
        assert {member["user_id"] for member in answer["members"]} == {ann, bob}

    with sdk.call("channel.add_moderators"):
        answer = await got(channel.add_moderators([bob]))
        roles = {member["user_id"]: member["channel_role"] for member in answer["members"]}
        assert roles == {ann: "channel_member", bob: "channel_moderator"}

    with sdk.call("channel.query_members"):
        found = await got(channel.query_members({"name": {"$autocomplete": "än"}}))
        assert [member["user"]["id"] for member in found] == [ann]


async def messages(walk: Walk) -> None:
    """Send, read, edit and pin a message."""
    sdk, client, channel, ann, _, message_id = walk.parts
    with sdk.call("channel.send_message"):
        answer = await got(
            channel.send_message({"id": message_id, "text": "héllo <b>", "mood": "fine"}, ann)
        )
        assert answer["message"]["text"] == "héllo <b>"
        assert answer["message"]["mood"] == "fine"
        assert answer["message"]["created_at"].endswith("Z")

    with sdk.call("get_message"):
        answer = await got(client.get_message(message_id))
        assert answer["message"]["channel"]["cid"] == channel.cid

    with sdk.call("update_message"):
        answer = await got(
            client.update_message({"id": message_id, "text": "better", "user_id": ann})
        )
        assert answer["message"]["text"] == "better"

    with sdk.call("update_message_partial"):
        answer = await got(
            client.update_message_partial(message_id, {"set": {"mood": "best"}}, ann)
        )
        assert answer["message"]["mood"] == "best"

    with sdk.call("pin_message"):
        answer = await got(client.pin_message(message_id, ann))
        assert answer["message"]["pinned"] is True

    with sdk.call("channel.get_messages"):
        answer = await got(channel.get_messages([message_id]))
        assert [message["id"] for message in answer["messages"]] == [message_id]


async def threads(walk: Walk) -> None:
    """Reply, react, search."""
    sdk, client, channel, _, bob, message_id = walk.parts
    with sdk.call("channel.send_message, reply"):
        answer = await got(channel.send_message({"text": "so do I", "parent_id": message_id}, bob))
        assert answer["message"]["type"] == "reply"

    with sdk.call("channel.get_replies"):
        answer = await got(channel.get_replies(message_id))
        assert [message["text"] for message in answer["messages"]] == ["so do I"]

    with sdk.call("channel.send_reaction"):
        answer = await got(channel.send_reaction(message_id, {"type": "love"}, bob))
        assert answer["message"]["reaction_counts"] == {"love": 1}

    with sdk.call("channel.get_reactions"):
        answer = await got(channel.get_reactions(message_id))
        assert [reaction["user_id"] for reaction in answer["reactions"]] == [bob]

    with sdk.call("channel.delete_reaction"):
        answer = await got(channel.delete_reaction(message_id, "love", bob))
        assert answer["message"]["reaction_counts"] == {}

    with sdk.call("search"):
        answer = await got(client.search({"cid": channel.cid}, "BETTER"))
        assert [hit["message"]["id"] for hit in answer["results"]] == [message_id]


async def visits(walk: Walk) -> None:
    """Send events, mark read, query and change channels."""
    sdk, client, channel, ann, bob, message_id = walk.parts
    with sdk.call("channel.send_event"):
        answer = await got(channel.send_event({"type": "typing.start"}, ann))
        assert answer["event"]["type"] == "typing.start"

    with sdk.call("channel.mark_read"):
        answer = await got(channel.mark_read(bob))
        assert answer["event"]["user"]["id"] == bob

    with sdk.call("query_channels"):
        answer = await got(client.query_channels({"members": {"$in": [bob]}}, {"created_at": -1}))
        assert [state["channel"]["cid"] for state in answer["channels"]] == [channel.cid]
        assert answer["channels"][0]["messages"][0]["id"] == message_id

    with sdk.call("channel.update_partial"):
        answer = await got(channel.update_partial({"color": "green"}, ["name"]))
        assert answer["channel"]["color"] == "green"
        assert "name" not in answer["channel"]


async def files(walk: Walk) -> None:
    """Upload from a path and from a URL, delete."""
    sdk, channel, ann = walk.sdk, walk.channel, walk.ann
    with sdk.call("channel.send_file"):
        content = os.urandom(200_000)
        answer = await got(channel.send_file(scratch("ä b.bin", content), "ä b.bin", {"id": ann}))
        file_url = answer["file"]
        assert answer["sha256"] == hashlib.sha256(content).hexdigest()

    with sdk.call("channel.send_image, from a URL"):
        url, digest = picture()
        answer = await got(channel.send_image(url, "dot.png", {"id": ann}, "image/png"))
        assert answer["sha256"] == digest
        assert answer["thumb_url"].startswith(answer["file"])

    with sdk.call("channel.delete_file"):
        assert (await got(channel.delete_file(file_url))).is_ok()
        assert (await refused(channel.delete_file, file_url)).error_code == 16


async def moderation(walk: Walk) -> None:
    """Ban, mute, flag."""
    sdk, client, ann, bob, message_id = walk.sdk, walk.client, walk.ann, walk.bob, walk.message_id
    with sdk.call("ban_user"):
        assert (await got(client.ban_user(bob, banned_by_id=ann, reason="spam"))).is_ok()

    with sdk.call("query_banned_users"):
        answer = await got(client.query_banned_users({"filter_conditions": {"user_id": bob}}))
        assert [(ban["user"]["id"], ban["reason"]) for ban in answer["bans"]] == [(bob, "spam")]

    with sdk.call("unban_user"):
        assert (await got(client.unban_user(bob))).is_ok()
        assert (await got(client.query_banned_users({"filter_conditions": {"user_id": bob}})))[
            "bans"
        ] == []

    with sdk.call("mute_user"):
        answer = await got(client.mute_user(bob, ann))
        assert answer["mute"]["target"]["id"] == bob

    with sdk.call("unmute_user"):
        assert (await got(client.unmute_user(bob, ann))).is_ok()

    with sdk.call("flag_message"):
        answer = await got(client.flag_message(message_id, user_id=bob))
        assert answer["flag"]["target_message_id"] == message_id


async def settings(walk: Walk) -> None:
    """Read and change what belongs to the app; revoke a user's tokens."""
    sdk, client, ann, bob, run = walk.sdk, walk.client, walk.ann, walk.bob, walk.run
    with sdk.call("update_app_settings"):
        assert (
            await got(client.update_app_settings(webhook_url=f"https://hooks.invalid/{run}"))
        ).is_ok()

    with sdk.call("get_app_settings"):
        answer = await got(client.get_app_settings())
        assert answer["app"]["webhook_url"] == f"https://hooks.invalid/{run}"
        assert answer.status_code() == 200

    with sdk.call("list_channel_types"):
        assert "messaging" in (await got(client.list_channel_types()))["channel_types"]

    with sdk.call("create_role, list_roles"):
        assert (await got(client.create_role(f"role-{run}")))["role"]["custom"]
        roles = (await got(client.list_roles()))["roles"]
        assert f"role-{run}" in [one["name"] for one in roles]

    with sdk.call("create_channel_type, update_channel_type"):
        given = {"max_message_length": 99, "automod": "disabled", "automod_behavior": "flag"}
        await got(client.create_channel_type({"name": f"type-{run}", **given}))
        grants = {f"role-{run}": ["read-channel"]}
        await got(client.update_channel_type(f"type-{run}", **given, grants=grants))
        found = await got(client.get_channel_type(f"type-{run}"))
        assert found["grants"][f"role-{run}"] == ["read-channel"]

    with sdk.call("create_blocklist"):
        assert (await got(client.create_blocklist(f"words-{run}", ["drat"]))).is_ok()
        assert (await got(client.get_blocklist(f"words-{run}")))["blocklist"]["words"] == ["drat"]

    with sdk.call("add_device"):
        assert (await got(client.add_device(f"phone-{run}", "apn", ann))).is_ok()
        assert [d["id"] for d in (await got(client.get_devices(ann)))["devices"]] == [
            f"phone-{run}"
        ]

    with sdk.call("get_rate_limits"):
        answer = await got(client.get_rate_limits(server_side=True, endpoints=["QueryUsers"]))
        assert answer["server_side"]["QueryUsers"]["limit"] > 0

    with sdk.call("revoke_user_token"):
        before = datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
        answer = await got(client.revoke_user_token(bob, before))
        assert answer["users"][bob]["revoke_tokens_issued_before"].startswith("2030-01-01")


async def refusals(walk: Walk) -> None:
    """Provoke errors and read their codes."""
    sdk, client, channel, ann, message_id, run = (
        walk.sdk,
        walk.client,
        walk.channel,
        walk.ann,
        walk.message_id,
        walk.run,
    )
    with sdk.call("channel.send_message, id exists"):
        error = await refused(channel.send_message, {"id": message_id, "text": "again"}, ann)
        assert (error.status_code, error.error_code) == (400, 4)
        assert "already exists" in error.error_message

    with sdk.call("channel.send_message, too long"):
        error = await refused(channel.send_message, {"text": "x" * 5_001}, ann)
        assert (error.status_code, error.error_code) == (400, 20)

    with sdk.call("channel without creator"):
        error = await refused(client.channel("messaging", f"orphan-{run}").query)
        assert (error.status_code, error.error_code) == (400, 4)
        assert "server side auth" in error.error_message

    with sdk.call("get_message, unknown"):
        error = await refused(client.get_message, "no-such-message")
        assert (error.status_code, error.error_code) == (404, 16)

    with sdk.call("429"):
        order_fault("status=429", "*/app")
        error = await refused(client.get_app_settings)
        assert (error.status_code, error.error_code) == (429, 9)


async def farewells(walk: Walk) -> None:
    """Delete what was made."""
    sdk, client, channel, ann, bob, message_id = walk.parts
    with sdk.call("delete_message"):
        assert (await got(client.delete_message(message_id)))["message"]["type"] == "deleted"
        await got(client.delete_message(message_id, hard=True))
        assert (await refused(client.get_message, message_id)).error_code == 16

    with sdk.call("deactivate_user"):
        assert (await got(client.deactivate_user(bob)))["user"]["deactivated_at"]

    with sdk.call("export_user"):
        assert (await got(client.export_user(ann)))["user"]["id"] == ann

    with sdk.call("channel.delete"):
        assert (await got(channel.delete()))["channel"]["deleted_at"]
        assert (await got(client.query_channels({"cid": channel.cid})))["channels"] == []

    with sdk.call("delete_users"):
        task = (await got(client.delete_users([bob], "hard")))["task_id"]
        assert (await got(client.get_task(task)))["status"] == "completed"


async def local(walk: Walk) -> None:
    """What the SDK does without the network: tokens and webhook signatures."""
    sdk, client = walk.sdk, walk.client
    with sdk.call("create_token"):
        token = client.create_token(walk.ann)
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims == {"user_id": walk.ann}

    other = type(client)(API_KEY, WEBHOOK_SECRET, base_url=client.base_url)
    with sdk.call("verify_webhook"):
        assert other.verify_webhook(WEBHOOK_BODY, WEBHOOK_SIGNATURE)
        assert not other.verify_webhook(WEBHOOK_BODY + b" ", WEBHOOK_SIGNATURE)

    with sdk.call("verify_and_parse_webhook"):
        event = other.verify_and_parse_webhook(WEBHOOK_BODY, WEBHOOK_SIGNATURE)
        assert event["type"] == "message.new"

    if hasattr(other, "close"):
        await other.close()


STEPS = (
    users,
    rooms,
    messages,
    threads,
    visits,
    files,
    moderation,
    settings,
    refusals,
    farewells,
    local,
)
