# SPDX-License-Identifier: GPL-3.0-or-later
"""What deploys cost, beside kubectl, Helm and kubernetes.core. Writes docs/performance.md.

    make benchmark                             on an API server of its own, without nodes
    make benchmark KUBECONFIG=.local/kubeconfig  a single release, on a cluster that has the images of inventories/dev

The results lie in .local/benchmark.json. With SCENARIOS= only those are measured again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from measuring import Command, interleaved
from report import write
from subjects import FORKS, HELM, KUBECTL, REPOSITORY, Bench, Release, helm_on_path, versions
from task_times import CALLBACK, seconds_of_tasks

sys.path.insert(0, str(REPOSITORY / "tests/integration"))

from control_plane import ControlPlane, running_control_plane  # noqa: E402
from fault_proxy import running_fault_proxy  # noqa: E402
from stand_in_kubelet import ready, stand_in_kubelet  # noqa: E402

RESULTS = REPOSITORY / ".local/benchmark.json"
SMALL = {"cpu": "10m", "memory": "32Mi", "ephemeral-storage": "16Mi"}
# No two releases may ask for the same port of the nodes, and those of all subjects have to fit on a small one
VARIABLES: dict[str, Any] = {
    "dispatcher_service_type": "ClusterIP",
    "dispatcher_resources": {"requests": SMALL, "limits": {"cpu": "500m", "memory": "512Mi"}},
    "redis_resources": {"requests": SMALL, "limits": {"cpu": "500m", "memory": "384Mi"}},
}
CHANGED = {**VARIABLES, "redis_maxmemory": "300mb"}
# What can be verified without a kubelet
WITHOUT_NODES = {"verify_only": ["redis_rollout", "dispatcher_rollout"]}
SIZES = (0, 100, 500, 2000)  # ConfigMaps beside a release
DELAYS = (0, 20, 100)  # milliseconds

Figures = dict[str, list[tuple[float, ...]]]


@dataclass(frozen=True)
class Site:
    """A cluster: its kubeconfig, and what makes the pods of a namespace run."""

    kubeconfig: Path
    pods: Callable[[str], AbstractContextManager[None]]

    def run(self, command: Command) -> tuple[float, ...]:
        """Run a command while pods run."""
        with ExitStack() as stack:
            for namespace in command.namespaces:
                stack.enter_context(self.pods(namespace))
            return command.run()


class Suite:
    """The scenarios.

    :param site: where pods run; *control_plane* is an API server without nodes.
    """

    def __init__(
        self, bench: Bench, site: Site, control_plane: ControlPlane, runs: int, targets: int, sizes: Sequence[int]
    ) -> None:
        self._bench = bench
        self._site = site
        self._control_plane = control_plane
        self._bare = Site(bench.scratch / "bare.kubeconfig", standing_in(control_plane))
        self._bare.kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")
        self._runs, self._targets, self._sizes = runs, targets, sizes
        self._release = Release.rendered(bench.scratch, "release", VARIABLES)
        self._other = Release.rendered(bench.scratch, "changed", CHANGED)

    def unchanged(self) -> Any:
        """Deploy what is deployed."""
        deployed = self._deployed(self._site, self._release, "unchanged")
        commands = [*deployed, self._bench.empty()]
        figures = interleaved(lambda _: commands, self._runs)
        self._delete(self._site, [name for command in deployed for name in command.namespaces])
        return figures

    def changed(self) -> Any:
        """Deploy what gives Redis new pods, and back again."""
        label, kubeconfig = "changed", self._site.kubeconfig
        sides = [self._deployed(self._site, self._release, label)]
        sides.insert(0, self._bench.commands(kubeconfig, self._other, label))
        figures = interleaved(lambda number: sides[number % 2], self._runs, self._site.run)
        self._delete(self._site, [name for command in sides[0] for name in command.namespaces])
        return figures

    def first(self) -> Any:
        """Deploy to a namespace that does not exist."""

        def run(command: Command) -> tuple[float, ...]:
            figures = self._site.run(command)
            self._delete(self._site, command.namespaces)
            return figures

        kubeconfig, release = self._site.kubeconfig, self._release
        return interleaved(lambda number: self._bench.commands(kubeconfig, release, f"first-{number}"), self._runs, run)

    def profile(self) -> Any:
        """Take down what each task of our deploys takes: of a first, a changed and an unchanged one."""
        found: dict[str, list[dict[str, float]]] = {}
        for number in range(self._runs):
            for scenario, release in (("first", self._release), ("changed", self._other), ("unchanged", self._other)):
                command = self._bench.ours(self._site.kubeconfig, release, f"profile-{number}")
                command = replace(command, environment={**command.environment, **CALLBACK})
                started = time.time()
                wall, *_ = self._site.run(command)
                found.setdefault(scenario, []).append(seconds_of_tasks(command.text, started, wall))
            self._delete(self._site, command.namespaces)
        return found

    def fleet(self) -> Any:
        """Deploy what is deployed, to many namespaces."""
        release, kubeconfig, bench = self._release, self._site.kubeconfig, self._bench
        labels = [f"fleet-{number}" for number in range(self._targets)]
        commands = [
            bench.fleet(kubeconfig, release, [f"{label}-ours" for label in labels]),
            bench.side_by_side(KUBECTL, [bench.with_kubectl(kubeconfig, release, label) for label in labels], FORKS),
        ]
        if bench.helm:
            with_helm = [bench.with_helm(kubeconfig, release, label) for label in labels]
            commands.append(bench.side_by_side(HELM, with_helm, FORKS))
        for command in commands:
            self._site.run(command)
        measured = interleaved(lambda _: commands, self._runs)
        self._delete(self._site, [name for command in commands for name in command.namespaces])
        return {"targets": self._targets, "figures": measured}

    def many(self) -> Any:
        """Deploy releases of more objects that are deployed, from farther away."""
        found = []
        for size in self._sizes:
            bodies = [
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": f"many-{number}", "namespace": "{{ agentsmith_namespace }}"},
                    "data": {"key": "value"},
                }
                for number in range(size)
            ]
            variables = {**VARIABLES, "extra_objects": bodies}
            release = Release.rendered(self._bench.scratch, f"many-{size}", variables)
            self._deployed(self._bare, release, f"many-{size}")
            for delay in DELAYS:
                with self._delayed(delay) as kubeconfig:
                    commands = self._bench.commands(kubeconfig, release, f"many-{size}")
                    figures = interleaved(lambda _, commands=commands: commands, self._runs)  # type: ignore[misc]
                found.append({"objects": release.count, "delay": delay, "figures": figures})
            self._delete(self._bare, [name for command in commands for name in command.namespaces])
        return found

    def requests(self) -> Any:
        """Count the requests of each deploy: the first, a changed and an unchanged one."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        with running_fault_proxy(self._control_plane, tls=True) as proxy:
            kubeconfig = self._bench.scratch / "counted.kubeconfig"
            kubeconfig.write_text(self._control_plane.kubeconfig(server=proxy.url), encoding="utf-8")
            for scenario, release in (("first", self._release), ("changed", self._other), ("unchanged", self._other)):
                for command in self._bench.commands(kubeconfig, release, "counted"):
                    proxy.seen.clear()
                    self._bare.run(command)
                    counts = Counter(map(kind_of, [(seen.method, seen.path) for seen in proxy.seen]))
                    found.setdefault(command.name, {})[scenario] = dict(counts)
        return found

    def _deployed(self, site: Site, release: Release, label: str) -> list[Command]:
        """Deploy a release with every subject, twice, as the second run may add what the first could not know."""
        commands = self._bench.commands(site.kubeconfig, release, label)
        for command in commands * 2:
            site.run(command)
        return commands

    def _delete(self, site: Site, namespaces: Sequence[str]) -> None:
        arguments = [self._bench.kubectl, f"--kubeconfig={site.kubeconfig}", "delete", "namespace", *namespaces]
        Command("delete", arguments, self._bench.scratch, self._bench.scratch / "delete.log").run()

    @contextmanager
    def _delayed(self, milliseconds: int) -> Iterator[Path]:
        """A kubeconfig whose API server is far away."""
        if not milliseconds:
            yield self._bare.kubeconfig
            return
        port = self._control_plane.url.rpartition(":")[2]
        program = [sys.executable, str(Path(__file__).with_name("delay.py")), "127.0.0.1", port, str(milliseconds)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            server = f"https://127.0.0.1:{process.stdout.readline().strip()}"
            kubeconfig = self._bench.scratch / f"delayed-{milliseconds}.kubeconfig"
            kubeconfig.write_text(self._control_plane.kubeconfig(server=server), encoding="utf-8")
            try:
                yield kubeconfig
            finally:
                process.terminate()


# A node has no room for the pods of a fleet, and the others count on an API server of their own
ON_NODES = ("unchanged", "changed", "first", "profile")
SCENARIOS = (*ON_NODES, "fleet", "requests", "many")


def standing_in(control_plane: ControlPlane) -> Callable[[str], AbstractContextManager[None]]:
    """Return what makes pods run where there are no nodes."""
    return lambda namespace: stand_in_kubelet(control_plane, namespace, ready())


def kind_of(request: tuple[str, str]) -> str:
    """Tell what a request is: a read, a dry run or a write."""
    method, path = request
    if method == "GET" or path.startswith("/apis/authorization.k8s.io/"):
        return "reads"
    return "dry runs" if "dryRun=" in path else "writes"


def machine() -> str:
    """Describe this machine."""
    cpu = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    model = next((line.partition(":")[2].strip() for line in cpu.splitlines() if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} × {model or platform.machine()}, {memory:.0f} GiB, {platform.system()}"


def main() -> None:
    """Measure, keep the results, and write the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kubeconfig", default="", help="a cluster with nodes")
    parser.add_argument("--helm", default="", help="Helm's program, by default the one on PATH")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--targets", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="ConfigMaps beside a release")
    parser.add_argument("--most-by-object", type=int, default=Bench.most_by_object, help="0: without that subject")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=REPOSITORY / "docs/performance.md")
    parser.add_argument("scenarios", nargs="*", help=", ".join(SCENARIOS))
    options = parser.parse_args()
    possible = ON_NODES if options.kubeconfig else SCENARIOS
    wanted = options.scenarios or possible
    if not set(wanted) <= set(possible):
        parser.error(f"scenarios are {', '.join(possible)}")
    binaries = Path(os.environ["AGENTSMITH_KUBERNETES_BIN"]).resolve()
    results = json.loads(options.results.read_text(encoding="utf-8")) if options.results.exists() else {}
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (scratch / "cluster").mkdir()
        control_plane = stack.enter_context(running_control_plane(binaries, scratch / "cluster"))
        helm = Path(options.helm) if options.helm else helm_on_path()
        checks = {} if options.kubeconfig else WITHOUT_NODES
        bench = Bench(scratch, binaries / "kubectl", helm, checks, options.most_by_object)
        if options.kubeconfig:
            site = Site(Path(options.kubeconfig).resolve(), lambda _: nullcontext())
        else:
            site = Site(scratch / "site.kubeconfig", standing_in(control_plane))
            site.kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")
        suite = Suite(bench, site, control_plane, options.runs, options.targets, options.sizes)
        server = control_plane.get("/version")["gitVersion"]
        for name in SCENARIOS:
            if name not in wanted:
                continue
            print(f"==> {name}: {getattr(Suite, name).__doc__}", flush=True)
            results[name] = {
                "result": getattr(suite, name)(),
                "runs": options.runs,
                "date": datetime.now(UTC).strftime("%Y-%m-%d"),
                "machine": machine(),
                "versions": versions(bench.kubectl, helm, server),
                "cluster": "with nodes" if options.kubeconfig else "without nodes",
            }
            options.results.parent.mkdir(parents=True, exist_ok=True)
            options.results.write_text(json.dumps(results, indent=1), encoding="utf-8")
    write(results, options.page)
    print(f"==> {options.page}")


if __name__ == "__main__":
    main()
