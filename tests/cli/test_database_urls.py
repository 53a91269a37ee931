"""`chatproxy db upgrade` at an URL that leads nowhere: one message, without the password."""

import pytest

from tests import commands
from tests.sidecar import bare_environ, free_port

PASSWORD = "canary-url-password"
KEYS = {"KEY_SIGNING_SECRET": "k" * 40}


@pytest.mark.parametrize(
    ("place", "said", "code"),
    [
        ("127.0.0.1:{port}/d", "onnection refused", 3),
        ("127.0.0.1:{port},127.0.0.1:{port}/d", "onnection refused", 3),
        ("nowhere.invalid/d", "failed to resolve host", 3),
        ("%2Fnowhere/d", "No such file or directory", 3),
        ("127.0.0.1:{port}/d?service=nowhere", "nowhere", 3),
        ("127.0.0.1:{port}/d?host=a,b,c&port=1,2", "2 port numbers to 3 hosts", 3),
        ("127.0.0.1:{port}/d?pgbouncer=true", "pgbouncer in the URL is none of libpq's", 2),
        ("127.0.0.1:{port}/d?sslmode=on", "the value of sslmode in the URL", 2),
    ],
)
def test_it_is_one_message_without_the_password(place: str, said: str, code: int) -> None:
    url = f"postgresql://u:{PASSWORD}@{place.format(port=free_port())}"
    done = commands.run(bare_environ() | KEYS | {"DATABASE_URL": url}, "db", "upgrade")

    assert done.returncode == code
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert PASSWORD not in done.stderr
    assert len(done.stderr.splitlines()) <= 2
