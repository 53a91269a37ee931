"""HS256 tokens and HMAC digests. Reads no clock, knows no network and no Flask."""
