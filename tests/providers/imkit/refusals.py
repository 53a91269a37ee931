"""How IMKit says no."""

from tests.calls import Reply


def refusal(reply: Reply) -> tuple[int, int, str]:
    """Status, RC and code of a failure, whose shape is the same everywhere."""
    assert sorted(reply.json) == ["RC", "RM", "error"], reply.json
    assert reply.json["RM"] == reply.json["error"]["message"] != ""
    return reply.status, reply.json["RC"], reply.json["error"]["code"]


def refused_with(reply: Reply) -> tuple[int, str]:
    """Status and code of a refusal whose envelope names the status of the answer."""
    status, named, code = refusal(reply)
    assert named == status
    return status, code
