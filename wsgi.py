"""The application that a WSGI server serves: `wsgi:app`."""

from chatproxy import create_app

app = create_app()
