"""What the sidecar needs of gunicorn beyond its settings.

Each file does what a WSGI application cannot do by itself: `input` reads a body as it arrives,
`response` keeps an answer as it is, `refusal` answers what is no request, `worker` closes idle
connections, `arbiter` replaces workers, `drain` announces a stop, `caller` knows
who left; `start` turns a command into the server.
"""
