"""`/v1` by the access document, with limits, and where providers are off. In this process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.providers import SETTINGS
from tests.access.samples import BACKEND, OTHER, caller, write
from tests.badinput.canned import CannedUpstream
from tests.databases import new_directory
from tests.directories import beside
from tests.everything import environ_before, recorder

KEY = {"X-Chatproxy-Key": BACKEND}
OTHERS_KEY = {"X-Chatproxy-Key": OTHER}
Client = Callable[..., FlaskClient]


@pytest.fixture(scope="module")
def provider() -> Iterator[CannedUpstream]:
    with recorder() as upstream:
        yield upstream


@pytest.fixture
def client(provider: CannedUpstream, tmp_path: Path) -> Iterator[Client]:
    with new_directory("sqlite", tmp_path) as url:

        @contextmanager
        def before(**changes: str) -> Iterator[FlaskClient]:
            environ = environ_before(provider.url) | {"DATABASE_URL": url} | changes
            # The recorder's answers are none of IMKit's.
            environ = {
                name: text for name, text in environ.items() if not name.startswith("IMKIT_")
            }

            if "performchat" in environ["PROVIDERS"]:
                with beside(environ) as directory:
                    directory.agents.create("Agent", "default")

            app = create_app(settings.load(SETTINGS, environ))
            yield app.test_client()
            app.extensions["chatproxy"].close()

        yield before


def give(client: FlaskClient, user_id: str = "7", headers: Any = None, **fields: Any) -> Any:
    return client.post("/v1/tokens", json={"userId": user_id, **fields}, headers=headers)


def statuses(answer: Any) -> dict[str, str]:
    return {name: one["status"] for name, one in answer.get_json()["providers"].items()}


@pytest.mark.parametrize(
    ("on", "named"), [("stream", None), ("chatsdk,imbachat", None), ("stream,chatsdk", ["chatsdk"])]
)
def test_only_providers_that_are_on(client: Any, on: str, named: list[str] | None) -> None:
    with client(PROVIDERS=on) as one:
        answer = give(one, **({} if named is None else {"providers": named}))

    assert answer.status_code == 200
    assert statuses(answer) == dict.fromkeys(named or on.split(","), "issued")


def test_one_that_is_off_is_said_before_anything_is_done(client: Any) -> None:
    with client(PROVIDERS="chatsdk") as one:
        answer = give(one, providers=["chatsdk", "imkit"])
        assert answer.status_code == 400
        assert answer.get_json() == {"errorMsg": "providers: imkit is off here. On: chatsdk."}
        assert one.get("/v1/users/7").status_code == 404


def test_the_providers_stand_below_the_prefix(client: Any) -> None:
    with client(PROVIDERS="chatsdk", SERVICE_PREFIX="/chat") as one:
        answer = one.post("/chat/v1/tokens", json={"userId": "7"})
        assert answer.get_json()["providers"]["chatsdk"]["connect"]["path"] == "/chat/api"
        assert one.get("/chat/v1/users/7").status_code == 200
        assert one.delete("/chat/v1/users/7/tokens").status_code == 200


def test_without_an_agent_performchat_says_what_to_do(client: Any, tmp_path: Path) -> None:
    with client(PROVIDERS="performchat") as one:
        services = one.application.extensions["chatproxy"]
        services.directory.agents.set_active("default", _only_agent(services), active=False)
        answer = give(one)

    assert answer.status_code == 503
    assert "chatproxy agents create" in answer.get_json()["providers"]["performchat"]["errorMsg"]


def _only_agent(services: Any) -> str:
    return str(services.directory.agents.first_active("default").id)


class TestLimits:
    def test_a_user_gets_so_many_and_each_has_its_own_count(self, client: Any) -> None:
        with client(PROVIDERS="chatsdk", TOKEN_RATE_LIMIT="2 per minute") as one:
            assert [give(one).status_code for _ in range(3)] == [200, 200, 429]
            refused = give(one)
            assert list(refused.get_json()) == ["errorMsg"]
            assert refused.headers["Retry-After"]
            assert give(one, "8").status_code == 200

    def test_what_failed_on_our_side_is_not_counted(
        self, client: Any, provider: CannedUpstream
    ) -> None:
        """With a name Stream is asked, and the recorder answers nothing of use."""
        with client(PROVIDERS="stream,chatsdk", TOKEN_RATE_LIMIT="1 per minute") as one:
            failed = [give(one, name="Ann", providers=["stream"]).status_code for _ in range(3)]
            assert failed == [502, 502, 502]
            assert give(one).status_code == 200
            assert give(one).status_code == 429

    def test_without_a_directory_and_a_document_nothing_is_counted(self, client: Any) -> None:
        with client(PROVIDERS="stream") as one:
            answer = give(one)

        assert answer.status_code == 200
        assert "X-RateLimit-Limit" not in answer.headers


class TestAccess:
    @pytest.fixture
    def guarded(self, client: Any, tmp_path: Path) -> Iterator[FlaskClient]:
        whole = caller(providers=["stream", "chatsdk"], endpoints=["/v1"], users=["*"])
        narrow = caller(OTHER, providers=["stream"], endpoints=["/v1"], users=["7", "team-*"])
        path = write(tmp_path / "access.json", whole=whole, narrow=narrow)

        with client(PROVIDERS="stream,chatsdk", ACCESS_CONFIG=path) as one:
            yield one

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/v1/tokens"), ("DELETE", "/v1/users/7/tokens"), ("GET", "/v1/users/7")],
    )
    def test_it_needs_a_key(self, guarded: FlaskClient, method: str, path: str) -> None:
        answer = guarded.open(path, method=method, json={"userId": "7"})

        assert answer.status_code == 401
        assert list(answer.get_json()) == ["errorMsg"]

    @pytest.mark.parametrize(
        ("method", "path"),
        [("POST", "/v1/tokens"), ("DELETE", "/v1/users/bob/tokens"), ("GET", "/v1/users/bob")],
    )
    def test_a_caller_acts_for_its_users_only(
        self, guarded: FlaskClient, method: str, path: str
    ) -> None:
        answer = guarded.open(path, method=method, json={"userId": "bob"}, headers=OTHERS_KEY)

        assert answer.status_code == 403
        assert answer.get_json() == {"errorMsg": "narrow may not act for this user."}

    def test_a_caller_gets_tokens_of_its_providers_only(self, guarded: FlaskClient) -> None:
        assert statuses(give(guarded, headers=KEY)) == {"stream": "issued", "chatsdk": "issued"}
        answer = give(guarded, headers=OTHERS_KEY)

        assert answer.status_code == 207
        assert statuses(answer) == {"stream": "issued", "chatsdk": "refused"}
        refused = answer.get_json()["providers"]["chatsdk"]
        assert (refused["code"], refused["errorMsg"]) == (403, "narrow may not use chatsdk.")

        answer = give(guarded, headers=OTHERS_KEY, providers=["chatsdk"])
        assert answer.status_code == 403

    def test_it_sees_and_ends_at_its_providers_only(self, guarded: FlaskClient) -> None:
        token = give(guarded, headers=KEY, providers=["chatsdk"]).get_json()["providers"]
        ended = guarded.delete("/v1/users/7/tokens", headers=OTHERS_KEY).get_json()
        shown = guarded.get("/v1/users/7", headers=OTHERS_KEY).get_json()

        assert ended["complete"] is False
        assert ended["providers"]["chatsdk"]["status"] == "refused"
        bearer = {"Authorization": f"Bearer {token['chatsdk']['token']}"}
        assert guarded.get("/tokens/validate", headers=bearer).status_code == 200
        assert shown["providers"]["chatsdk"]["status"] == "refused"
        assert shown["directory"] is None
        assert guarded.get("/v1/users/7", headers=KEY).get_json()["directory"] is not None


def test_it_is_at_the_services_door_and_at_no_other(client: Any) -> None:
    with client(PROVIDERS="chatsdk", CLIENT_PORT="1") as one:
        rules = [
            rule
            for rule in one.application.url_map.iter_rules()
            if rule.rule.startswith("/v1/") and not rule.endpoint.endswith(".refuse")
        ]

    assert {rule.subdomain for rule in rules} == {"service"}
    assert len(rules) == 3
