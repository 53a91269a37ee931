"""A TLS end before a plain server, for clients that speak nothing else."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import trustme


@contextlib.contextmanager
def tls_before(port: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the URL of a TLS end before a local port, and the file of its authority."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = threading.Thread(target=_accept, args=(listener, context, port), daemon=True)
        acceptor.start()
        yield f"https://localhost:{listener.getsockname()[1]}", folder / "ca.pem"
        listener.shutdown(socket.SHUT_RDWR)
        acceptor.join(5)


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return

        with contextlib.suppress(OSError), context.wrap_socket(accepted, server_side=True) as near:
            _serve(near, port)


def _serve(near: ssl.SSLSocket, port: int) -> None:
    """Carry one request and its answer: the far end closes after it."""
    with socket.create_connection(("127.0.0.1", port)) as far:
        head = near.recv(65536)
        far.sendall(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))

        with contextlib.suppress(TimeoutError):
            near.settimeout(0.2)

            while more := near.recv(65536):
                far.sendall(more)

        while piece := far.recv(65536):
            near.sendall(piece)
