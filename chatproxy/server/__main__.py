"""`python -P -m chatproxy.server …`: gunicorn, as `chatproxy serve` runs it."""

from gunicorn.app.wsgiapp import WSGIApplication


class Server(WSGIApplication):  # type: ignore[misc]  # gunicorn has no annotations
    """gunicorn's command, but for one thing: it imports nothing from the working directory."""

    def chdir(self) -> None:
        """Stay where we are, and add nothing to the module path."""
        # gunicorn puts the working directory first there, so a file `redis.py` that somebody keeps
        # in it would be imported in place of the library.


if __name__ == "__main__":
    Server("%(prog)s [OPTIONS] [APP_MODULE]", prog="chatproxy serve").run()
