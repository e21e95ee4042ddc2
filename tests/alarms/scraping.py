# SPDX-License-Identifier: GPL-3.0-or-later
"""Test equipment: a real Prometheus on loopback, with the rules of the role monitoring, and what it scrapes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
import yaml
from control_plane import free_port
from redis import ConnectionError as RedisConnectionError
from redis import Redis
from rendering import render_release, rendered_objects

REPOSITORY = Path(__file__).parents[2]
CERT_MANAGER = REPOSITORY / "docker/way-in/cert-manager"
LONGEST = 120  # seconds that a change may take until it is seen
STOP_TIMEOUT = 20  # seconds
REDIS_PASSWORD = "a-password-for-one-test"  # noqa: S105
WINDOW = "20s"  # for the minutes over which some alarms look back, so that they clear while the test waits
# As the README of the role names them
ANNOTATIONS = ("agentsmith.platform/unfinished", "agentsmith.platform/rolled-back")
RESOURCES = "deployments,jobs,leases,pods,resourcequotas,secrets"


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    address: str

    def firing(self) -> set[str]:
        """Return the names of the alarms that fire."""
        alerts = self._ask("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def values(self, expression: str) -> list[float]:
        """Return the present values of an expression."""
        return [float(found["value"][1]) for found in self._ask("query", query=expression)["result"]]

    def await_exactly(self, *expected: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Wait until these alarms fire, and no other; do something again and again meanwhile."""
        wanted = set(expected)

        def holds() -> bool:
            meanwhile()
            return self.firing() == wanted

        until(holds, lambda: f"silent: {wanted - self.firing()}, unexpected: {self.firing() - wanted}")

    def is_ready(self) -> bool:
        """Tell whether it listens, and has read its rules."""
        try:
            return urllib3.request("GET", f"http://{self.address}/-/ready", retries=False).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    def _ask(self, what: str, **fields: str) -> dict[str, Any]:
        answer = urllib3.request("GET", f"http://{self.address}/api/v1/{what}", fields=fields, retries=False).json()
        assert answer["status"] == "success", answer
        data: dict[str, Any] = answer["data"]
        return data


def compiled(program: str, module: Path) -> str:
    """Return the path of a program that `make alarms` compiles."""
    command = [REPOSITORY / "tests/install-program", program, module]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def until(holds: Callable[[], bool], what: Callable[[], Any]) -> None:
    """Wait until something holds; if it never does, say what is the case instead."""
    deadline = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.5)


def rendered(directory: Path, namespace: str, variables: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Render the parts monitoring and redis of the development environment: "Kind/name" -> object."""
    given = {
        "agentsmith_namespace": namespace,
        "monitoring_enabled": True,
        "monitoring_redis_exporter_enabled": True,
        "monitoring_format": "configmap",
        "vault_redis_password": REDIS_PASSWORD,
        **variables,
    }
    finished = render_release(
        directory, "--inventory=inventories/dev", "--tags=monitoring,redis", f"--extra-vars={json.dumps(given)}"
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return {f"{body['kind']}/{body['metadata']['name']}": body for body in rendered_objects(directory, "dev")}


def impatient_rules(objects: Mapping[str, dict[str, Any]]) -> str:
    """Return the rules, of which each alarm fires as soon as its expression holds, and looks back for seconds only.

    How long it must hold, and for how long it looks back, tests/unit/roles/test_alarms.py tries.
    """
    content = yaml.safe_load(objects["ConfigMap/agentsmith-alerts"]["data"]["agentsmith.rules.yml"])
    for rule in content["groups"][0]["rules"]:
        rule["for"] = "0s"
        rule["expr"] = re.sub(r"\[\d+m\]", f"[{WINDOW}]", rule["expr"])
    return json.dumps(content)


@contextmanager
def running(log: Path, *command: str | Path, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """Run a program for as long as the context lasts. What it said last is shown if the test fails."""
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*map(str, command)], stdout=stream, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(STOP_TIMEOUT)
            print(log.read_text()[-2000:])


@contextmanager
def running_kube_state_metrics(directory: Path, kubeconfig: Path, namespace: str) -> Iterator[dict[str, Any]]:
    """Run kube-state-metrics; the context is how Prometheus scrapes it."""
    port, telemetry = free_port(), free_port()
    arguments = (
        f"--kubeconfig={kubeconfig}",
        *("--host=127.0.0.1", f"--port={port}", "--telemetry-host=127.0.0.1", f"--telemetry-port={telemetry}"),
        *(f"--namespaces={namespace}", f"--resources={RESOURCES}"),
        f"--metric-annotations-allowlist=secrets=[{','.join(ANNOTATIONS)}]",
    )
    with running(
        directory / "kube-state-metrics.log", compiled("kube-state-metrics", REPOSITORY / "tests/alarms"), *arguments
    ):
        yield {
            "job_name": "kube-state-metrics",
            "honor_labels": True,
            "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
        }


def definitions() -> list[dict[str, Any]]:
    """Return the definitions of the kinds that cert-manager watches, from the modules that it is made of."""
    modules = ("sigs.k8s.io/gateway-api", "github.com/cert-manager/cert-manager")
    command = ("go", "list", "-m", "-f", "{{ .Dir }}", *modules)
    found = subprocess.run(command, cwd=CERT_MANAGER, capture_output=True, text=True, check=True)
    gateway_api, cert_manager = map(Path, found.stdout.split())
    files = [
        *gateway_api.glob("config/crd/standard/gateway.networking.k8s.io_[!v]*.yaml"),
        *cert_manager.glob("deploy/crds/*.yaml"),
    ]
    return [body for file in files for body in yaml.safe_load_all(file.read_text()) if body]


@contextmanager
def running_cert_manager(directory: Path, kubeconfig: Path) -> Iterator[dict[str, Any]]:
    """Run cert-manager; the context is how Prometheus scrapes it, which gives its series the namespace of its pod."""
    address = f"127.0.0.1:{free_port()}"
    arguments = (f"--kubeconfig={kubeconfig}", f"--metrics-listen-address={address}")
    with running(directory / "cert-manager.log", compiled("cert-manager", CERT_MANAGER), *arguments):
        yield {
            "job_name": "cert-manager",
            "static_configs": [{"targets": [address], "labels": {"namespace": "cert-manager"}}],
        }


@contextmanager
def running_prometheus(
    directory: Path, objects: Mapping[str, dict[str, Any]], scraped: Sequence[Mapping[str, Any]]
) -> Iterator[Prometheus]:
    """Run Prometheus with the rules."""
    (directory / "agentsmith.rules.yml").write_text(impatient_rules(objects))
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["agentsmith.rules.yml"],
        "scrape_configs": scraped,
    }
    (directory / "prometheus.yml").write_text(json.dumps(configuration))
    address = f"127.0.0.1:{free_port()}"
    arguments = (
        f"--config.file={directory}/prometheus.yml",
        f"--storage.tsdb.path={directory}/data",
        f"--web.listen-address={address}",
    )

    with running(directory / "prometheus.log", REPOSITORY / ".local/bin/prometheus", *arguments):
        prometheus = Prometheus(address)
        until(prometheus.is_ready, lambda: "Prometheus is not ready")
        yield prometheus


@contextmanager
def running_redis(directory: Path, objects: Mapping[str, dict[str, Any]], *options: str) -> Iterator[Redis]:
    """Run Redis with the users that the role redis gives it; the context is a client that may do what the app may."""
    users = directory / "users.acl"
    users.write_bytes(b64decode(objects["Secret/redis-acl"]["data"]["users.acl"]))
    port = free_port()
    listen = (
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--dir",
        str(directory),
        "--aclfile",
        str(users),
        "--save",
        "",
    )
    with running(directory / "redis.log", "redis-server", *listen, *options):
        client = Redis(host="127.0.0.1", port=port, username="agentsmith", password=REDIS_PASSWORD)
        until(lambda: answers(client), lambda: "Redis does not answer")
        yield client


def answers(client: Redis) -> bool:
    """Tell whether Redis answers."""
    try:
        return bool(client.ping())
    except RedisConnectionError:
        return False


@contextmanager
def running_redis_exporter(
    directory: Path, objects: Mapping[str, dict[str, Any]], redis: Redis, namespace: str
) -> Iterator[dict[str, Any]]:
    """Run the exporter as its Deployment says, but for the addresses; the context is how Prometheus scrapes it.

    That is as the role's README says, with the labels that Kubernetes would tell of the pod.
    """
    (container,) = objects["Deployment/redis-exporter"]["spec"]["template"]["spec"]["containers"]
    address = f"127.0.0.1:{free_port()}"
    environment = {
        **{entry["name"]: entry["value"] for entry in container["env"]},
        "REDIS_ADDR": f"redis://127.0.0.1:{redis.connection_pool.connection_kwargs['port']}",
        "REDIS_EXPORTER_WEB_LISTEN_ADDRESS": address,
    }
    readme = (REPOSITORY / "roles/monitoring/README.md").read_text()
    ((scraped,),) = map(yaml.safe_load, re.findall(r"^    - job_name: .+\n(?:      .+\n)+", readme, re.MULTILINE))
    del scraped["kubernetes_sd_configs"]  # Debian's Prometheus knows none
    labels = {
        "__meta_kubernetes_namespace": namespace,
        "__meta_kubernetes_pod_container_name": container["name"],
    }
    program = REPOSITORY / ".local/bin/prometheus-redis-exporter"
    with running(directory / "redis-exporter.log", program, environment=environment):
        yield {**scraped, "static_configs": [{"targets": [address], "labels": labels}]}
