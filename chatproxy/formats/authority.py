"""The part of a URL, and the `Host` field, that names a server."""

import re

#: A host and perhaps a port; no user in front (RFC 9110 section 4.2.4).
AUTHORITY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

PORT = re.compile(r":[0-9]+\Z")


def host_in(authority: str) -> str:
    """Return the host without its port; nothing where it is no host, but perhaps a password."""
    return PORT.sub("", authority) if AUTHORITY.fullmatch(authority) else ""
