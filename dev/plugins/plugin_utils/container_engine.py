# SPDX-License-Identifier: GPL-3.0-or-later
"""Which container engine can run a kind node here, and what it lacks for that."""

import resource
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from .command import LocalClusterError, ask

ENGINES = ("docker", "podman")

# Without iptables netavark fails with "No such file or directory".
# On hybrid cgroups crun cannot start containers, runc can.
PODMAN_PACKAGES = ("podman", "runc", "netavark", "aardvark-dns", "iptables", "uidmap")

# Where podman stores images as root before it has ever run
_PODMAN_STORAGE = "/var/lib/containers/storage"
# An archive without a file in it: two blocks of zeroes (POSIX ustar)
_EMPTY_ARCHIVE = bytes(1024)
_PROBE_IMAGE = "localhost/agentsmith-probe:empty"


@dataclass(frozen=True)
class Engine:
    """A container engine that can be used: its command, and the Debian packages that must be installed first."""

    name: str
    missing_packages: list[str] = field(default_factory=list)


def environment(engine: str, cache_dir: str) -> dict[str, str]:
    """Return the environment for `engine` and for kind on it.

    podman gets a configuration of our own, where the role local_cluster wrote one: the user's stays as it is.
    """
    if engine != "podman":
        return {}
    configuration = Path(cache_dir) / "containers.conf"
    own = {"CONTAINERS_CONF": str(configuration)} if configuration.exists() else {}
    return {"KIND_EXPERIMENTAL_PROVIDER": "podman", **own}


def ulimits() -> list[str]:
    """Return podman's `default_ulimits`: its own exceed the limits of a process that may not raise them."""
    limits = []
    for name, number, most in (("nofile", resource.RLIMIT_NOFILE, 1048576), ("nproc", resource.RLIMIT_NPROC, 32768)):
        hard = resource.getrlimit(number)[1]
        value = most if hard == resource.RLIM_INFINITY else min(hard, most)
        limits.append(f"{name}={value}:{value}")
    return limits


def docker_fault() -> str | None:
    """Return why Docker cannot run a kind node, or None where it can.

    A daemon without CAP_SYS_RESOURCE answers, and yet starts no privileged container ("unable to apply caps"). It is
    tried with an empty image: the capabilities are applied before the command is looked for, so "command not found"
    (127) is the sign of success. No registry is needed for that.
    """
    daemon = ask(["docker", "info", "--format", "{{ .ServerVersion }}"])
    if daemon.status:
        return daemon.reason
    imported = ask(["docker", "import", "-", _PROBE_IMAGE], stdin=_EMPTY_ARCHIVE)
    if imported.status:
        return imported.reason
    started = ask(["docker", "run", "--rm", "--privileged", "--network", "none", _PROBE_IMAGE, "/none"], timeout=60)
    ask(["docker", "rmi", "--force", _PROBE_IMAGE])
    return None if started.status in (0, 127) else f"it cannot start a privileged container: {started.reason}"


def missing_packages(packages: tuple[str, ...]) -> list[str]:
    """Return those of the Debian `packages` that are not installed; none where this is no Debian system."""
    if not shutil.which("dpkg-query"):
        return []
    listed = ask(["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *packages])
    installed = {line.split()[0] for line in listed.output.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def choose_engine(preference: str, *, root: bool) -> Engine:
    """Return the engine to use: Docker where it works, else podman, installed where that is possible.

    `preference` is `auto`, `docker` or `podman`, `root` whether packages can be installed.
    Raises LocalClusterError where there is none.
    """
    fault = "local_cluster_engine is podman"
    if preference == "docker":
        # Asked for by name: only what makes it certain to fail is checked.
        daemon = ask(["docker", "info", "--format", "{{ .ServerVersion }}"])
        if daemon.status:
            raise LocalClusterError(
                f"local_cluster_engine is docker, but Docker does not answer: {daemon.reason}. "
                "Start its daemon, or set local_cluster_engine to auto or podman."
            )
        return Engine("docker")
    if preference == "auto":
        found = docker_fault()
        if found is None:
            return Engine("docker")
        fault = found

    can_install = root and shutil.which("apt-get") is not None
    # Rootless podman brings its own network, and nothing could be installed anyway.
    missing = missing_packages(PODMAN_PACKAGES) if can_install else []
    if shutil.which("podman") or can_install:
        return Engine("podman", missing)
    obstacle = "installing it needs apt-get" if root else "installing it needs root"
    raise LocalClusterError(
        f"No container engine can run the local cluster. Docker: {fault}. Podman is not installed, and {obstacle}. "
        "Start Docker, install podman, or run as root on Debian or Ubuntu."
    )


def storage_directory(engine: str) -> str:
    """Return the directory in which `engine` keeps its images."""
    field_name = "{{ .DockerRootDir }}" if engine == "docker" else "{{ .Store.GraphRoot }}"
    answer = ask([engine, "info", "--format", field_name])
    return answer.output.strip() or _PODMAN_STORAGE


def images(engine: str, environment: dict[str, str] | None = None) -> set[str]:
    """Return the names, `repository:tag` and `repository@digest`, of the images that `engine` has.

    None where it is not installed.
    """
    names = "{{ .Repository }}:{{ .Tag }} {{ .Repository }}@{{ .Digest }}"
    listed = ask([engine, "images", "--digests", "--format", names], environment=environment)
    return set(listed.output.split())
