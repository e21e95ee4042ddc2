# SPDX-License-Identifier: GPL-3.0-or-later
"""What an unchanged deploy costs with this tree, with a commit, and what an empty playbook costs.

    make benchmark-compare REF=main

Each tree deploys inventories/dev to a namespace of its own of a real API server, without nodes. Then the three run in
turn.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from measuring import FIGURES, Command, Spread, interleaved

REPOSITORY = Path(__file__).parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/integration"))

from control_plane import ControlPlane, running_control_plane  # noqa: E402
from stand_in_kubelet import ready, stand_in_kubelet  # noqa: E402

EMPTY = "[{hosts: all, gather_facts: false, tasks: [{ansible.builtin.debug: {msg: something}}]}]"
# Checks that need no kubelet, for the deploy that makes the release
CHECKS = {"verify_only": ["redis_rollout", "dispatcher_rollout"]}


def running(name: str, directory: Path, arguments: Sequence[str], scratch: Path) -> Command:
    """Return a playbook that runs with the collection of a checkout."""
    program = Path(sys.executable).parent / "ansible-playbook"
    environment = {
        "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(directory / ".collections"),
    }
    return Command(name, [program, *arguments], directory, scratch / f"{name}.log", environment)


def deploying(name: str, directory: Path, cluster: ControlPlane, scratch: Path) -> Command:
    """Return a deploy of a checkout to a namespace of its name."""
    kubeconfig = scratch / "kubeconfig"
    kubeconfig.write_text(cluster.kubeconfig(), encoding="utf-8")
    variables = {
        "agentsmith_namespace": name,
        "agentsmith_kubeconfig": str(kubeconfig),
        "agentsmith_context": "test",
        "dispatcher_service_type": "ClusterIP",  # both trees would ask for the same port of the nodes
    }
    arguments = ["playbooks/deploy.yml", "--inventory=inventories/dev", f"--extra-vars={json.dumps(variables)}"]
    return running(name, directory, arguments, scratch)


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


def row(title: str, values: Sequence[float]) -> str:
    """Return a line of the table."""
    found = Spread.of(values)
    return f"{title:<30}" + "".join(f"{cell:>10.2f}" for cell in (found.median, found.least, found.most))


def table(runs: dict[str, list[tuple[float, ...]]]) -> str:
    """Return the medians with their spread, and the medians of the ratios run by run."""
    lines = [f"{'':<30}{'median':>10}{'min':>10}{'max':>10}"]
    for position, figure in enumerate(FIGURES):
        for name, measured in runs.items():
            lines.append(row(f"{figure}, {name}", [run[position] for run in measured]))
    first, *others = runs
    for other in others:
        for position, figure in enumerate(FIGURES):
            ratios = [one[position] / two[position] for one, two in zip(runs[first], runs[other], strict=True)]
            lines.append(row(f"{figure}, {first} / {other}", ratios))
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
            if "changed=0" not in tree.text:
                sys.exit(f"{tree.name}: the second deploy changes something\n{tree.text}")
        empty = scratch / "empty.yml"
        empty.write_text(EMPTY, encoding="utf-8")
        trees.append(running("empty", REPOSITORY, [str(empty), "--inventory=inventories/dev"], scratch))
        runs = interleaved(lambda _: trees, options.runs)
        print(f"An unchanged deploy, {options.runs} runs in turn; before: {options.ref}; empty: one debug task\n")
        print(table(runs))


if __name__ == "__main__":
    main()
