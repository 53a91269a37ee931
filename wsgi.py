"""`wsgi:app` in a checkout; elsewhere it is `chatproxy.wsgi:app`."""

from chatproxy.wsgi import app

__all__ = ["app"]
