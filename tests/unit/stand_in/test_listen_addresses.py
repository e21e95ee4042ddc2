# SPDX-License-Identifier: GPL-3.0-or-later
"""ASPNETCORE_URLS in ASP.NET Core's notation."""

from __future__ import annotations

import pytest
from stand_in.listen_addresses import ListenAddress, ListenAddressError, parse_listen_addresses


@pytest.mark.parametrize(
    ("urls", "addresses"),
    [
        ("http://+:8080", [ListenAddress("", 8080)]),
        ("http://*:8081/", [ListenAddress("", 8081)]),
        ("HTTP://+", [ListenAddress("", 80)]),
        ("http://dispatcher:8080", [ListenAddress("", 8080)]),
        ("http://[::]:8080", [ListenAddress("", 8080)]),
        ("http://0.0.0.0:8080", [ListenAddress("0.0.0.0", 8080)]),  # noqa: S104 - parsed, never bound
        ("http://localhost:8080", [ListenAddress("localhost", 8080)]),
        ("http://[::1]:8080", [ListenAddress("::1", 8080)]),
        ("http://127.0.0.1:1; http://+:2;", [ListenAddress("127.0.0.1", 1), ListenAddress("", 2)]),
    ],
)
def test_addresses(urls: str, addresses: list[ListenAddress]) -> None:
    assert parse_listen_addresses(urls) == addresses


@pytest.mark.parametrize(
    "url", ["https://+:8443", "+:8080", "8080", "http://", "http://+:65536", "http://+:x", "http://+:80/x"]
)
def test_refused(url: str) -> None:
    with pytest.raises(ListenAddressError, match="is not http://host:port"):
        parse_listen_addresses(f"http://+:8080;{url}")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (ListenAddress("", 8080), "http://+:8080"),
        (ListenAddress("::1", 1), "http://[::1]:1"),
        (ListenAddress("127.0.0.1", 1), "http://127.0.0.1:1"),
    ],
)
def test_shown_as_a_url(address: ListenAddress, shown: str) -> None:
    assert str(address) == shown
