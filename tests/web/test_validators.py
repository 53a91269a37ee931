"""Texts that are refused wherever they would be stored."""

import pytest
from marshmallow import ValidationError

from chatproxy.web.validators import picture_url


@pytest.mark.parametrize(
    "text",
    [
        *("picture.png", "//host/picture.png", "javascript:alert(1)", "vbscript:x"),
        *("http:picture.png", "https:///picture.png", "https://", "http://[::1"),
        *("https://host/a picture.png", "https://host/\u00a0", "https://host/a\n"),
    ],
)
def test_what_no_client_could_show_is_no_pictures_url(text: str) -> None:
    with pytest.raises(ValidationError):
        picture_url(text)


@pytest.mark.parametrize(
    "text", ["https://host/a.png", "http://host", "data:image/png;base64,AA==", "urn:x:y"]
)
def test_a_url_that_may_be_a_pictures_is_taken(text: str) -> None:
    picture_url(text)
