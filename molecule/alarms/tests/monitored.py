# SPDX-License-Identifier: GPL-3.0-or-later
"""A Prometheus on this machine that watches the release: the kubelet and the exporter through the API server."""

from __future__ import annotations

import base64
import sys
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from conftest import CHECKOUT, KUBECONFIG

sys.path += [str(CHECKOUT / "tests" / part) for part in ("alarms", "integration")]
from scraping import (  # noqa: E402
    REDIS_PASSWORD,
    Prometheus,
    running_kube_state_metrics,
    running_prometheus,
    until,
)

__all__ = ["REDIS_PASSWORD", "Prometheus", "until", "watching_prometheus"]


@contextmanager
def watching_prometheus(get: Callable[..., Any], directory: Path) -> Iterator[Prometheus]:
    """Run Prometheus with the rules that were deployed."""
    (node,) = get("nodes")
    (exporter,) = [pod for pod in get("pods") if pod["metadata"]["labels"].get("app") == "redis-exporter"]
    kubelet = through_the_api_server(directory, f"nodes/{node['metadata']['name']}", "metrics/cadvisor")
    of_redis = through_the_api_server(
        directory, f"namespaces/agentsmith/pods/{exporter['metadata']['name']}:9121", "metrics", namespace="agentsmith"
    )
    objects = {"ConfigMap/agentsmith-alerts": get("configmap/agentsmith-alerts")}
    with (
        running_kube_state_metrics(directory, KUBECONFIG, "agentsmith") as of_objects,
        running_prometheus(directory, objects, [of_objects, kubelet, of_redis]) as running,
    ):
        yield running


def through_the_api_server(directory: Path, what: str, path: str, **labels: str) -> dict[str, Any]:
    """Return how Prometheus scrapes something through the API server."""
    kubeconfig = yaml.safe_load(KUBECONFIG.read_text())
    (cluster,), (user,) = (kubeconfig[kind] for kind in ("clusters", "users"))
    files = {}
    for name, (source, key) in {
        "ca_file": (cluster["cluster"], "certificate-authority-data"),
        "cert_file": (user["user"], "client-certificate-data"),
        "key_file": (user["user"], "client-key-data"),
    }.items():
        file = directory / f"{name}.pem"
        file.touch(mode=0o600)
        file.write_bytes(base64.b64decode(source[key]))
        files[name] = str(file)
    return {
        "job_name": what,
        "scheme": "https",
        "tls_config": files,
        "metrics_path": f"/api/v1/{what}/proxy/{path}",
        "static_configs": [{"targets": [urllib.parse.urlsplit(cluster["cluster"]["server"]).netloc], "labels": labels}],
    }
