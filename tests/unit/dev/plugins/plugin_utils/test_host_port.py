# SPDX-License-Identifier: GPL-3.0-or-later
"""A port that is taken is found, with its owner."""

from __future__ import annotations

import socket

from ansible_collections.agentsmith.dev.plugins.plugin_utils import host_port


def test_a_port_that_is_taken_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        assert not host_port.is_free("127.0.0.1", number)
    assert host_port.is_free("127.0.0.1", number)


def test_the_owner_is_a_container(fake) -> None:
    fake("docker", "exit 1")
    fake("podman", "echo 'web 0.0.0.0:8080->80/tcp'; echo 'node 127.0.0.1:30080->30080/tcp, 127.0.0.1:39547->6443/tcp'")
    assert host_port.owner(30080) == "the podman container node"
    assert host_port.owner(6443) == "", "a port inside the container is none of this machine"


def test_the_owner_is_a_process(fake) -> None:
    fake("ss", """echo 'LISTEN 0 5 127.0.0.1:30080 0.0.0.0:* users:(("python3",pid=4711,fd=3))'""")
    assert host_port.owner(30080) == "python3 (process 4711)"


def test_the_owner_does_not_show(fake) -> None:
    fake("ss", "exit 0")
    assert host_port.owner(30080) == ""
