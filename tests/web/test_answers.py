"""Answers of our own in JSON: as Flask would give them, without white space and in our order."""

import pytest
from flask import Flask, Response, jsonify
from flask.testing import FlaskClient

from chatproxy.web.answers import Json, JsonAnswer, not_sniffed, private, private_listing

CONTENT = {"b": [1, 2.5, None, True], "a": 'ü"\\\u2028', "c": {"z": 1, "y": {}}}
TEXT = b'{"b":[1,2.5,null,true],"a":"\\u00fc\\"\\\\\\u2028","c":{"z":1,"y":{}}}\n'


def with_status(status: int) -> Response:
    answer = jsonify(CONTENT)
    answer.status_code = status
    return answer


class Application(Flask):
    json_provider_class = Json


@pytest.fixture
def client() -> FlaskClient:
    app = Application("chatproxy", static_folder=None)
    app.after_request(not_sniffed)
    app.add_url_rule("/plain", "plain", lambda: jsonify(CONTENT))
    app.add_url_rule("/private", "private", lambda: private(CONTENT, 201))
    app.add_url_rule("/listed", "listed", lambda: private_listing({"rows": iter([CONTENT])}))
    app.add_url_rule("/<int:status>", view_func=with_status)
    return app.test_client()


def test_it_is_what_flask_would_answer(client: FlaskClient) -> None:
    answer = client.get("/plain")

    assert isinstance(answer.data, bytes)
    assert answer.data == TEXT
    assert dict(answer.headers) == {
        "Content-Type": "application/json",
        "Content-Length": str(len(TEXT)),
        "X-Content-Type-Options": "nosniff",
    }


def test_a_status_and_fields_of_its_own_go_with_it(client: FlaskClient) -> None:
    answer = client.get("/private")

    assert (answer.status, answer.headers["Cache-Control"]) == ("201 CREATED", "no-store")


def test_rows_are_written_alike(client: FlaskClient) -> None:
    assert client.get("/listed").data == b'{"rows":[' + TEXT[:-1] + b"]}\n"


def test_head_has_the_fields_alone(client: FlaskClient) -> None:
    answer = client.head("/plain")

    assert answer.data == b""
    assert answer.headers["Content-Length"] == str(len(TEXT))


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(client: FlaskClient, status: int) -> None:
    answer = client.get(f"/{status}")

    assert answer.data == b""
    assert "Content-Length" not in answer.headers


def test_every_json_answer_is_one(client: FlaskClient) -> None:
    with client.application.app_context():
        assert isinstance(jsonify({}), JsonAnswer)
