# SPDX-License-Identifier: GPL-3.0-or-later
"""Two other tools that apply objects on a server, for comparison: kubectl and kubernetes.core.k8s."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from engine import RunPlay

CONCURRENT_PROCESSES = 4


class Tool(Protocol):
    """What applies objects."""

    @property
    def title(self) -> str:
        """Its name and version."""

    def apply(self, objects: Sequence[dict[str, Any]]) -> list[bool]:
        """Apply each object by itself; return which attempts ended well."""


class Kubectl:
    """The kubectl beside the API server's binary, with server-side apply."""

    def __init__(self, kubeconfig: Path, cache: Path) -> None:
        binary = Path(os.environ["AGENTSMITH_KUBERNETES_BIN"], "kubectl")
        self._command = [binary, f"--kubeconfig={kubeconfig}", f"--cache-dir={cache}"]

    @property
    def title(self) -> str:
        """Its name and version, as it states it."""
        answer = json.loads(self._run("version", "--client", "--output=json").stdout)
        return f"kubectl {answer['clientVersion']['gitVersion'].removeprefix('v')}"

    def apply(self, objects: Sequence[dict[str, Any]]) -> list[bool]:
        """Apply each object with a command of its own; return which commands ended well."""

        def ends_well(body: dict[str, Any]) -> bool:
            return self._run("apply", "--server-side", "--filename=-", given=json.dumps(body)).returncode == 0

        with ThreadPoolExecutor(CONCURRENT_PROCESSES) as executor:
            return list(executor.map(ends_well, objects))

    def _run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [*self._command, *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=False)


class KubernetesCore:
    """The module k8s of the collection kubernetes.core, with server-side apply, run by ansible-playbook."""

    def __init__(self, kubeconfig: Path, run_play: RunPlay) -> None:
        self._kubeconfig = kubeconfig
        self._run_play = run_play

    @property
    def title(self) -> str:
        """Its name and the version that is installed."""
        manifest = json.loads(files("ansible_collections.kubernetes.core").joinpath("MANIFEST.json").read_text())
        return f"kubernetes.core.k8s {manifest['collection_info']['version']}"

    def apply(self, objects: Sequence[dict[str, Any]]) -> list[bool]:
        """Apply the objects one after the other, in one run of the module, as its start takes longer than the rest."""
        task = {
            "name": "Apply",
            "kubernetes.core.k8s": {
                "kubeconfig": str(self._kubeconfig),
                "definition": "{{ objects }}",
                "apply": True,
                "server_side_apply": {"field_manager": "kubernetes.core"},
                "continue_on_error": True,
            },
        }
        variables = {"objects": objects, "ansible_python_interpreter": sys.executable}
        ended = self._run_play({"connection": "local", "tasks": [task]}, variables)
        (host,) = json.loads(ended.stdout)["plays"][0]["tasks"][0]["hosts"].values()
        return ["error" not in entry for entry in host["result"]["results"]]
