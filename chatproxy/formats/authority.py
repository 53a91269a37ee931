"""The authority: what names a server in a URL and in `Host`."""

import re

#: A host and an optional port (RFC 3986 section 3.2), no user in front (RFC 9110 section 4.2.4).
AUTHORITY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

PORT = re.compile(r":[0-9]+\Z")


def host_in(authority: str) -> str:
    """Return the host without its port; empty if it is malformed, and may hold a password."""
    return PORT.sub("", authority) if AUTHORITY.fullmatch(authority) else ""
