"""Minting HS256 tokens."""

import warnings
from collections.abc import Mapping
from typing import Any

import jwt


def mint(claims: Mapping[str, Any], key: str) -> str:
    """Sign the claims, in their order, as a compact HS256 JWT.

    A short key is a matter for the start, which warns once; here it is used,
    because the provider chose it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        return jwt.encode(dict(claims), key, algorithm="HS256")
