# SPDX-License-Identifier: GPL-3.0-or-later
"""Docker where it can run a kind node, else podman, else an error that says why."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from ansible_collections.agentsmith.dev.plugins.plugin_utils import container_engine
from ansible_collections.agentsmith.dev.plugins.plugin_utils.command import LocalClusterError

DOCKER = 'case "$1" in info) echo 28.0 ;; import) exit 0 ;; run) {run} ;; rmi) echo "$*" >> {log} ;; esac'
CANNOT_START = "echo 'docker: runc create failed: unable to apply caps: operation not permitted.' >&2; exit 125"
NO_DAEMON = "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1"


def test_docker_that_starts_a_privileged_container_is_taken(fake, tmp_path: Path) -> None:
    # 127: the container was there, with all its capabilities, and the command in the empty image was not.
    fake("docker", DOCKER.format(run="exit 127", log=tmp_path / "log"))
    fake("podman", "exit 0")
    assert container_engine.choose_engine("auto", root=True) == container_engine.Engine("docker")
    assert "agentsmith-probe" in (tmp_path / "log").read_text(), "the probe's image stays behind"


def test_docker_without_the_capabilities_is_not_taken(fake, tmp_path: Path) -> None:
    fake("docker", DOCKER.format(run=CANNOT_START, log=tmp_path / "log"))
    fake("podman", "exit 0")
    assert container_engine.choose_engine("auto", root=True).name == "podman"


def test_docker_without_a_daemon_is_not_taken(fake) -> None:
    fake("docker", NO_DAEMON)
    fake("podman", "exit 0")
    assert container_engine.choose_engine("auto", root=False) == container_engine.Engine("podman", [])


def test_docker_asked_for_by_name_is_an_error_without_a_daemon(fake) -> None:
    fake("docker", NO_DAEMON)
    fake("podman", "exit 0")
    with pytest.raises(LocalClusterError, match=r"local_cluster_engine is docker.*Cannot connect to the Docker daemon"):
        container_engine.choose_engine("docker", root=True)


def test_podman_asked_for_by_name_goes_before_docker(fake, tmp_path: Path) -> None:
    fake("docker", DOCKER.format(run="exit 127", log=tmp_path / "log"))
    fake("podman", "exit 0")
    assert container_engine.choose_engine("podman", root=False).name == "podman"


def test_root_gets_the_packages_that_are_missing(fake) -> None:
    fake("apt-get", "exit 0")
    fake("dpkg-query", "echo 'runc installed'; echo 'iptables config-files'; exit 1")
    chosen = container_engine.choose_engine("auto", root=True)
    assert chosen.name == "podman"
    assert set(chosen.missing_packages) == set(container_engine.PODMAN_PACKAGES) - {"runc"}


def test_nothing_is_installed_for_a_user_who_has_podman(fake) -> None:
    fake("podman", "exit 0")
    fake("apt-get", "exit 0")
    fake("dpkg-query", "exit 1")
    assert container_engine.choose_engine("auto", root=False).missing_packages == []


@pytest.mark.parametrize(("root", "obstacle"), [(False, "needs root"), (True, "needs apt-get")])
def test_no_engine_is_an_error_that_names_both_and_the_obstacle(fake, root: bool, obstacle: str) -> None:
    fake("docker", NO_DAEMON)
    with pytest.raises(LocalClusterError) as error:
        container_engine.choose_engine("auto", root=root)
    for part in ("Docker: Cannot connect", "Podman is not installed", obstacle, "Start Docker, install podman"):
        assert part in str(error.value)


def test_the_ulimits_stay_within_those_of_this_process() -> None:
    limits = dict(limit.split("=") for limit in container_engine.ulimits())
    for name, number in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        soft, hard = map(int, limits[name].split(":"))
        allowed = resource.getrlimit(number)[1]
        assert soft == hard > 0
        assert allowed == resource.RLIM_INFINITY or hard <= allowed


def test_podman_gets_its_own_configuration_only_where_it_was_written(tmp_path: Path) -> None:
    assert container_engine.environment("docker", str(tmp_path)) == {}
    assert container_engine.environment("podman", str(tmp_path)) == {"KIND_EXPERIMENTAL_PROVIDER": "podman"}
    (tmp_path / "containers.conf").touch()
    assert container_engine.environment("podman", str(tmp_path))["CONTAINERS_CONF"] == str(tmp_path / "containers.conf")
