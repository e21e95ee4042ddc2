# SPDX-License-Identifier: GPL-3.0-or-later
"""What each named shape allows, and how a misfit is described."""

from __future__ import annotations

import re

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.render.shapes import SHAPES, misfits

DIGEST = "@sha256:" + "0f" * 32
PLACEHOLDER = "@sha256:" + "0" * 64  # what inventories/prod comes with

FITTING = {
    "dns_label": ["a", "agentsmith", "a-1", "0", "a" * 63],
    "namespace": ["agentsmith", "kube", "my-kube-1", "a" * 63],
    "dns_name": ["agentsmith-secrets", "a.b-c.d", "x" * 63 + ".y"],
    "image_reference": [
        "redis",
        "redis:7-alpine",
        "redis" + DIGEST,
        "redis:7-alpine" + DIGEST,
        "localhost/agentsmith-stand-in:0123456789ab",
        "registry.example.com:5000/a/b_c/d__e/f---g:V1.2-rc_3",
        "[::1]:5000/a:b",
        "10.0.0.1/a",
    ],
    "tagged_image": ["redis:7-alpine", "redis" + DIGEST, "redis:latest" + DIGEST, "registry:5000/redis:latest-1"],
    "pinned_image": ["redis" + DIGEST, "registry.example.com:5000/a/b:1.2.0" + DIGEST],
    "app": ["be4bffa1", "0.9.2"],
    "no_proxy": ["localhost", ".svc", ".example.internal", "10.0.0.7", "[fd00::7]", "[::ffff:1.2.3.4]", "a_b-c.D", "x"],
    "optional_proxy": ["", "http://proxy.internal:3128", "https://10.0.0.1:443/", "http://[::1]:3128"],
    "optional_url": ["", "https://example.com", "http://[::1]:8080/a/b?c", "https://example.com/"],
    "unprivileged_port": ["1024", "1030", "1099", "1100", "8080", "9999", "10000", "59999", "64999", "65499", "65535"],
    "port": ["1", "80", "9999", "10000", "59999", "60000", "64999", "65499", "65529", "65535"],
    "cidr": [
        "0.0.0.0/0",
        "10.0.0.0/8",
        "169.254.169.254/32",
        "::/0",
        "fd00:ec2::254/128",
        "fe80::/10",
        "::ffff:1.2.3.4/99",
    ],
    "project_name": ["agent-smith-test", "a", "a.b_c-d", "fixes", "a" * 63],
    "quantity": ["1", "0", "500m", "1.5", ".5", "1.", "384Mi", "1Gi", "100k", "1e3", "1E-3", "2E"],
    "count": ["0", "10", "007"],
    "optional_count": ["", "0", "10"],
    "optional_time_to_live": ["", "60", "99", "100", "300", "86400"],
    "positive": ["1", "10", "999999999"],
    "optional_id": ["", "1", "10001", "1000650000", "2099999999", "2147483639", "2147483647"],
    "label_value": ["", "a", "Team_A.b-c", "4711", "a" * 63],
    "node_port": ["30000", "31999", "32099", "32709", "32767"],
    "token": ["", "x", "a b", "~!@#$%^&*()_+{}|:<>?'\"\\"],
}
MISFITTING = {
    "dns_label": ["", "-a", "a-", "A", "a_b", "a.b", "a" * 64, "a\n", "ä"],
    "namespace": ["", "A", "a.b", "a" * 64, "kube-system", "kube-", "kube-a", "a\n"],
    "dns_name": ["", ".a", "a.", "a..b", "A", "a/b", "x" * 64, ".".join(["x" * 50] * 6), "a\n"],
    "image_reference": [
        "",
        "Redis",
        "redis:",
        "redis 7",
        "http://registry/redis",
        "redis@sha256:short",
        "redis" + DIGEST.upper(),
        "a//b",
        "/a",
        "a/",
        "redis:-x",
        "redis:" + "x" * 129,
        "a.-b",
        "redis\n",
        "registry:port/a",
        "redis" + PLACEHOLDER,
    ],
    "tagged_image": [
        *["", "redis", "redis:latest", "registry:5000/redis", "registry:5000/redis:latest", "redis:7\n"],
        "redis:7" + PLACEHOLDER,
    ],
    "pinned_image": ["", "redis", "redis:7", "redis@sha256:short", "redis" + PLACEHOLDER],
    "app": ["", "0.9", "0.9.20", "00.9.2", "0x9.2", "v0.9.2", "be4bffa", "BE4BFFA1", "latest", "0.9.2\n"],
    "no_proxy": [
        *[
            "",
            ".",
            "..a",
            "-a",
            "a-",
            "*",
            "*.example.com",
            "example.*",
            "10.0.0.0/8",
            "fd00::/8",
            "fd00::7",
            "[a]",
            "[]",
        ],
        *["proxy:3128", "10.0.0.7:443", "[fd00::7]:443", "http://a", "a b", "a,b", "a\n", "$(A)"],
    ],
    "optional_proxy": [
        "proxy:3128",
        "http://user@proxy:3128",
        "http://user:secret@proxy",
        "http://proxy/path",
        "http://a b",
    ],
    "optional_url": ["example.com", "https://", "https:///path", "ftp://example.com", "https://example.com/a b"],
    "unprivileged_port": ["", "80", "1023", "65536", "70000", "100000", "8080\n"],
    "port": ["", "0", "080", "65536", "70000", "100000", "80\n", "http"],
    "cidr": ["", "10.0.0.0", "10.0.0/8", "10.0.0.0/33", "::1", "fd00::/129", "example.com/8", "fd00/8", "10.0.0.0/8\n"],
    "project_name": ["", "fix", "in", "A", "web2", "-a", "a-", "a b", "a" * 64, "a\n"],
    "quantity": ["", "lots", "1 Gi", "1GB", "1gi", "-1", "+1", "1mi", "Mi", "1e", "1Gi\n"],
    "count": ["", "-1", "1.5", "two", "1" * 10, "1\n"],
    "optional_count": [" ", "-1", "1.5", "two", "1" * 10, "1\n"],
    "optional_time_to_live": ["0", "59", "-60", "86401", "100000", "1.5", "5m", "060", " ", "60\n"],
    "optional_id": ["0", "-1", "010", "1.5", "root", "2147483648", "2200000000", "10000000000", " ", "1\n"],
    "label_value": ["-a", "a-", "a b", "a/b", "a:b", "ä", "a" * 64, "a\n"],
    "positive": ["", "0", "-1", "01", "1.5", "two", "1" * 10, "1\n"],
    "node_port": ["", "80", "29999", "32768", "30080 ", "300800"],
    "token": [" x", "x ", "x\n", "\nx", "x\ny", "\t", " "],
}


def test_every_shape_is_tested() -> None:
    assert FITTING.keys() == MISFITTING.keys() == SHAPES.keys()


@pytest.mark.parametrize(("shape", "value"), [(shape, value) for shape in FITTING for value in FITTING[shape]])
def test_fits(shape: str, value: str) -> None:
    assert misfits("x", value, SHAPES[shape].pattern) == []


@pytest.mark.parametrize(("shape", "value"), [(shape, value) for shape in MISFITTING for value in MISFITTING[shape]])
def test_does_not_fit(shape: str, value: str) -> None:
    assert len(misfits("x", value, SHAPES[shape].pattern)) == 1


def test_the_example_in_a_shape_fits_it() -> None:
    for shape in SHAPES.values():
        for example in re.findall(r"\(([^()]+)\)$", shape.allowed):
            assert all(re.fullmatch(shape.pattern, text) for text in example.split(", ")), example


@pytest.mark.parametrize(
    ("value", "description"),
    [
        ("lots", "x is 'lots'"),
        ("", "x is empty"),
        (-1, "x is '-1'"),
        (None, "x is null"),
        (True, "x is a boolean"),
        (1.5, "x is a fraction"),
        ([], "x is a list"),
        ({}, "x is a dictionary"),
        (b"", "x is of the type bytes"),
    ],
)
def test_a_misfit_is_described(value: object, description: str) -> None:
    assert misfits("x", value, "[0-9]+") == [description]


def test_a_whole_number_counts_as_its_text() -> None:
    assert misfits("x", 30080, "[0-9]+") == []
    assert misfits("x", 30080, "[0-9]+", number=False) == ["x is a number"]


@pytest.mark.parametrize("value", ["MARKED", 271828, ["MARKED"], {"MARKED": "MARKED"}, True])
def test_a_secret_is_a_text_and_never_quoted(value: object) -> None:
    (description,) = misfits("x", value, "[a-z]+", secret=True)
    assert "MARKED" not in description
    assert "271828" not in description


def test_each_looks_inside() -> None:
    value = {"a": ["1", "b"], "c": {"d": None, "e": 5}}
    assert misfits("x", value, "[0-9]+", each=True) == ["x.a[1] is 'b'", "x.c.d is null"]
    assert misfits("x", {}, "[0-9]+", each=True) == []
