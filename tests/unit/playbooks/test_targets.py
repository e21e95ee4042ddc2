# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that finds nothing to do its work on fails, and names the inventory."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_playbook import ansible_playbook

CHECKOUT = Path(__file__).parents[3]
PLAYBOOKS = sorted((CHECKOUT / "playbooks").glob("*.yml"))


def run(playbook: str, *options: str | Path) -> tuple[int, str]:
    """Run a playbook; return its exit status and what it says, in one line."""
    ended = ansible_playbook(f"playbooks/{playbook}.yml", *options)
    return ended.returncode, " ".join((ended.stdout + ended.stderr).split())


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_play_asks_whether_it_has_hosts(playbook: Path) -> None:
    wanted = "'agentsmith.platform.targets'" + (", 'localhost'" if playbook.stem == "new_environment" else "")
    plays = yaml.safe_load(playbook.read_text())
    assert [play.get("hosts") for play in plays] == [f"{{{{ lookup({wanted}) }}}}"] * len(plays)


@pytest.fixture
def inventories(tmp_path: Path) -> Path:
    """One inventory with a host, and some without."""
    (tmp_path / "good.yml").write_text("all: {hosts: {one: {agentsmith_namespace: agentsmith}}}\n")
    (tmp_path / "group_only.yml").write_text("all: {children: {clusters: {}}}\n")
    (tmp_path / "broken.yml").write_text("all: {hosts: [\n")
    (tmp_path / "variables/group_vars").mkdir(parents=True)
    (tmp_path / "variables/group_vars/all.yml").write_text("agentsmith_context: none\n")
    return tmp_path


@pytest.mark.parametrize(
    ("sources", "options", "message"),
    [
        (["missing"], [], "The inventory {0} does not exist"),
        (["good.yml", "missing"], [], "The inventory {1} does not exist"),
        (["variables"], [], "The inventory {0} has no host"),
        (["group_only.yml"], [], "The inventory {0} has no host"),
        (["broken.yml", "variables"], [], "The inventory {0}, {1} has no host"),
        (["group_only.yml"], ["--limit", "localhost"], "The inventory {0} has no host"),
        # Ansible's own, before any playbook is read
        (["good.yml"], ["--limit", "two"], "--limit leaves us with no hosts to target"),
    ],
)
def test_no_host_is_no_success(inventories: Path, sources: list[str], options: list[str], message: str) -> None:
    paths = [str(inventories / source) for source in sources]
    status, said = run("status", *(option for path in paths for option in ("-i", path)), *options)
    # As docs/how-to/operate.md has them
    assert status == (1 if "--limit leaves" in message else 4)
    assert message.format(*paths) in said


@pytest.mark.parametrize("playbook", ["new_environment", "deploy"])
def test_a_limit_without_the_host_is_no_success(inventories: Path, playbook: str) -> None:
    status, said = run(playbook, "-i", inventories / "group_only.yml", "--limit", "one")
    assert status != 0
    assert "--limit one" in said


@pytest.mark.parametrize("source", ["one,", "good.yml"])
def test_a_host_is_enough(inventories: Path, source: str) -> None:
    given = source if "," in source else inventories / source
    more = ["-i", inventories / "variables", "-e", "agentsmith_kubeconfig=/nowhere"]
    status, said = run("status", "-i", given, *more)
    assert (status, "TASK [Read what runs]" in said) == (2, True), said


def test_what_runs_nothing_needs_no_inventory_and_no_password(inventories: Path) -> None:
    assert run("deploy", "-i", inventories / "missing", "--syntax-check")[0] == 0
    assert run("deploy", "-i", CHECKOUT / "inventories/prod", "--list-tags")[0] == 0


def test_tags_that_leave_no_part_are_no_success(inventories: Path) -> None:
    status, said = run("images", "-i", inventories / "good.yml", "--tags", "redsi")
    assert status != 0
    assert "--tags and --skip-tags leave no part of the release. Its parts: namespace, secrets" in said
