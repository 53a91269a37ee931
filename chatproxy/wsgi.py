"""The application that a WSGI server serves: `chatproxy.wsgi:app`."""

from chatproxy.app import create_app

app = create_app()
