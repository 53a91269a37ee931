"""What the sidecar needs of gunicorn beyond its settings.

Each file does one thing that a WSGI application cannot do by itself: read a body as it arrives,
keep an answer's own `Server` and `Date`, close idle connections at a shutdown.
"""
