"""The authority: what names a server in a URL and in `Host`."""

import re

#: A host and an optional port (RFC 3986 section 3.2), no user in front (RFC 9110 section 4.2.4).
AUTHORITY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
