"""For whom a failed authentication is counted."""

import pytest

from chatproxy.web.guards import network_of


@pytest.mark.parametrize(
    ("address", "counted_for"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("unix:", "unix:"),
    ],
)
def test_one_host_is_one_however_many_addresses_it_has(address: str, counted_for: str) -> None:
    assert network_of(address) == counted_for
