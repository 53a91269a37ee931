"""Which errors can occur where, beside those that a view or its guard raises by itself."""

from chatproxy.errors import (
    BadTarget,
    BodyStalled,
    BodyTooLarge,
    CallerAmbiguous,
    CallerLimited,
    CallerNotAllowed,
    CallerUnknown,
    ChatproxyError,
    DirectoryUnavailable,
    InvalidBody,
    LimiterUnavailable,
    MalformedBody,
    NotConfigured,
    ShuttingDown,
    TooManyRequests,
    TooMuchHeld,
    TruncatedBody,
    Unauthenticated,
    UpstreamBroken,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)

Errors = tuple[type[ChatproxyError], ...]

#: On every route: the head is read before the route is looked for.
#: And whatever it does may not be done in time when the sidecar is stopped.
EVERYWHERE: Errors = (BadTarget, MalformedBody, ShuttingDown, ChatproxyError)

#: Where a body is read whole.
READING: Errors = (TruncatedBody, BodyStalled, BodyTooLarge, TooMuchHeld)
#: Where it has to fit a schema.
BODY: Errors = (*READING, MalformedBody, InvalidBody)

#: Where the directory is asked.
DIRECTORY: Errors = (DirectoryUnavailable,)
#: Where something is counted.
LIMITS: Errors = (TooManyRequests, LimiterUnavailable)
#: Where a caller shows a credential that the directory knows.
CREDENTIAL: Errors = (Unauthenticated, *LIMITS, *DIRECTORY)

#: Where a caller shows a key of the access document.
ACCESS: Errors = (CallerAmbiguous, CallerUnknown, CallerNotAllowed, CallerLimited, *LIMITS)

#: Where a call goes on to a provider.
FORWARDING: Errors = (
    TruncatedBody,
    BodyStalled,
    BodyTooLarge,
    UpstreamUnreachable,
    UpstreamBroken,
    UpstreamTimeout,
    NotConfigured,
)
#: Where the provider is told of a change by a call of our own.
TELLING: Errors = (UpstreamError, UpstreamTimeout)
