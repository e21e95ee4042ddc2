# SPDX-License-Identifier: GPL-3.0-or-later
"""ASPNETCORE_URLS in ASP.NET Core's notation."""

from __future__ import annotations

import re

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
    with pytest.raises(ListenAddressError, match="^ASPNETCORE_URLS: '.*' is not http://host:port; the stand-in has no"):
        parse_listen_addresses(f"http://+:8080;{url}")


@pytest.mark.parametrize(
    ("urls", "addresses"),
    [
        ("http://+:8081;https://+:8443", [ListenAddress("", 8081), ListenAddress("", 8443, tls=True)]),
        ("HTTPS://127.0.0.1/", [ListenAddress("127.0.0.1", 443, tls=True)]),
        ("https://localhost:1", [ListenAddress("localhost", 1, tls=True)]),
        ("https://[::]:8443", [ListenAddress("", 8443, tls=True)]),
    ],
)
def test_addresses_with_tls(urls: str, addresses: list[ListenAddress]) -> None:
    assert parse_listen_addresses(urls, "URLS", with_tls=True) == addresses


@pytest.mark.parametrize("url", ["ftp://+:1", "https:/+:8443", "httpss://+:1", "https://+:65536"])
def test_refused_with_tls(url: str) -> None:
    with pytest.raises(ListenAddressError, match=f"^URLS: '{re.escape(url)}' is not http://host:port or https://host"):
        parse_listen_addresses(f"https://+:8443;{url}", "URLS", with_tls=True)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (ListenAddress("", 8080), "http://+:8080"),
        (ListenAddress("::1", 1), "http://[::1]:1"),
        (ListenAddress("127.0.0.1", 1), "http://127.0.0.1:1"),
        (ListenAddress("", 8443, tls=True), "https://+:8443"),
    ],
)
def test_shown_as_a_url(address: ListenAddress, shown: str) -> None:
    assert str(address) == shown
