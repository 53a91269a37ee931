"""The one predicate that decides on a second attempt."""

import pytest

from chatproxy.errors import UpstreamBroken
from chatproxy.forwarding.retry import may_repeat


def broken(*, nothing_sent: bool = False, answer_begun: bool = False) -> UpstreamBroken:
    return UpstreamBroken("x", nothing_sent=nothing_sent, answer_begun=answer_begun)


@pytest.mark.parametrize(
    ("error", "method", "has_body", "reused", "expected"),
    [
        pytest.param(broken(), "GET", False, True, True, id="idempotent on a kept connection"),
        pytest.param(broken(), "POST", False, True, False, id="post that may have arrived"),
        pytest.param(broken(), "DELETE", False, True, False, id="delete that may have arrived"),
        pytest.param(broken(nothing_sent=True), "POST", False, True, True, id="nothing went out"),
        pytest.param(broken(nothing_sent=True), "POST", True, True, False, id="body used up"),
        pytest.param(broken(), "GET", True, True, False, id="get with a body"),
        pytest.param(broken(), "GET", False, False, False, id="fresh connection"),
        pytest.param(broken(answer_begun=True), "GET", False, True, False, id="answer begun"),
    ],
)
def test_a_second_attempt_needs_all_of_its_reasons(
    error: UpstreamBroken, method: str, has_body: bool, reused: bool, expected: bool
) -> None:
    assert may_repeat(error, method, has_body=has_body, reused=reused) is expected
