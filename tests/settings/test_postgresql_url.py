"""The URL of a PostgreSQL database: libpq's, and refused before libpq repeats a part of it."""

import pytest
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from chatproxy import settings
from chatproxy.providers import SETTINGS
from chatproxy.settings.postgresql_url import PARAMETERS
from tests.settings.loading import problems_of, refusal_of
from tests.settings.test_directory import ALONE

SECRET = "canary%2Fpass"

GOOD = [
    "postgresql://u:p@h1:5432,h2:5432/db?target_session_attrs=read-write",
    "postgresql://h1,h2:6432,[::1]:5433,[fe80::1%25eth0]/db",
    "postgresql://u:a%40b%2F%3A%3f%25@h/db",
    "postgresql://u:a#b?c:d@h/db",
    "postgresql://%2Fvar%2Frun%2Fpostgresql/db",
    "postgresql://u@%2Frun:5433/my%20db",
    "postgresql:///db?host=/var/run/postgresql&port=5433",
    "postgres:///?host=%2Frun&dbname=db&user=u",
    "postgresql+psycopg://h:/db?sslmode=verify-full&sslrootcert=/etc/ca.pem&connect_timeout=10",
    "postgresql://h/db?options=-c%20search_path%3Dchat&application_name=a+b&keepalives_idle=30",
    "postgresql://h/db?client_encoding=LATIN1&passfile=/run/pgpass&load_balance_hosts=random",
    "postgresql://h/db?ssl=true",
]

#: What is refused, and which parameter is named.
BAD = {
    "postgresql://h/db?pgbouncer=true": "pgbouncer in the URL is none of libpq's",
    "postgresql://h/db?schema=public": "schema in the URL is none of libpq's",
    "postgresql://h/db?sslmode=on": "the value of sslmode",
    "postgresql://h/db?SSLMODE=require": "SSLMODE in the URL is none of libpq's",
    "postgresql://h/db?connect_timeout=soon": "the value of connect_timeout",
    "postgresql://h/db?connect_timeout=0": "the value of connect_timeout",
    "postgresql://h/db?target_session_attrs=standby": "must be any, primary or read-write",
    "postgresql://h/db?target_session_attrs=read-only": "must be any, primary or read-write",
    "postgresql://h/db?target_session_attrs=prefer-standby": "must be any, primary or read-write",
    "postgresql://h/db?replication=database": "the value of replication",
    "postgresql://h/db?sslmode": "must have one `=`",
    "postgresql://h/db?options=-csearch_path=a": "is written %3D",
    "postgresql://h/db?a%20b=c": "a parameter in the URL is none of libpq's",
}


@pytest.mark.parametrize("url", GOOD)
def test_a_url_that_libpq_reads_is_taken(url: str) -> None:
    found = settings.load(SETTINGS, ALONE | {"DATABASE_URL": url})

    assert found.directory is not None
    assert conninfo_to_dict(found.directory.url.replace("+psycopg", ""))


@pytest.mark.parametrize(("url", "said"), BAD.items(), ids=BAD)
def test_a_parameter_that_cannot_be_used_is_named(url: str, said: str) -> None:
    (problem,) = problems_of(**(ALONE | {"DATABASE_URL": url.replace("//h", f"//u:{SECRET}@h")}))

    assert problem.startswith("DATABASE_URL: ")
    assert said in problem
    assert "canary" not in problem


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://h",
        "postgresql://",
        "postgresql:///?user=u",
        "postgresql://u:p%w@h/db",
        "postgresql://u:p%00@h/db",
        "postgresql://u:canary@w@h/db",
        "postgresql://u:canary/w@h/db",
        "postgresql://h1:5432,h2:x/db",
        "postgresql://h:65536/db",
        "postgresql://h/a b",
        "postgresql://h/db?a=%",
        "postgresql://[::1/db",
        "postgresql+asyncpg://h/db",
    ],
)
def test_what_is_no_such_url_is_refused_without_its_text(url: str) -> None:
    assert "canary" not in refusal_of("DATABASE_URL", url, ALONE)


def test_every_parameter_of_libpq_is_known() -> None:
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}

    assert known - PARAMETERS.keys() == set()
