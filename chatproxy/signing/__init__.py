"""HS256 tokens and HMAC digests. No clock of its own, no network, no Flask.

`compact` needs no library, so that settings can be checked without loading one.
"""
