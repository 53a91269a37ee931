"""Paths that could mean another place: refused, or sent on as they are below the base."""

import re
import time

import pytest

from tests.badinput.conversation import (
    CREDENTIALS,
    check_nothing_arrived,
    envelope,
    error_message,
    keys_in,
    only_arrival,
    rows,
)
from tests.canaries import API_KEY, TEXT
from tests.sidecar import free_port
from tests.wire import ask, get

LONGEST_PATH = 8190 - len("GET  HTTP/1.1")

REFUSED = {
    "overlong dots, three bytes": "/proxy/%e0%80%ae%e0%80%ae/app",
    "overlong slash, three bytes": "/proxy/a%e0%80%afapp",
    "dots": "/proxy/../app",
    "dots at the end": "/proxy/app/..",
    "single dot": "/proxy/./app",
    "single dot at the end": "/proxy/app/.",
    "dots after two slashes": "/proxy//../app",
    "dots encoded": "/proxy/%2e%2e/app",
    "dots encoded, upper case": "/proxy/%2E%2E/app",
    "one dot encoded": "/proxy/.%2e/app",
    "the other dot encoded": "/proxy/%2e./app",
    "single dot encoded": "/proxy/%2e/app",
    "dots encoded twice": "/proxy/%252e%252e/app",
    "dots encoded three times": "/proxy/%25252e%25252e/app",
    "dots encoded in mixed depth": "/proxy/%2e%25%32%65/app",
    "per cent encoded apart": "/proxy/%25%32e%25%32e/app",
    "dots encoded 50 times": f"/proxy/%{'25' * 50}2e%{'25' * 50}2e/app",
    "dots with slash encoded": "/proxy/..%2fapp",
    "dots behind an encoded slash": "/proxy/a%2f../app",
    "dots between encoded slashes": "/proxy/a%2f..%2fapp",
    "all encoded": "/proxy/a%2f%2e%2e%2fapp",
    "slash encoded twice behind dots": "/proxy/..%252fapp",
    "dots with parameter": "/proxy/..;/app",
    "dots with named parameter": "/proxy/..;a=b/app",
    "dots with encoded parameter": "/proxy/..%3ba/app",
    "dot with parameter": "/proxy/.;/app",
    "encoded dots with parameter": "/proxy/%2e%2e;x/app",
    "backslash": "/proxy/..\\app",
    "backslash alone": "/proxy/a\\b",
    "backslash encoded": "/proxy/..%5capp",
    "backslash encoded, upper case": "/proxy/a%5Cb",
    "backslash encoded twice": "/proxy/a%255cb",
    "backslash encoded three times": "/proxy/a%25255cb",
    "NUL": "/proxy/%00",
    "NUL within": "/proxy/app%00.json",
    "NUL encoded twice": "/proxy/app%2500",
    "NUL behind dots": "/proxy/..%00/app",
    "line end": "/proxy/app%0d%0aX-A:%20b",
    "line end encoded twice": "/proxy/app%250d%250a",
    "line feed": "/proxy/%0aapp",
    "tab": "/proxy/a%09b",
    "escape": "/proxy/%1b%5b31m",
    "DEL": "/proxy/a%7fb",
    "DEL encoded twice": "/proxy/a%257fb",
    "overlong dots, two bytes": "/proxy/%c0%ae%c0%ae/app",
    "overlong slash, two bytes": "/proxy/..%c0%afapp",
    "overlong dots encoded twice": "/proxy/%25c0%25ae%25c0%25ae/app",
    "no digits": "/proxy/%zz",
    "one digit": "/proxy/a%2",
    "lone per cent": "/proxy/100%/app",
    "per cent before an escape": "/proxy/%%32e%%32e/app",
    "code point escape": "/proxy/%u002e%u002e/app",
    "fragment": "/proxy/app#a",
    "fragment with dots": "/proxy/app#/../a",
    "fragment behind the query": "/proxy/app?a=b#c",
    "100 levels up": f"/proxy/{'../' * 100}etc/passwd",
    "2,000 levels up": f"/proxy/{'../' * 2000}etc",
    "600 levels up, encoded": f"/proxy/{'%2e%2e%2f' * 600}etc",
    "down and up": "/proxy/" + "a/" * 50 + "../" * 51 + "app",
    "escape in the mount": "/%70roxy/app",
    "slash of the mount encoded": "/proxy%2fapp",
    "status behind dots": "/proxy/../-/healthz",
    "key behind dots": "/proxy/../api-key",
    "absolute form with dots": "http://localhost/proxy/../app",
    "absolute form that ends in dots": "http://localhost/proxy/..",
}

ELSEWHERE = {
    "upper case": "/PROXY/app",
    "no slash": "/proxy",
    "query at once": "/proxy?a=b",
    "longer name": "/proxyapp",
    "parameter on the mount": "/proxy;a/app",
    "unknown provider": "/nobody/proxy/app",
    "mount behind dots": "/a/../proxy/app",
    "absolute form with dots before the mount": "http://localhost/../proxy/app",
}

KEPT = {
    "encoded slash": "/channels/a%2fb",
    "encoded slash, upper case": "/channels/a%2Fb",
    "encoded slash, encoded twice": "/channels/a%252fb",
    "host behind two slashes": "//evil.example/app",
    "host behind three slashes": "///evil.example/app",
    "host with user behind slashes": "//user@evil.example/app",
    "URL as path": "/http://evil.example/app",
    "encoded URL as path": "/http%3a%2f%2fevil.example/app",
    "slashes at the end": "/app//",
    "nothing": "/",
    "parameter": "/app;a=b",
    "parameter that looks like the key": "/app;apikey",
    "parameters only": "/;a;b",
    "three dots": "/.../app",
    "dots within a name": "/a..b/..c/d../.e",
    "encoded dots within a name": "/a%2e%2eb",
    "fullwidth dots": "/%ef%bc%8e%ef%bc%8e/app",
    "fullwidth slash": "/%ef%bc%8e%ef%bc%8e%ef%bc%8fapp",
    "one dot leader": "/%e2%80%a4%e2%80%a4/app",
    "two dot leader": "/%e2%80%a5/app",
    "division slash": "/..%e2%88%95app",
    "bytes that are no UTF-8": "/%ff%fe/%80",
    "encoded hash": "/app%23a",
    "encoded question mark": "/app%3fa=b",
    "encoded per cent": "/100%25",
    "encoded per cent before no escape": "/%25zz",
    "encoded letters": "/%61%70%70",
    "encoded space": "/a%20b",
    "plus": "/a+b",
    "sub-delimiters": "/!$&'()*+,;=:@~-._",
    "brackets and quotes": '/["a"]{b}|c^`<d>',
    "name of an own endpoint": "/token/alice",
    "name of the mount": "/proxy/app",
    "encoded deep without harm": "/%" + "25" * 6 + "61",
    "longest": "/" + "a" * (LONGEST_PATH - len("/proxy/")),
}

QUERIES = {
    "empty": ("", ""),
    "plain": ("a=b&a=c&d", "&a=b&a=c&d"),
    "dots": ("a=../../b", "&a=../../b"),
    "encoded dots": ("a=%2e%2e%2f", "&a=%2e%2e%2f"),
    "backslash and NUL": ("a=\\&b=%00%0d%0a", "&a=\\&b=%00%0d%0a"),
    "no escapes": ("a=%zz&%=%2", "&a=%zz&%=%2"),
    "question marks": ("?a=b?c", "&?a=b?c"),
    "URL": ("a=http://evil.example/%23", "&a=http://evil.example/%23"),
    "separators only": ("&&;&", "&&&;&"),
    "JSON": ('payload={"a":["b"]}', '&payload={"a":["b"]}'),
    "spaces both ways": (f"a=b+c%20d&text={TEXT}", f"&a=b+c%20d&text={TEXT}"),
    "other scripts": ("a=%E2%82%AC%e2%82%ac", "&a=%E2%82%AC%e2%82%ac"),
}


@pytest.mark.parametrize("target", rows(REFUSED))
def test_path_that_could_mean_another_is_400(sidecar, upstream, target):
    assert ask(sidecar.port, get(target)).status == 400
    check_nothing_arrived(sidecar, upstream)


@pytest.mark.parametrize("target", rows(ELSEWHERE))
def test_path_beside_the_mount_is_404(sidecar, upstream, target):
    assert ask(sidecar.port, get(target)).status == 404
    check_nothing_arrived(sidecar, upstream)


@pytest.mark.parametrize("path", rows(KEPT))
def test_other_path_arrives_byte_for_byte(sidecar, upstream, path):
    ask(sidecar.port, get(f"/proxy{path}"))
    assert only_arrival(upstream).target == f"{path}?{CREDENTIALS}"


@pytest.mark.parametrize(("query", "arrived"), rows(QUERIES))
def test_query_arrives_byte_for_byte(sidecar, upstream, query, arrived):
    ask(sidecar.port, get(f"/proxy/app?{query}"))
    assert only_arrival(upstream).target == f"/app?{CREDENTIALS}{arrived}"


@pytest.mark.parametrize("target", ["/proxy/../app", "/proxy/%5c", "/stream/proxy/%00"])
def test_refused_path_under_a_mount_has_the_envelope(sidecar, target):
    answer = ask(sidecar.port, get(target))
    assert envelope(answer)["code"] == 4


@pytest.mark.parametrize("target", ["/token/..", "/a/../proxy/app", "/%2e", "/-/%5chealthz"])
def test_refused_path_elsewhere_has_the_own_error(sidecar, target):
    assert error_message(ask(sidecar.port, get(target)))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_method_is_held_to_the_same_paths(sidecar, upstream, method):
    assert ask(sidecar.port, get("/proxy/%2e%2e/app", method=method)).status == 400
    check_nothing_arrived(sidecar, upstream)


@pytest.mark.parametrize("name", ["SCRIPT_NAME", "Script-Name", "PATH_INFO", "Path-Info"])
def test_header_with_a_server_name_moves_no_route(sidecar, upstream, name):
    """Every caller comes from loopback, which gunicorn would trust with these."""
    assert ask(sidecar.port, get("/proxy/app", f"{name}: /proxy")).status == 200
    assert ask(sidecar.port, get("/app", f"{name}: /proxy")).status == 404
    assert only_arrival(upstream).target == f"/app?{CREDENTIALS}"


@pytest.mark.parametrize("name", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri"])
def test_header_with_another_target_is_not_obeyed(sidecar, upstream, name):
    assert ask(sidecar.port, get("/proxy/app", f"{name}: /api-key")).status == 200
    entry = only_arrival(upstream)
    assert (entry.target, entry.values(name)) == (f"/app?{CREDENTIALS}", [])


def test_deepest_encoding_is_read_in_a_moment(sidecar, upstream):
    """A worker serves nobody else while it decodes."""
    deep = "%" + "25" * ((LONGEST_PATH - len("/proxy/%2e")) // 2) + "2e"
    started = time.monotonic()
    assert ask(sidecar.port, get(f"/proxy/{deep}")).status == 400
    assert time.monotonic() - started < 0.5
    check_nothing_arrived(sidecar, upstream)


def test_nothing_leaves_a_base_path_nor_a_root_mount(upstream, sidecar_before):
    """Below a base of several segments, on both listeners, each path stays under it."""
    root_port = str(free_port())
    paths = list(KEPT.values())
    refusals = [found[6:] for found in REFUSED.values() if found.startswith("/proxy/")]

    with sidecar_before(f"{upstream.url}/base/v1/", STREAM_ROOT_PORT=root_port) as based:
        for path in paths:
            ask(based.port, get(f"/proxy{path}"))
            ask(int(root_port), get(f"/proxy{path}"[:8100]))

        for path in refusals:
            assert ask(based.port, get(f"/proxy{path}")).status == 400
            assert ask(int(root_port), get(path)).status == 400

    targets = [entry.target for entry in upstream.journal]
    assert len(targets) == 2 * len(paths)
    assert all(target.startswith("/base/v1/") for target in targets)
    assert all(keys_in(target) == [API_KEY] for target in targets)


def test_own_endpoints_are_not_on_the_root_listener(upstream, sidecar_before):
    root_port = free_port()

    with sidecar_before(upstream.url, STREAM_ROOT_PORT=str(root_port)):
        for path in ("/api-key", "/token/alice", "/-/healthz", "/config"):
            assert ask(root_port, get(path)).status == 404

        assert ask(root_port, get("//evil.example/proxy/app")).status == 404

    assert [re.sub(r"\?.*", "", entry.target) for entry in upstream.journal] == [
        *("/api-key", "/token/alice", "/-/healthz", "/config", "//evil.example/proxy/app")
    ]
