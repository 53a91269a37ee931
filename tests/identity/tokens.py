"""Tokens as the directory that a test has open takes them."""

from chatproxy.errors import TokenRevoked
from chatproxy.identity.directory import Directory
from chatproxy.identity.token_records import Issued


def is_good(directory: Directory, token: Issued) -> bool:
    try:
        directory.tokens.check(token)
    except TokenRevoked:
        return False

    return True
