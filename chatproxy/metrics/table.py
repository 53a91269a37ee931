"""Every metric. `docs/metrics.md` has a row for each.

No label has a value that a caller can choose: routes are templates, callers and providers are
those of the settings, and whatever else a caller sends is folded into `other` or `none`.
"""

from chatproxy.metrics.series import Counter, Gauge, Histogram, Metric

#: Seconds. Most calls take some milliseconds here and some hundred at the provider; the limits in
#: the settings end them after 10 to 300.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
CONNECT_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

OF_ROUTE = ("route", "provider", "method", "status_class")

# Requests of callers.
REQUESTS = Counter("chatproxy_requests_total", "Requests that ended.", *OF_ROUTE, "caller")
FIRST_BYTE = Histogram(
    "chatproxy_time_to_first_byte_seconds",
    "From a request's head to the first byte of its answer's body, or the end of one without.",
    *OF_ROUTE,
    bounds=SECONDS,
)
LAST_BYTE = Histogram(
    "chatproxy_time_to_last_byte_seconds",
    "From a request's head to the end of its answer.",
    *OF_ROUTE,
    bounds=SECONDS,
)
RECEIVED = Counter(
    "chatproxy_request_body_bytes_total", "Bytes of callers' bodies.", "route", "provider"
)
SENT = Counter(
    "chatproxy_response_body_bytes_total", "Bytes of answers' bodies.", "route", "provider"
)
IN_FLIGHT = Gauge(
    "chatproxy_requests_in_flight", "Requests that are being served, those below /-/ left out."
)
BROKEN = Counter(
    "chatproxy_broken_exchanges_total",
    "Requests that ended in an error or were cut, by the side that was at fault.",
    "provider",
    "side",
)

# Connections of callers.
CONNECTIONS = Gauge("chatproxy_connections", "Open connections of callers.")
MOST_CONNECTIONS = Gauge("chatproxy_connections_limit", "Connections that the workers may hold.")
ENDED_WAITS = Counter(
    "chatproxy_connections_ended_total",
    "Connections whose caller kept a worker waiting, ended to make room for another.",
)

SOCKETS = Gauge("chatproxy_sockets", "Open sockets of clients, relayed ones among them.")
SOCKETS_ENDED = Counter(
    "chatproxy_sockets_ended_total",
    "Sockets that ended, by who or what ended them: `token` is the end of the client's token.",
    "by",
)

# The way to providers, and to other servers that they need.
UPSTREAM_CALLS = Counter(
    "chatproxy_upstream_calls_total",
    "Calls that an upstream answered, the sidecar's own among them.",
    "provider",
    "status_class",
)
UPSTREAM_ANSWER = Histogram(
    "chatproxy_upstream_answer_seconds",
    "From a call's beginning to the head of its answer; an upload in between counts.",
    "provider",
    bounds=SECONDS,
)
UPSTREAM_FAILURES = Counter(
    "chatproxy_upstream_failures_total",
    "Calls without a whole answer, and refusals of the sidecar's own credential, by kind.",
    "provider",
    "kind",
)
UPSTREAM_CREDENTIAL = Gauge(
    "chatproxy_upstream_credential",
    "Workers to which the provider's last answer said so of the sidecar's own credential.",
    "provider",
    "verdict",
)
UPSTREAM_CONNECTIONS = Gauge(
    "chatproxy_upstream_connections", "Open connections to an upstream.", "provider"
)
UPSTREAM_IDLE = Gauge(
    "chatproxy_upstream_idle_connections", "Those of them that are in no call.", "provider"
)
UPSTREAM_OPENED = Counter(
    "chatproxy_upstream_connections_opened_total", "Connections that were opened.", "provider"
)
UPSTREAM_REUSED = Counter(
    "chatproxy_upstream_connections_reused_total",
    "Calls that began on a kept connection.",
    "provider",
)
UPSTREAM_CLOSED = Counter(
    "chatproxy_upstream_connections_closed_total", "Connections that were closed.", "provider"
)
UPSTREAM_WAIT = Histogram(
    "chatproxy_upstream_connect_seconds",
    "How long a call waited for a new connection: name, TCP, proxy and TLS.",
    "provider",
    bounds=CONNECT_SECONDS,
)

# Identity.
TOKENS_MINTED = Counter(
    "chatproxy_tokens_minted_total",
    "User tokens that were made, or bound for a platform that chose them.",
    "provider",
)
TOKENS_REFUSED = Counter(
    "chatproxy_tokens_refused_total", "User tokens that were not valid.", "provider", "reason"
)
TOKENS_REVOKED = Counter(
    "chatproxy_token_revocations_total", "Revocations of a user's tokens.", "provider"
)
WEBHOOK_VERDICTS = Counter(
    "chatproxy_webhook_verdicts_total", "Webhooks that were checked.", "provider", "verdict"
)
WEBHOOK_DELIVERIES = Counter(
    "chatproxy_webhook_deliveries_total",
    "Webhooks that were received, by what became of them.",
    "provider",
    "outcome",
)
AUTHENTICATION_FAILURES = Counter(
    "chatproxy_authentication_failures_total",
    "Requests whose credential was missing or not good.",
    "provider",
)
ACCESS_REFUSALS = Counter(
    "chatproxy_access_refusals_total",
    "Calls that the access document does not allow.",
    "caller",
    "reason",
)
LIMIT_HITS = Counter(
    "chatproxy_limit_hits_total", "Requests answered 429, by the limit that was used up.", "limit"
)

# Permissions that follow a document.
PERMISSIONS_PENDING = Gauge(
    "chatproxy_permissions_pending",
    "1 while the permissions document is not in force as a whole, else 0.",
    "provider",
)
PERMISSIONS_ATTEMPTS = Counter(
    "chatproxy_permissions_attempts_total",
    "Attempts to put the permissions document in force, by what came of each.",
    "provider",
    "outcome",
)
PERMISSIONS_WRITES = Counter(
    "chatproxy_permissions_writes_total",
    "Calls by which permissions were changed at a provider.",
    "provider",
)

# What the sidecar depends on.
DIRECTORY_FAULTS = Counter(
    "chatproxy_directory_faults_total", "Questions to the database that failed.", "work"
)
REDIS_FAULTS = Counter("chatproxy_redis_faults_total", "Questions to Redis that failed.")

# The server.
SETTINGS_GENERATION = Gauge(
    "chatproxy_settings_generation",
    "1 for the settings of the start, one more for each change that was taken over.",
)
SETTINGS_GOOD = Gauge(
    "chatproxy_settings_last_load_successful", "1, or 0 where the last change was refused."
)
SETTINGS_LOADED_AT = Gauge(
    "chatproxy_settings_last_success_timestamp_seconds",
    "When settings were last taken over, in epoch seconds.",
)
SETTINGS_REFUSED_AT = Gauge(
    "chatproxy_settings_last_failure_timestamp_seconds",
    "When a change was last refused, in epoch seconds, or 0.",
)
SETTINGS_UNUSABLE = Counter(
    "chatproxy_settings_unusable_total",
    "Changes that a worker could not take over, though they were found to be good.",
)
STARTED_AT = Gauge(
    "chatproxy_start_timestamp_seconds", "When the server started, in epoch seconds."
)
WORKERS = Gauge("chatproxy_workers", "Workers that are alive.")
WORKERS_STARTED = Counter("chatproxy_workers_started_total", "Workers that were started.")
DRAINING = Gauge("chatproxy_draining", "1 while the service is being stopped, else 0.")
BUILD = Gauge("chatproxy_build_info", "Always 1.", "version", "python")

TABLE: tuple[Metric, ...] = tuple(one for one in globals().values() if isinstance(one, Metric))
