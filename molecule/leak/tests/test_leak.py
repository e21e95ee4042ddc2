# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret value leaves the Secret: not in output, temporary files, processes, objects, logs or events.

One release is deployed, changed, rotated and broken with marked values from a Vault file; all that was written or shown
is searched for them. The equipment is shown to see a leak where one is planted.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest
from conftest import BIN, CHECKOUT, KUBECONFIG, KUBECTL, spellings
from leak_watch import LeakWatch

NAMESPACE = "agentsmith-leak"
# Of the right shape, with characters that every encoding changes, and found nowhere else.
MARKED = {
    "vault_anthropic_api_key": "sk-ant-leak+/=canary1",
    "vault_openai_api_key": "sk-leak+/=canary2",
    "vault_gemini_api_key": "AIza-leak+/=canary3",
    "vault_github_token": "ghp_leak+/=canary4",
    "vault_azure_devops_token": "azdo-leak+/=canary5",
    "vault_gitlab_token": "glpat-leak+/=canary6",
    "vault_jira_token": "jira-leak+/=canary7",
    "vault_jira_email": "leak.canary8@example.com",
    "vault_slack_bot_token": "xoxb-1-2-leakcanary9",
    "vault_redis_password": "redis-leak+/=canary12",
    "vault_slack_signing_secret": "1eacca4a4910000000000000000001ea",
}
CHANGED = {**MARKED, "vault_github_token": "ghp_leak+/=canary10"}
ROTATED = {**CHANGED, "vault_github_token": "ghp_leak+/=canary11"}
SPELLINGS = {form for values in (MARKED, CHANGED, ROTATED) for value in values.values() for form in spellings(value)}
SEARCHED_AFTERWARDS = [Path(tempfile.gettempdir()), CHECKOUT / ".local", CHECKOUT / "molecule"]
# A namespace of its own beside the deployed release, whose NodePort it leaves alone.
ELSEWHERE = ["-e", f"agentsmith_namespace={NAMESPACE}", "-e", "dispatcher_service_type=ClusterIP", "-e", "verify_url="]
# A Job runs in it, whose removal need not be waited for.
CONVERSATION = ["-e", "verify_end_to_end=true", "-e", "verify_end_to_end_cleanup_timeout=0"]


def encrypted(values: dict[str, str], path: Path) -> Path:
    """Write the values as a Vault file. They reach ansible-vault by a pipe: no clear text is written for this test."""
    subprocess.run(
        [BIN / "ansible-vault", "encrypt", "--output", path],
        env={**os.environ, "ANSIBLE_VAULT_PASSWORD_FILE": str(CHECKOUT / "inventories/dev.vault-password")},
        cwd=CHECKOUT,
        input=json.dumps(values),
        text=True,
        check=True,
        capture_output=True,
    )
    return path


def shown(output: str) -> list[str]:
    return sorted(form for form in SPELLINGS if form in output)


@pytest.fixture(scope="module")
def watched_release(playbook, tmp_path_factory):
    """The release's life under watch: (all output, what the watch found, how often it looked)."""
    directory = tmp_path_factory.mktemp("vault")
    files = {name: encrypted(values, directory / f"{name}.yml") for name, values in
             (("marked", MARKED), ("changed", CHANGED), ("rotated", ROTATED))}  # fmt: skip
    runs = []
    # What an earlier run left is still going away, as its pods have time to end
    gone = ["wait", "--for=delete", f"namespace/{NAMESPACE}", "--timeout=120s"]
    subprocess.run([KUBECTL, "--kubeconfig", KUBECONFIG, *gone], check=True, capture_output=True)
    # Temporary files go where they can be looked at all the time; Ansible's socket there allows a short path only.
    temporary = Path(tempfile.mkdtemp())
    watched = [temporary, Path.home() / ".ansible/tmp", Path("/dev/shm")]  # noqa: S108
    with LeakWatch(SPELLINGS, watched, SEARCHED_AFTERWARDS) as watch:
        for label, name, values, arguments in (
            ("preview", "playbooks/deploy.yml", "marked", ["--check"]),
            ("deploy", "playbooks/deploy.yml", "marked", []),
            ("change", "playbooks/deploy.yml", "changed", []),
            ("rotate", "playbooks/rotate_secrets.yml", "rotated", ["-e", "rotate_secrets_keys=github-token"]),
            ("verify", "playbooks/verify.yml", "rotated", CONVERSATION),
            ("render", "playbooks/render.yml", "rotated", ["-e", f"render_dir={directory}/rendered"]),
            ("fail", "playbooks/deploy.yml", "rotated", ["-e", "dispatcher_image=localhost/no-such-image:1"]),
            ("bundle", "playbooks/support_bundle.yml", "rotated", ["-e", f"support_bundle_dir={directory}"]),
        ):
            extra = ["-vvv", "--diff", *ELSEWHERE, "-e", f"@{files[values]}", *arguments]
            run = playbook(name, *extra, environment={"TMPDIR": str(temporary)})
            assert (run.returncode == 0) is (label != "fail"), (label, run.output if not shown(run.output) else "")
            runs.append(run)
    yield "\n".join(run.output for run in runs), watch
    shutil.rmtree(temporary)
    delete = ["delete", "namespace", NAMESPACE, "--wait=false"]
    subprocess.run([KUBECTL, "--kubeconfig", KUBECONFIG, *delete], check=True, capture_output=True)


def test_output_at_vvv_with_diff_shows_no_value(watched_release):
    output, _watch = watched_release
    assert "github-token" in output, "the diff names the key that changed"
    assert "Job agentsmith-" in output, "a conversation was held"
    assert "no-such-image" in output, "the last run failed for the image"
    assert shown(output) == []


def test_no_process_or_file_of_this_machine_held_a_value(watched_release):
    _output, watch = watched_release
    assert watch.samples > 100
    assert watch.found == set()


@pytest.mark.usefixtures("watched_release")
def test_no_object_but_the_secret_holds_a_value(kubectl):
    kinds = kubectl("api-resources --verbs=list --namespaced -o name").split()
    assert "events" in kinds
    assert "pods" in kinds
    others = ",".join(kind for kind in kinds if kind != "secrets")
    objects = json.loads(kubectl("-n %s get %s -o json --show-managed-fields", NAMESPACE, others))["items"]
    # The app writes the address of Redis, password included, into the arguments of its Jobs (docs/how-to/secrets.md).
    spawned = [item for item in objects if item["metadata"].get("labels", {}).get("app") == "agentsmith"]
    assert {item["kind"] for item in spawned} <= {"Job", "Pod"}
    assert set(shown(json.dumps(spawned))) <= spellings(MARKED["vault_redis_password"])
    assert shown(json.dumps([item for item in objects if item not in spawned])) == []
    secret = json.loads(kubectl("-n %s get secret agentsmith-secrets -o json", NAMESPACE))
    assert shown(json.dumps(secret.pop("data"))) != [], "the values are where they belong, so the search can find them"
    assert shown(json.dumps(secret)) == []


@pytest.mark.usefixtures("watched_release")
def test_no_pod_logged_a_value(kubectl):
    for pod in kubectl("-n %s get pods -o name", NAMESPACE).split():
        assert shown(kubectl("-n %s logs %s --all-containers --ignore-errors", NAMESPACE, pod)) == []


def test_no_support_bundle_holds_a_value(watched_release):
    """Nor one of earlier values, which logs could still have: the release record has them."""
    output, _watch = watched_release
    path = Path(re.search(r"The bundle is (\S+\.tar\.gz)", output)[1])
    with tarfile.open(path) as archive:
        members = {member.name: archive.extractfile(member).read().decode() for member in archive.getmembers()}
    assert shown("\n".join([*members, *members.values()])) == []
    files = {name.partition("/")[2]: text for name, text in members.items()}
    logs = [name for name in files if name.startswith("logs/agentsmith-dispatcher-") and files[name]]
    assert logs, "a real kubelet gave the log of the Dispatcher"
    assert "no-such-image" in files["events.txt"], "the events name the cause of the deploy that failed"
    record = json.loads(files["release/history.json"])
    assert record["current"]
    assert record["history"][0]["outcome"] == "rolled_back", "the deploy that failed is the newest entry"
    assert json.loads(files["cluster/nodes.json"])
    manifest = json.loads(files["manifest.json"])
    assert "agentsmith-secrets" in manifest["masking"]["secrets"]
    assert "status" not in {entry["what"] for entry in manifest["not_read"]}


@pytest.mark.parametrize("place", ["argument", "environment", "file"])
def test_the_watch_sees_a_planted_leak(place, tmp_path):
    value = MARKED["vault_github_token"]
    with LeakWatch(spellings(value), [tmp_path]) as watch:
        if place == "file":
            (tmp_path / "deep").mkdir()
            (tmp_path / "deep/leak").write_text(f"token: {value}\n")
        else:
            # `cat` waits for its input: the process lives until the watch has looked at least twice.
            command = ["cat", "-", value] if place == "argument" else ["cat"]
            environment = {**os.environ, **({"TOKEN": value} if place == "environment" else {})}
            child = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
            looked = watch.samples
            while watch.samples < looked + 2:
                pass
            child.communicate()
    assert len(watch.found) == 1, watch.found


def test_the_search_of_objects_sees_a_planted_leak(kubectl):
    kubectl("-n default create configmap planted-leak --from-literal=token=%s", MARKED["vault_github_token"])
    try:
        assert shown(kubectl("-n default get configmaps -o json")) != []
    finally:
        kubectl("-n default delete configmap planted-leak")
