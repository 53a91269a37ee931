"""The settings of the limits."""

import dataclasses
import importlib.util
import re
from collections.abc import Iterator

from chatproxy.formats.rates import Rate
from chatproxy.settings.fields import OneOf, RateField, Text
from chatproxy.settings.variables import Section, variable

USER = r"(?:[^\s/?#]*@)?"
HOST = r"(?:[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*|\[[0-9A-Fa-f:.]+\])"
TLS = (
    r"ssl_(?:(?:ca_certs|certfile|keyfile)=[^\s&#]+|cert_reqs=(?:none|optional|required)"
    r"|check_hostname=(?:true|false))"
)

#: What redis-py accepts, without the time limits that a URL could also set. A `/`, `?` or `#` in a
#: password matches nowhere: redis-py would take a part of such a password for the host.
REDIS_URL = re.compile(
    rf"redis(?P<tls>s)?://{USER}{HOST}(?::(?P<port>[0-9]{{1,5}}))?(?:/[0-9]{{0,5}})?"
    rf"(?(tls)(?:\?{TLS}(?:&{TLS})*)?)"
    rf"|unix://{USER}/[^\s?#]+(?:\?db=[0-9]{{1,5}})?"
)


def _is_redis_url(text: str) -> bool:
    found = REDIS_URL.fullmatch(text)
    return found is not None and 0 < int(found["port"] or 1) < 65536


@dataclasses.dataclass(frozen=True)
class LimiterSettings(Section):
    """The settings of the limits."""

    token_rate: Rate = variable(
        "TOKEN_RATE_LIMIT",
        RateField(),
        default=Rate.read("10 per 15 minutes"),
        meaning="How often tokens may be issued for one user by one API key, and exchanged by "
        "one user.",
    )
    auth_failures: Rate = variable(
        "AUTH_FAILURE_LIMIT",
        RateField(),
        default=Rate.read("10 per 5 minutes"),
        meaning="How many API keys that are not ours one address may show, and how often one "
        "and the same bad token. Above it the answer to a bad one is 429; good ones are always "
        "let in.",
    )
    redis_url: str | None = variable(
        "REDIS_URL",
        Text(
            _is_redis_url,
            "a URL such as redis://:password@host:6379/0, the password percent-encoded",
        ),
        default=None,
        meaning="Where counters are shared by workers and replicas: `redis://`, `rediss://` or "
        "`unix://`. Absent: each worker counts for itself.",
        secret=True,
    )
    without_redis: str = variable(
        "LIMITS_WITHOUT_REDIS",
        OneOf("count", "refuse", "allow"),
        default="count",
        meaning="What happens while Redis is away: `count` in each worker, `refuse` what is "
        "limited with 503, or `allow` it uncounted.",
    )

    def problems(self) -> Iterator[str]:
        """Refuse Redis if its client library is not installed."""
        # Found, not imported: this runs in the master process, before gevent has patched.
        if self.redis_url is not None and importlib.util.find_spec("redis") is None:
            yield "REDIS_URL: needs the extra `redis`: pip install 'chatproxy[redis]'."

    @property
    def counts_in_each_worker(self) -> bool:
        """Say whether workers count apart, so that the limits grow with their number."""
        return self.redis_url is None
