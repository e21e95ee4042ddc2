# SPDX-License-Identifier: GPL-3.0-or-later
"""What is compared: this collection, kubectl, Helm, kubernetes.core, and a playbook that does nothing.

All of them apply the objects of one release, with the values of its Secrets, to a namespace of their own.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from measuring import Command

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / ".collections"))

from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.kinds import kind_of_body  # noqa: E402

OURS, KUBECTL, HELM, AS_LIST, BY_OBJECT, EMPTY = (
    "agentsmith.platform",
    "kubectl",
    "Helm",
    "kubernetes.core, as a list",
    "kubernetes.core, by object",
    "an empty playbook",
)
PLAYBOOK = Path(sys.executable).parent / "ansible-playbook"
ANSIBLE = {
    "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
    "ANSIBLE_COLLECTIONS_PATH": str(REPOSITORY / ".collections"),
    "ANSIBLE_LOCALHOST_WARNING": "false",
}
# Stands in the rendered objects for the namespace of whoever applies them
NAMESPACE = "benchmark-namespace"
ROLLOUT_TIMEOUT = "5m"
FORKS = 5  # Ansible's default


@dataclass(frozen=True)
class Release:
    """A release that all subjects deploy: the variables of the inventory that make it, and its objects."""

    name: str
    variables: Mapping[str, Any]
    objects: str  # YAML documents, without the Namespace
    count: int

    @classmethod
    def rendered(cls, scratch: Path, name: str, variables: Mapping[str, Any]) -> Release:
        """Render what the variables make of inventories/dev."""
        rendered = scratch / f"{name}.objects.json"
        given = {**variables, "agentsmith_namespace": NAMESPACE, "objects_file": str(rendered)}
        file = scratch / f"{name}.json"
        file.write_text(json.dumps(given), encoding="utf-8")
        play = str(Path(__file__).with_name("objects.yml"))
        arguments = [PLAYBOOK, play, "--inventory=inventories/dev", f"--extra-vars=@{file}"]
        Command("render", arguments, REPOSITORY, scratch / "render.log", ANSIBLE).run()
        documents = json.loads(rendered.read_text(encoding="utf-8"))
        # In the order in which each of them can work: kubernetes.core waits for one before the next
        documents.sort(key=lambda document: kind_of_body(document).write_order)
        wanted = [document for document in documents if document["kind"] != "Namespace"]
        objects = "".join(f"---\n{json.dumps(document)}\n" for document in wanted)
        return cls(name, variables, objects, len(documents))


@dataclass(frozen=True)
class Bench:
    """Where files go, how the API server is reached, and which programs there are.

    ``helm``: None where there is none. ``checks``: variables for clusters without nodes, where less can be verified.
    ``most_by_object``: of how many objects a release may be for the subject that takes a second for each;
    ``most_as_list``: for the one that takes several round trips for each.
    """

    scratch: Path
    kubectl: Path
    helm: Path | None
    checks: Mapping[str, Any]
    most_by_object: int = 30
    most_as_list: int = 600

    def commands(self, kubeconfig: Path, release: Release, label: str) -> list[Command]:
        """Return a command for each subject. Each of them deploys the release to a namespace of its own.

        :param label: tells the namespaces of one measurement from those of another.
        """
        found = [self.ours(kubeconfig, release, f"{label}-ours"), self.with_kubectl(kubeconfig, release, label)]
        if self.helm:
            found.append(self.with_helm(kubeconfig, release, label))
        if release.count <= self.most_as_list:
            found.append(self.with_core(kubeconfig, release, label, AS_LIST))
        if release.count <= self.most_by_object:
            found.append(self.with_core(kubeconfig, release, label, BY_OBJECT))
        return found

    def ours(self, kubeconfig: Path, release: Release, namespace: str) -> Command:
        """Return a deploy with its verification."""
        variables = {
            **release.variables,
            **self.checks,
            "agentsmith_namespace": namespace,
            **target(kubeconfig),
        }
        file = self._file(namespace, release, "variables.json", json.dumps(variables))
        arguments = [PLAYBOOK, "playbooks/deploy.yml", "--inventory=inventories/dev", f"--extra-vars=@{file}"]
        return Command(OURS, arguments, REPOSITORY, self.scratch / f"{namespace}.log", ANSIBLE, [namespace])

    def fleet(self, kubeconfig: Path, release: Release, namespaces: list[str]) -> Command:
        """Return one deploy to all the namespaces."""
        hosts = {name: {"agentsmith_namespace": name, "ansible_connection": "local"} for name in namespaces}
        inventory = self._file(namespaces[0], release, "hosts.yml", yaml.safe_dump({"fleet": {"hosts": hosts}}))
        # The variables of inventories/dev, which are those of all hosts, look there for files
        home = {"inventory_dir": str(REPOSITORY / "inventories/dev")}
        variables = {**release.variables, **self.checks, **target(kubeconfig), **home}
        file = self._file(namespaces[0], release, "fleet.json", json.dumps(variables))
        arguments = [
            *(PLAYBOOK, "playbooks/deploy.yml", f"--extra-vars=@{file}"),
            *("--inventory=inventories/dev", f"--inventory={inventory}", "--limit=fleet"),
        ]
        return Command(OURS, arguments, REPOSITORY, self.scratch / "fleet.log", ANSIBLE, namespaces)

    def with_kubectl(self, kubeconfig: Path, release: Release, label: str) -> Command:
        """Return an apply, and the wait for the rollouts."""
        namespace = f"{label}-kubectl"
        space = self._file(namespace, release, "namespace.json", json.dumps(a_namespace(namespace)))
        objects = self._file(namespace, release, "objects.yaml", release.objects.replace(NAMESPACE, namespace))
        program = [str(self.kubectl), f"--kubeconfig={kubeconfig}", f"--cache-dir={self.scratch / 'kubectl'}"]
        apply = [*program, "apply", "--server-side", "--force-conflicts", f"-f={space}", f"-f={objects}"]
        wait = [*program, "rollout", "status", "deployment", f"-n={namespace}", f"--timeout={ROLLOUT_TIMEOUT}"]
        return self._shell(KUBECTL, namespace, f"{shlex.join(apply)} && {shlex.join(wait)}")

    def with_helm(self, kubeconfig: Path, release: Release, label: str) -> Command:
        """Return an upgrade that waits."""
        namespace = f"{label}-helm"
        objects = release.objects.replace(NAMESPACE, namespace)
        chart = self._file(namespace, release, "chart/objects.yaml", objects).parent
        description = {"apiVersion": "v2", "name": "agentsmith", "version": "1.0.0"}
        (chart / "Chart.yaml").write_text(json.dumps(description), encoding="utf-8")
        (chart / "templates").mkdir(exist_ok=True)
        # The objects are no templates: they may have what looks like one
        text = '{{ .Files.Get "objects.yaml" }}\n'
        (chart / "templates/objects.yaml").write_text(text, encoding="utf-8")
        arguments = [
            *(str(self.helm), f"--kubeconfig={kubeconfig}", "upgrade", "--install", "agentsmith", str(chart)),
            *(f"--namespace={namespace}", "--create-namespace", "--wait", f"--timeout={ROLLOUT_TIMEOUT}"),
            *("--take-ownership", "--force-conflicts"),
        ]
        return self._shell(HELM, namespace, shlex.join(arguments))

    def with_core(self, kubeconfig: Path, release: Release, label: str, how: str) -> Command:
        """Return a play with kubernetes.core.k8s, which waits."""
        namespace = f"{label}-{'list' if how == AS_LIST else 'each'}"
        documents = list(yaml.safe_load_all(release.objects.replace(NAMESPACE, namespace)))
        bodies = [a_namespace(namespace), *documents]
        variables = {"objects": bodies, "ansible_python_interpreter": sys.executable}
        file = self._file(namespace, release, "variables.json", json.dumps(variables))
        task = {
            "kubernetes.core.k8s": {
                "kubeconfig": str(kubeconfig),
                "definition": "{{ objects }}" if how == AS_LIST else "{{ item }}",
                "apply": True,
                "server_side_apply": {"field_manager": "kubernetes.core", "force_conflicts": True},
                "wait": True,
            },
            **({} if how == AS_LIST else {"loop": "{{ objects }}", "loop_control": {"label": "{{ item.kind }}"}}),
        }
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task]}
        playbook = self._file(namespace, release, "playbook.yml", json.dumps([play]))
        arguments = [PLAYBOOK, str(playbook), "--inventory=localhost,", f"--extra-vars=@{file}"]
        return Command(how, arguments, REPOSITORY, self.scratch / f"{namespace}.log", ANSIBLE, [namespace])

    def empty(self) -> Command:
        """Return a playbook with one task that does nothing: what Ansible itself costs."""
        playbook = self.scratch / "empty.yml"
        task = {"ansible.builtin.debug": {"msg": "something"}}
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
        arguments = [PLAYBOOK, str(playbook), "--inventory=inventories/dev"]
        return Command(EMPTY, arguments, REPOSITORY, self.scratch / "empty.log", ANSIBLE)

    def side_by_side(self, name: str, commands: list[Command], processes: int) -> Command:
        """Return commands of a shell, so many of them at the same time."""
        file = self.scratch / f"{commands[0].namespaces[0]}.commands"
        file.write_text("".join(f"{command.arguments[-1]}\n" for command in commands), encoding="utf-8")
        line = f"xargs --delimiter='\\n' --max-procs={processes} --max-args=1 sh -c < {shlex.quote(str(file))}"
        namespaces = [name for command in commands for name in command.namespaces]
        output = self.scratch / f"{namespaces[0]}-all.log"
        return Command(f"{name}, {processes} at a time", ["sh", "-c", line], self.scratch, output, {}, namespaces)

    def _shell(self, name: str, namespace: str, line: str) -> Command:
        output = self.scratch / f"{namespace}.log"
        return Command(name, ["sh", "-c", line], self.scratch, output, namespaces=[namespace])

    def _file(self, namespace: str, release: Release, name: str, text: str) -> Path:
        path = self.scratch / namespace / release.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


def target(kubeconfig: Path) -> dict[str, str]:
    """Return the variables that name the API server."""
    context = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))["current-context"]
    return {"agentsmith_kubeconfig": str(kubeconfig), "agentsmith_context": context}


def a_namespace(name: str) -> dict[str, Any]:
    """Return a Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def versions(kubectl: Path, helm: Path | None, server: str) -> dict[str, str]:
    """Return what was measured, by its name."""
    ansible = _first_line([PLAYBOOK, "--version"]).partition("[core ")[2].rstrip("]")
    core = json.loads(files("ansible_collections.kubernetes.core").joinpath("MANIFEST.json").read_text())
    client = json.loads(_output([kubectl, "version", "--client", "--output=json"]))["clientVersion"]["gitVersion"]
    found = {
        "agentsmith.platform": _first_line(["git", "-C", REPOSITORY, "describe", "--always", "--dirty"]),
        "ansible-core": ansible,
        "Python": sys.version.partition(" ")[0],
        "kubernetes.core": core["collection_info"]["version"],
        "kubectl": client,
        "Kubernetes": server,
    }
    if helm:
        found["Helm"] = _first_line([helm, "version", "--short"])
    return found


def helm_on_path() -> Path | None:
    """Return the Helm that is installed, None where none is."""
    found = shutil.which("helm")
    return Path(found) if found else None


def _first_line(command: list[Any]) -> str:
    return _output(command).partition("\n")[0].strip()


def _output(command: list[Any]) -> str:
    environment = {**os.environ, **ANSIBLE}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
