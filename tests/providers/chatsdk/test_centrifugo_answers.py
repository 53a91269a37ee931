"""What Centrifugo's answers mean: it says its failures with status 200."""

import pytest

from chatproxy.providers.chatsdk.centrifugo import Centrifugo
from chatproxy.providers.chatsdk.settings import ChatSDKSettings

CENTRIFUGO = Centrifugo(ChatSDKSettings(jwt_secrets=("j" * 40,), centrifugo_secrets=("c" * 40,)))


@pytest.mark.parametrize(
    ("status", "content", "fault"),
    [
        (200, b'{"result":{}}', ""),
        (200, b'{"error":{"code":107,"message":"bad request"}}', "answered error 107."),
        (200, b'{"error":"boom"}', "answered error of an unknown form."),
        (200, b"<html>", "its answer could not be read."),
        (200, b"[]", "its answer could not be read."),
        (401, b"", "answered 401."),
        (500, b'{"result":{}}', "answered 500."),
    ],
)
def test_only_a_result_is_taken_for_success(status: int, content: bytes, fault: str) -> None:
    assert CENTRIFUGO.fault_in(status, content) == fault
