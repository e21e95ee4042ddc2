# SPDX-License-Identifier: GPL-3.0-or-later
"""What an unchanged deploy costs with this tree, with a commit, and what an empty playbook costs.

    make benchmark-compare REF=main

Each tree deploys inventories/dev to a namespace of its own of a real API server, without nodes. Then the three run in
turn, so that what else the machine does meets all alike. Processor seconds include all processes of a run; the peak is
that of its largest one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/integration"))

from control_plane import ControlPlane, running_control_plane  # noqa: E402
from stand_in_kubelet import ready, stand_in_kubelet  # noqa: E402

EMPTY = "[{hosts: all, gather_facts: false, tasks: [{ansible.builtin.debug: {msg: something}}]}]"
# Checks that need no kubelet, for the deploy that makes the release
CHECKS = {"verify_only": ["redis_rollout", "dispatcher_rollout"]}
FIGURES = ("wall s", "processor s", "peak MiB")


@dataclass(frozen=True)
class Tree:
    """A checkout whose playbooks are run, and what with."""

    name: str
    directory: Path
    arguments: list[str]
    output: Path

    def run(self, *more: str) -> tuple[float, ...]:
        """Run the playbook to its end; return the figures."""
        program = Path(sys.executable).parent / "ansible-playbook"
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(self.directory / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.directory / ".collections"),
        }
        with self.output.open("w", encoding="utf-8") as output:
            started = time.perf_counter()
            process = subprocess.Popen(
                [program, *self.arguments, *more], cwd=self.directory, env=environment, stdout=output, stderr=output
            )
            _, status, used = os.wait4(process.pid, 0)
            wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{self.name}: exit code {process.returncode}\n{self.output.read_text(encoding='utf-8')}")
        return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def deploying(name: str, directory: Path, cluster: ControlPlane, scratch: Path) -> Tree:
    """Return a tree that deploys to a namespace of its name."""
    kubeconfig = scratch / "kubeconfig"
    kubeconfig.write_text(cluster.kubeconfig(), encoding="utf-8")
    variables = {
        "agentsmith_namespace": name,
        "agentsmith_kubeconfig": str(kubeconfig),
        "agentsmith_context": "test",
        "dispatcher_service_type": "ClusterIP",  # both trees would ask for the same port of the nodes
    }
    arguments = ["playbooks/deploy.yml", "--inventory=inventories/dev", f"--extra-vars={json.dumps(variables)}"]
    return Tree(name, directory, arguments, scratch / f"{name}.log")


@contextmanager
def checkout(ref: str, scratch: Path) -> Iterator[Path]:
    """A working tree of a commit, for as long as the context lasts."""
    directory = scratch / "checkout"
    git = ["git", "-C", str(REPOSITORY), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", directory, ref], check=True)
    try:
        yield directory
    finally:
        subprocess.run([*git, "remove", "--force", directory], check=True)


def table(runs: dict[str, list[tuple[float, ...]]]) -> str:
    """Return the medians with their spread, and the medians of the ratios run by run."""
    lines = [f"{'':<30}{'median':>10}{'min':>10}{'max':>10}"]
    for position, figure in enumerate(FIGURES):
        for name, measured in runs.items():
            values = [run[position] for run in measured]
            cells = (statistics.median(values), min(values), max(values))
            lines.append(f"{f'{figure}, {name}':<30}" + "".join(f"{cell:>10.2f}" for cell in cells))
    first, *others = runs
    for other in others:
        for position, figure in enumerate(FIGURES):
            ratios = [one[position] / two[position] for one, two in zip(runs[first], runs[other], strict=True)]
            cells = (statistics.median(ratios), min(ratios), max(ratios))
            lines.append(f"{f'{figure}, {first} / {other}':<30}" + "".join(f"{cell:>10.2f}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("ref", help="a commit, a branch or a tag")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    binaries = Path(os.environ["AGENTSMITH_KUBERNETES_BIN"]).resolve()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        before = stack.enter_context(checkout(options.ref, scratch))
        (scratch / "cluster").mkdir()
        cluster = stack.enter_context(running_control_plane(binaries, scratch / "cluster"))
        trees = [deploying("today", REPOSITORY, cluster, scratch), deploying("before", before, cluster, scratch)]
        for tree in trees:
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": tree.name}}
            cluster.request("POST", "/api/v1/namespaces", body)
            with stand_in_kubelet(cluster, tree.name, ready()):
                tree.run(f"--extra-vars={json.dumps(CHECKS)}")
            tree.run()
            if "changed=0" not in tree.output.read_text(encoding="utf-8"):
                sys.exit(f"{tree.name}: the second deploy changes something\n{tree.output.read_text(encoding='utf-8')}")
        empty = scratch / "empty.yml"
        empty.write_text(EMPTY, encoding="utf-8")
        trees.append(Tree("empty", REPOSITORY, [str(empty), "--inventory=inventories/dev"], scratch / "empty.log"))
        runs: dict[str, list[tuple[float, ...]]] = {tree.name: [] for tree in trees}
        for _ in range(options.runs):
            for tree in trees:
                runs[tree.name].append(tree.run())
        print(f"An unchanged deploy, {options.runs} runs in turn; before: {options.ref}; empty: one debug task\n")
        print(table(runs))


if __name__ == "__main__":
    main()
