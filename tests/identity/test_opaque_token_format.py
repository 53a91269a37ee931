"""Texts of tokens made here: recognised by their names, and had again with their secret."""

import re

import pytest

from chatproxy.identity.key_format import KeyFormat, digest_of
from chatproxy.identity.opaque_token_format import NAME_BYTES, PREFIX, OpaqueTokenFormat
from chatproxy.identity.tables import bound_tokens
from chatproxy.identity.token_records import OpaqueToken

OLD, NEW = "o" * 32, "n" * 32
END = 1_800_003_600.0


def made(*signing_secrets: str) -> tuple[OpaqueToken, str]:
    """A token made here and its name."""
    token = OpaqueTokenFormat(signing_secrets or (OLD,)).make(END)
    assert token.name is not None
    return token, token.name


def test_each_text_is_another() -> None:
    signer = OpaqueTokenFormat([OLD])
    tokens = [signer.make(END) for _ in range(100)]

    assert len({token.text for token in tokens}) == len({token.name for token in tokens}) == 100


def test_a_text_is_recognised_by_its_name() -> None:
    token, name = made()

    assert token.expires == END
    assert re.fullmatch(rf"{PREFIX}[\w-]{{{NAME_BYTES * 4 // 3}}}", name, re.ASCII)
    assert re.fullmatch(rf"{name}\.[\w-]{{43}}", token.text, re.ASCII)


def test_a_name_fits_into_its_column() -> None:
    assert len(made()[1]) <= bound_tokens.c.name.type.length


@pytest.mark.parametrize("own", [True, False], ids=["somebody's own", "made here"])
def test_a_token_does_not_show_its_text(own: bool) -> None:
    token = OpaqueToken("somebody's-own", END) if own else made()[0]

    assert token.text not in f"{token!r} {token}"
    assert token.text.rpartition(".")[2] not in f"{token!r} {token}"


def test_a_text_can_be_had_again() -> None:
    token, name = made()

    assert OpaqueTokenFormat([OLD]).text_of(name, digest_of(token.text)) == token.text


def test_a_text_can_be_had_again_with_a_secret_that_is_retired() -> None:
    token, name = made(OLD)

    assert OpaqueTokenFormat([NEW, OLD]).text_of(name, digest_of(token.text)) == token.text


def test_without_its_secret_a_text_is_gone() -> None:
    token, name = made(OLD)

    assert OpaqueTokenFormat([NEW]).text_of(name, digest_of(token.text)) is None


def test_the_first_secret_signs() -> None:
    token, name = made(NEW, OLD)

    assert OpaqueTokenFormat([NEW]).text_of(name, digest_of(token.text)) == token.text
    assert OpaqueTokenFormat([OLD]).text_of(name, digest_of(token.text)) is None


def test_a_digest_with_a_digit_changed_names_no_text() -> None:
    token, name = made()
    digest = digest_of(token.text)
    changed = [
        f"{digest[:place]}{int(digest[place], 16) ^ 1:x}{digest[place + 1 :]}"
        for place in range(len(digest))
    ]

    assert [OpaqueTokenFormat([OLD]).text_of(name, one) for one in changed] == [None] * len(digest)


@pytest.mark.parametrize("digest", ["", "0", "é" * 64, digest_of(""), digest_of("it_")], ids=ascii)
def test_any_other_digest_names_no_text(digest: str) -> None:
    _, name = made()

    assert OpaqueTokenFormat([OLD]).text_of(name, digest) is None


def test_the_name_of_one_and_the_digest_of_another_are_no_text() -> None:
    (one, name), (another, other_name) = made(), made()

    assert OpaqueTokenFormat([OLD]).text_of(name, digest_of(another.text)) is None
    assert OpaqueTokenFormat([OLD]).text_of(other_name, digest_of(one.text)) is None


def test_a_token_is_no_api_key() -> None:
    token, _ = made()

    assert KeyFormat([OLD]).id_of(token.text) is None
