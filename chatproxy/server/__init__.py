"""What the sidecar needs of gunicorn beyond its settings.

Each file here stands for one thing that a WSGI application cannot do by itself:
read a body as it arrives, leave an answer's own `Server` and `Date` alone, close
idle connections at a shutdown.
"""
