# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a new environment: complete, encrypted at every instant, never written over."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

BIN = Path(sys.executable).parent
CHECKOUT = Path(__file__).resolve().parents[3]
ROLE = "agentsmith.platform.new_environment"
SECRETS = {
    "new_environment_slack_bot_token": "xoxb-1-2-canary4711",
    "new_environment_slack_signing_secret": "0123456789abcdef0123456789abcde7",
    "new_environment_github_token": "ghp_canary4711",
    "new_environment_anthropic_api_key": "sk-canary4711",
    "new_environment_vault_password": "a password, canary4711",
}


@pytest.fixture
def answers(tmp_path: Path) -> dict[str, Any]:
    return {
        "new_environment_name": "staging",
        "new_environment_parent": str(tmp_path / "inventories"),
        "new_environment_context": "a-cluster",
        "new_environment_dispatcher_image": "registry.example/dispatcher:1",
        "new_environment_agent_image": "registry.example/agent:1",
        "new_environment_project": "agent-smith-test",
        "new_environment_repository": "https://github.com/example/agent-smith-test",
        **SECRETS,
    }


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where Ansible's temporary files go. Its path is short: Ansible puts a socket there, whose path has 107 bytes."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def start(temporary: Path, *arguments: str) -> subprocess.Popen[str]:
    """ansible-playbook, with its temporary files in a directory of the test."""
    environment = {
        **os.environ,
        "ANSIBLE_LOCAL_TEMP": str(temporary / "local"),
        "ANSIBLE_REMOTE_TEMP": str(temporary / "remote"),
        "TMPDIR": str(temporary),
    }
    return subprocess.Popen(
        [BIN / "ansible-playbook", *arguments],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def create(answers: dict[str, Any], tmp_path: Path, temporary: Path, *arguments: str) -> subprocess.Popen[str]:
    """The playbook with its answers in a file."""
    file = tmp_path / "answers.yml"
    file.write_text(yaml.safe_dump(answers))
    return start(temporary, "playbooks/new_environment.yml", "-e", f"@{file}", *arguments)


def clear_text_below(directory: Path) -> list[str]:
    """Files with a secret in clear. A file that goes away while it is read held nothing that stayed."""
    found = []
    for path in directory.rglob("*"):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        found += [f"{path}: {name}" for name, secret in SECRETS.items() if secret.encode() in text]
    return found


def test_creates_a_complete_encrypted_inventory(answers, tmp_path, temporary):
    output, _ = create(answers, tmp_path, temporary, "-vvv", "--diff").communicate(timeout=60)
    made = tmp_path / "inventories/staging"
    vault = made / "group_vars/all/vault.yml"
    assert vault.read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;staging\n"), output
    assert vault.stat().st_mode & 0o077 == 0
    for name, secret in SECRETS.items():
        assert secret not in output, name
    assert clear_text_below(tmp_path / "inventories") == clear_text_below(temporary) == []
    password = tmp_path / "password"
    password.write_text(SECRETS["new_environment_vault_password"])
    inventory = subprocess.run(
        [BIN / "ansible-inventory", "-i", made, "--vault-id", f"staging@{password}", "--host", "staging"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    values = yaml.safe_load(inventory.stdout)
    assert values["agentsmith_namespace"] == "agentsmith"
    assert values["vault_slack_bot_token"] == SECRETS["new_environment_slack_bot_token"]
    assert list(values["config_agentsmith"]["projects"]) == ["agent-smith-test"]


def test_the_way_in_that_it_offers_is_a_gateway(answers, tmp_path, temporary, render):
    output, _ = create(answers, tmp_path, temporary).communicate(timeout=60)
    main = tmp_path / "inventories/staging/group_vars/all/main.yml"
    assert f"at the end of {main}" in output
    values = main.read_text()
    offered = re.sub(r"^# (?=(agentsmith_public_url|dispatcher_\w+): )", "", values, flags=re.MULTILINE)
    assert offered != values
    run = render({"closed": yaml.safe_load(values), "open": yaml.safe_load(offered)})
    assert run.failures == {}
    routes = {"Gateway/agentsmith-dispatcher", "HTTPRoute/agentsmith-dispatcher", "HTTPRoute/agentsmith-redirect"}
    assert routes & run.objects["closed"].keys() == set()
    assert routes <= run.objects["open"].keys()


def test_never_touches_an_environment_that_exists(answers, tmp_path, temporary):
    vault = tmp_path / "inventories/staging/group_vars/all/vault.yml"
    vault.parent.mkdir(parents=True)
    vault.write_text("somebody's")
    run = create(answers, tmp_path, temporary)
    output, _ = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "new_environment_name" in output
    assert vault.read_text() == "somebody's"
    assert [path.name for path in vault.parent.parent.parent.iterdir()] == ["group_vars"]


def test_files_that_differ_are_not_written_over_unasked(answers, tmp_path, temporary):
    """The files of a run that was interrupted are the same, and no question."""
    vault = tmp_path / "inventories/staging/group_vars/all/vault.yml"
    hosts = tmp_path / "inventories/staging/hosts.yml"
    for content, options, returncode in (
        (None, [], 0),
        ("all: {hosts: {mine: {}}}\n", [], 2),
        ("all: {hosts: {mine: {}}}\n", ["-e", "new_environment_overwrite=true"], 0),
    ):
        if vault.exists():
            vault.unlink()
        if content:
            hosts.write_text(content)
        run = create(answers, tmp_path, temporary, *options)
        output, _ = run.communicate(timeout=60)
        assert run.returncode == returncode, output
        assert vault.exists() == (returncode == 0)
        if returncode:
            assert f"{hosts} would be written over" in output.replace("\n        ", " ")
            assert "group_vars/all/main.yml would" not in output
            assert "new_environment_overwrite=true" in output
            assert hosts.read_text() == content
    assert "mine" not in hosts.read_text()


WRONG = [
    ("new_environment_name", "Staging"),
    ("new_environment_namespace", "under_score"),
    ("new_environment_project", "api-v2"),
    ("new_environment_project", "fix"),
    ("new_environment_github_token", '"ghp_canary4711"'),
    ("new_environment_repository", "https://github.com/example/name.git"),
    ("new_environment_slack_bot_token", "xapp-canary4711"),
    ("new_environment_slack_signing_secret", "too-short-canary4711"),
]


def test_wrong_answers_are_named_and_nothing_is_written(answers, tmp_path, temporary):
    """Each wrong answer is a host: one start of Ansible serves them all."""
    hosts = {f"wrong{number}": {**answers, variable: value} for number, (variable, value) in enumerate(WRONG)}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
    play = {"hosts": "all", "connection": "local", "gather_facts": False, "roles": [ROLE]}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    run = start(temporary, str(tmp_path / "play.yml"), "-i", str(tmp_path / "hosts.yml"))
    output, _ = run.communicate(timeout=60)
    assert run.returncode != 0
    refusals = dict(re.findall(r"^fatal: \[(\w+)\]: FAILED! =>(.*?)(?=^\S)", output, re.MULTILINE | re.DOTALL))
    assert refusals.keys() == hosts.keys(), output
    for number, (variable, value) in enumerate(WRONG):
        assert variable in refusals[f"wrong{number}"], (variable, value)
    assert "canary4711" not in output
    assert not (tmp_path / "inventories").exists()


def test_no_clear_text_at_any_instant_of_a_run_that_is_killed(answers, tmp_path, temporary):
    """The run is watched as fast as the file system can be read, and killed as soon as the Vault file appears."""
    run = create(answers, tmp_path, temporary)
    vault = tmp_path / "inventories/staging/group_vars/all/vault.yml"
    looks, deadline = 0, time.monotonic() + 60
    while not vault.exists() and run.poll() is None and time.monotonic() < deadline:
        assert clear_text_below(tmp_path / "inventories") == clear_text_below(temporary) == []
        looks += 1
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert vault.exists(), run.stdout.read()
    assert looks > 10
    assert clear_text_below(tmp_path / "inventories") == clear_text_below(temporary) == []


PRODUCTION = {
    "new_environment_example": "production",
    "new_environment_namespace": "bot",
    "new_environment_dispatcher_image": f"registry.example/team/dispatcher@sha256:{'2' * 64}",
    "new_environment_agent_image": f"registry.example/team/agent@sha256:{'3' * 64}",
    "new_environment_registry_password": "canary4711-of-the-registry",
}


def test_one_like_production_has_its_settings_and_the_answers(answers, tmp_path, temporary):
    output, _ = create(answers | PRODUCTION, tmp_path, temporary).communicate(timeout=60)
    made = tmp_path / "inventories/staging"
    assert "canary4711" not in output
    example = yaml.safe_load((CHECKOUT / "inventories/prod/group_vars/all/main.yml").read_text())
    values = yaml.safe_load((made / "group_vars/all/main.yml").read_text())
    answered = {
        "agentsmith_namespace": "bot",
        "agentsmith_registry": "registry.example/team",
        "dispatcher_image": PRODUCTION["new_environment_dispatcher_image"],
        "agentsmith_agent_image": PRODUCTION["new_environment_agent_image"],
    }
    without = {"agentsmith_version", "prod_dispatcher_digest", "prod_agent_digest"}
    assert values == {name: value for name, value in example.items() if name not in without} | answered
    host = yaml.safe_load((made / "hosts.yml").read_text())["all"]["hosts"]["staging"]
    assert host["agentsmith_context"] == "a-cluster"
    password = tmp_path / "password"
    password.write_text(SECRETS["new_environment_vault_password"])
    rendered = start(
        temporary,
        "playbooks/render.yml",
        "-i",
        str(made),
        "--vault-id",
        f"staging@{password}",
        "-e",
        f"render_dir={tmp_path}/out",
    )
    output, _ = rendered.communicate(timeout=60)
    assert rendered.returncode == 0, output
    kinds = {yaml.safe_load(path.read_text())["kind"] for path in (tmp_path / "out").rglob("*.yaml")}
    assert {"Gateway", "HTTPRoute", "Certificate", "PodDisruptionBudget"} <= kinds


@pytest.mark.parametrize("image", ["registry.example/team/agent:1", f"agent@sha256:{'3' * 64}"])
def test_production_asks_for_images_by_digest_in_a_registry(answers, tmp_path, temporary, image):
    values = answers | PRODUCTION | {"new_environment_agent_image": image}
    output, _ = create(values, tmp_path, temporary).communicate(timeout=60)
    assert f"new_environment_agent_image is '{image}'. Allowed: a registry, a name and a digest" in " ".join(
        output.split()
    )
    assert not (tmp_path / "inventories/staging").exists()
