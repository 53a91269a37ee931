"""`/rest/v1/agents` and `/rest/v1/customer-users`, and the commands behind them."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests import commands
from tests.calls import call
from tests.databases import KINDS, new_directory
from tests.providers.performchat.conftest import SECRETS, Company
from tests.sidecar import Sidecar, bare_environ


@pytest.fixture(scope="module")
def other(company: Company) -> Company:
    """Another company of the same sidecar, with three agents and 25 users."""
    app = company.run("apps", "create", "Lists")["id"]
    key = company.run("keys", "create", "lists", "--app", app)
    made = Company(company.sidecar, key, {})

    for name in ("One", "Two", "Three"):
        company.run("agents", "create", name, "--app", app)

    for number in range(25):
        made.token(f"user {number:02}")

    return made


def test_agents_come_in_pages(other: Company) -> None:
    first = other.ask("GET", "/agents?limit=2").json
    second = other.ask("GET", "/agents?limit=2&page=2").json

    assert [agent["name"] for agent in first["data"] + second["data"]] == ["One", "Two", "Three"]
    assert first["pagination"] == {"page": 1, "limit": 2, "total": 3, "total_pages": 2}
    assert sorted(first["data"][0]) == ["active", "created_at", "id", "name", "updated_at"]


def test_one_agent_has_its_prompt_template(other: Company) -> None:
    agent = other.ask("GET", "/agents").json["data"][0]

    assert other.ask("GET", f"/agents/{agent['id']}").json == agent | {"prompt_template": None}


def test_another_companys_agent_is_404(other: Company) -> None:
    assert other.ask("GET", "/agents/a1").status == 404
    assert other.ask("GET", "/agents/nobody").status == 404


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=x", "limit=0", "limit=101", "page=%D9%A1"]
)
@pytest.mark.parametrize("path", ["/agents", "/customer-users"])
def test_a_bad_page_is_400(company: Company, path: str, query: str) -> None:
    assert company.ask("GET", f"{path}?{query}").status == 400


@pytest.mark.parametrize("path", ["/agents", "/customer-users"])
def test_a_bad_page_is_told_before_a_body_that_cannot_be_read(company: Company, path: str) -> None:
    reply = call(company.sidecar.port, "GET", f"/rest/v1{path}?page=0", body=b"{")

    assert (reply.status, reply.json["message"].partition(":")[0]) == (400, "page")


@pytest.mark.parametrize("path", ["/agents", "/agents/a1", "/customer-users"])
def test_lists_need_the_key(company: Company, path: str) -> None:
    reply = call(company.sidecar.port, "GET", f"/rest/v1{path}")

    assert (reply.status, reply.json["message"]) == (401, "Invalid API credentials")


def test_users_come_in_pages(other: Company) -> None:
    pages = [other.ask("GET", f"/customer-users?page={page}").json for page in (1, 2, 3)]
    ids = [user["external_id"] for page in pages for user in page["data"]]

    assert [len(page["data"]) for page in pages] == [20, 5, 0]
    assert ids == [f"user {number:02}" for number in range(25)]
    assert pages[0]["pagination"] == {"page": 1, "limit": 20, "total": 25, "total_pages": 2}


def test_users_are_filtered(other: Company) -> None:
    found = other.ask("GET", "/customer-users", body={"external_id": "user 07"}).json

    assert [user["external_id"] for user in found["data"]] == ["user 07"]
    assert found["pagination"]["total"] == 1
    assert other.ask("GET", "/customer-users", body={"name": "nobody"}).json["data"] == []


def test_a_user_is_changed(other: Company) -> None:
    user = other.token("user 09")["user"]
    body = {"name": "Älice", "email": "a@example.com", "metadata": {"plan": "pro"}}
    changed = other.ask("PUT", f"/customer-users/{user['id']}", body=body)
    again = other.ask("PUT", f"/customer-users/{user['id']}", body={"metadata": {"seat": 7}})

    assert (changed.status, changed.json["name"]) == (200, "Älice")
    assert changed.json["updated_at"]
    assert again.json["metadata"] == {"plan": "pro", "seat": 7}
    assert again.json["email"] == "a@example.com"
    assert changed.json["last_seen_at"] == again.json["last_seen_at"]


@pytest.mark.parametrize(
    "body",
    [{"name": 7}, {"name": ""}, {"email": "nobody"}, {"metadata": []}, {"name": "\0"}],
    ids=ascii,
)
def test_a_bad_change_is_400(other: Company, body: dict[str, Any]) -> None:
    user = other.token("user 09")["user"]

    assert other.ask("PUT", f"/customer-users/{user['id']}", body=body).status == 400


def test_an_unknown_user_is_404(company: Company, other: Company) -> None:
    foreign = other.token("user 09")["user"]["id"]

    for user_id in ("nobody", foreign):
        assert company.ask("PUT", f"/customer-users/{user_id}", body={"name": "x"}).status == 404


def test_agents_are_seeded_at_the_start_and_left_alone_later(
    output_folder: Path, tmp_path: Path
) -> None:
    document = tmp_path / "agents.json"
    document.write_text(
        json.dumps([{"id": "a1", "name": "Seeded"}, {"id": "off", "name": "Off", "active": False}])
    )
    environ = SECRETS | {
        "PROVIDERS": "performchat",
        "PERFORMCHAT_AGENTS": str(document),
        "DATABASE_URL": f"sqlite:///{tmp_path}/d.db",
    }

    for number in range(2):
        with Sidecar(output_folder / f"seeded-{number}.log", environ) as sidecar:
            listed = commands.answer(sidecar.environ, "agents", "list")
            commands.answer(sidecar.environ, "agents", "deactivate", "a1")

        assert [(one["id"], one["name"], one["active"]) for one in listed] == [
            ("a1", "Seeded", number == 0),
            ("off", "Off", False),
        ]


@pytest.mark.parametrize("kind", KINDS)
def test_replicas_that_seed_at_once_all_start(tmp_path: Path, kind: str) -> None:
    (tmp_path / "agents.json").write_text(
        json.dumps([{"id": f"g{number}", "name": "G"} for number in range(30)])
    )

    with new_directory(kind, tmp_path) as url:
        environ = bare_environ() | {"DATABASE_URL": url, "KEY_SIGNING_SECRET": "k" * 40}
        seeding = ("agents", "import", str(tmp_path / "agents.json"))

        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda _: commands.run(environ, *seeding, "--json"), range(4)))

    assert [one.returncode for one in done] == [0] * 4
    assert sum(json.loads(one.stdout)["made"] for one in done) == 30


@pytest.mark.parametrize(
    "agents",
    [
        [{"id": "a", "name": "A"}, {"id": "", "name": "B"}],
        [{"id": "a", "name": "A"}, {"id": "a", "name": "B"}],
        [{"id": "a", "name": "A"}, {"id": "b", "name": "B", "app": "nowhere"}],
        [{"id": "a", "name": "A"}, {"id": "b", "name": ""}],
    ],
)
def test_of_a_document_with_a_fault_nothing_is_taken(
    tmp_path: Path, agents: list[dict[str, str]]
) -> None:
    (tmp_path / "agents.json").write_text(json.dumps(agents))
    environ = bare_environ() | {"DATABASE_URL": f"sqlite:///{tmp_path}/d.db"}
    done = commands.run(environ, "agents", "import", str(tmp_path / "agents.json"))

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert commands.answer(environ, "agents", "list") == []


def test_two_companies_may_have_agents_of_one_id(tmp_path: Path) -> None:
    environ = bare_environ() | {"DATABASE_URL": f"sqlite:///{tmp_path}/d.db"}
    commands.answer(environ, "apps", "create", "Other", "--id", "other")

    for app in ("default", "other"):
        commands.answer(environ, "agents", "create", "A", "--id", "a", "--app", app)

    commands.answer(environ, "agents", "deactivate", "a", "--app", "other")
    listed = commands.answer(environ, "agents", "list")
    assert {one["app"]: one["active"] for one in listed} == {"default": True, "other": False}


@pytest.mark.parametrize("content", ["{", "{}", '[{"id": "x"}]', '[{"id": 7, "name": "x"}]'])
def test_a_document_that_is_no_list_of_agents_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "agents.json").write_text(content)
    environ = bare_environ() | {"DATABASE_URL": f"sqlite:///{tmp_path}/d.db"}
    done = commands.run(environ, "agents", "import", str(tmp_path / "agents.json"))

    assert done.returncode == 1
    assert "is not a list of agents" in done.stderr
    assert "Traceback" not in done.stderr
