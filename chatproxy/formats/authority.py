"""The authority: what names a server in a URL and in `Host`."""

import ipaddress
import re

#: A host and an optional port (RFC 3986 section 3.2), no user in front (RFC 9110 section 4.2.4).
AUTHORITY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

#: Names that are never asked of a public name server (RFC 6761 section 6.3).
LOCALHOST = re.compile(r"(?:[a-z0-9_-]+\.)*localhost")


def host_of(authority: str) -> str:
    """Return the host of a valid authority in one spelling: no port, no dot at the end."""
    if authority.startswith("["):
        address = authority[1:].partition("]")[0]
        return str(_address(address) or address)

    return authority.partition(":")[0].removesuffix(".").lower()


def is_loopback(host: str) -> bool:
    """Say whether a host, without brackets, is this machine to whoever names it."""
    address = _address(host)

    if address is None:
        return LOCALHOST.fullmatch(host.lower()) is not None

    # Before Python 3.13 `::ffff:127.0.0.1` is not counted among them.
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def is_ipv6(host: str) -> bool:
    """Say whether a host, without brackets, is an IPv6 address."""
    return isinstance(_address(host), ipaddress.IPv6Address)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
