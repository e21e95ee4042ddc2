# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of a deployed release share: kubectl on the test cluster, the inventory's values, playbook runs."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

BIN = Path(sys.executable).parent
CHECKOUT = Path(__file__).resolve().parents[1]
# The person in the stand-in Slack and the matrix of connections are the same with and without a cluster.
# The machine's collection knows where the cluster is.
sys.path += [str(CHECKOUT / part) for part in ("tests/contract", "tests", ".collections")]
from slack_person import SlackPerson  # noqa: E402
from slack_request import SlackSender  # noqa: E402

KUBECTL = CHECKOUT / ".local/bin/kubectl"
# A scenario with a cluster of its own names it in a file of its own, over that of all.
SCENARIO = Path(os.environ.get("MOLECULE_SCENARIO_DIRECTORY", CHECKOUT / "molecule/default"))
TARGET_FILES = [file for file in (CHECKOUT / "molecule/target.yml", SCENARIO / "vars/target.yml") if file.is_file()]
CLUSTER = [yaml.safe_load(file.read_text())["local_cluster_name"] for file in TARGET_FILES][-1]
KUBECONFIG = CHECKOUT / f".local/{CLUSTER}.kubeconfig"
TARGET = ["-i", "inventories/dev", *[option for file in TARGET_FILES for option in ("-e", f"@{file}")]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave what is marked as long to `make test-long`; a run says so."""
    if os.environ.get("AGENTSMITH_LONG_TESTS") != "1":
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="takes long: make test-long runs it"))


def spellings(secret: str) -> set[str]:
    """A secret as it may turn up in an output: plain, base64 (both alphabets), percent-encoded."""
    encoded = secret.encode()
    return {
        secret,
        base64.b64encode(encoded).decode(),
        base64.urlsafe_b64encode(encoded).decode(),
        urllib.parse.quote(secret, safe=""),
    }


@dataclass
class Run:
    """One finished playbook run."""

    returncode: int
    output: str
    seconds: float

    def checks(self, result: str) -> set[str]:
        """The names of the checks of verify that came to a result: ok, warning, failed or not checked."""
        return set(re.findall(rf"^ +([a-z0-9_]+) +{result}  ", self.output, re.MULTILINE))


def as_a_user(name: str, *arguments: str) -> dict[str, Any]:
    """How subprocess starts a playbook against the test cluster as a user would."""
    # Molecule's own settings must not stand in for the project's ansible.cfg.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "K8S_AUTH_"))}
    command = [str(BIN / "ansible-playbook"), str(CHECKOUT / name), *TARGET, *arguments]
    return {"args": command, "cwd": CHECKOUT, "env": inherited, "stderr": subprocess.STDOUT, "text": True}


@pytest.fixture(scope="session")
def playbook() -> Callable[..., Run]:
    """Run a playbook against the test cluster as a user would: `playbook("playbooks/deploy.yml", "--check")`."""

    def run(name: str, *arguments: str, environment: dict[str, str] | None = None) -> Run:
        call = as_a_user(name, *arguments)
        call["env"] |= environment or {}
        started = time.monotonic()
        finished = subprocess.run(**call, stdout=subprocess.PIPE, timeout=300)
        return Run(finished.returncode, finished.stdout, time.monotonic() - started)

    return run


@pytest.fixture(scope="module")
def kubectl(host) -> Callable[..., str]:
    """Run kubectl on the test cluster: the command's output, or a failed test."""

    def run(command: str, *arguments: str) -> str:
        return host.check_output(f"{KUBECTL} --kubeconfig {KUBECONFIG} " + command, *arguments)

    return run


@pytest.fixture(scope="module")
def get(kubectl) -> Callable[..., Any]:
    """Objects as the API server returns them: `get("deployment/redis")`, a dict; `get("pods")`, a list."""

    def read(what: str, namespace: str = "agentsmith") -> Any:
        answer = json.loads(kubectl("-n %s get %s -o json", namespace, what))
        return answer["items"] if answer["kind"] == "List" else answer

    return read


@pytest.fixture
def pod_of(get) -> Callable[[str], dict[str, Any]]:
    """The one running pod of an app, looked up anew each time: a remembered pod may be gone."""

    def find(app: str) -> dict[str, Any]:
        pods = [
            pod
            for pod in get("pods")
            if pod["metadata"]["labels"].get("app") == app and "deletionTimestamp" not in pod["metadata"]
        ]
        assert len(pods) == 1, f"{app} should have one pod, has {[pod['metadata']['name'] for pod in pods]}"
        return pods[0]

    return find


@pytest.fixture(scope="session")
def inventory() -> dict[str, Any]:
    """The variables of the target, untemplated, the Vault file decrypted, under the overrides of target.yml."""
    finished = subprocess.run(
        [BIN / "ansible-inventory", *TARGET, "--host", "dev"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    return json.loads(finished.stdout)


JOB = "agentsmith-in-flight"


@pytest.fixture
def job(kubectl, get, tmp_path) -> Iterator[Callable[[], tuple[str, str, int]]]:
    """A Job like those that the Dispatcher spawns, which runs until it is removed; tells its uids and restarts."""
    image = get("deployment/agentsmith-dispatcher")["spec"]["template"]["spec"]["containers"][0]["image"]
    secret = {"secretKeyRef": {"name": "agentsmith-secrets", "key": "github-token", "optional": True}}
    container = {
        "name": "agent",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["sleep", "infinity"],
        "env": [{"name": "GITHUB_TOKEN", "valueFrom": secret}],
    }
    labels = {"app": "agentsmith", "job-id": "in-flight"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]},
    }
    metadata = {"name": JOB, "labels": labels}
    file = tmp_path / "job.json"
    spec = {"backoffLimit": 0, "ttlSecondsAfterFinished": 300, "template": template}
    file.write_text(json.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}))
    kubectl("-n agentsmith create -f %s", str(file))
    kubectl(f"-n agentsmith wait --for=jsonpath={{.status.ready}}=1 --timeout=60s job/{JOB}")

    def state() -> tuple[str, str, int]:
        (pod,) = [pod for pod in get("pods") if pod["metadata"]["labels"].get("batch.kubernetes.io/job-name") == JOB]
        assert pod["status"]["phase"] == "Running"
        restarts = pod["status"]["containerStatuses"][0]["restartCount"]
        return get(f"job/{JOB}")["metadata"]["uid"], pod["metadata"]["uid"], restarts

    yield state
    kubectl(f"-n agentsmith delete job {JOB} --wait")


class SteadyClient:
    """Asks something ten times a second, each time over a new connection, and keeps what went wrong.

    :param ask: asks, and returns the status of the answer.
    """

    PAUSE = 0.1  # seconds

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask = ask
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._started = time.monotonic()
        self.asked = 0
        self.failures: list[str] = []
        self.last_failure = 0.0  # on the monotonic clock

    def _run(self) -> None:
        """Ask until told to stop. A slow answer does not delay the next question by more than itself."""
        while not self._stop.wait(self.PAUSE):
            self.asked += 1
            try:
                status = self._ask()
                fault = "" if status == 200 else str(status)
            # An answer that is cut off, or none at all, is no OSError
            except (OSError, http.client.HTTPException) as error:
                fault = repr(error)
            if fault:
                self.failures.append(f"request {self.asked}: {fault}")
                self.last_failure = time.monotonic()

    def __enter__(self) -> SteadyClient:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def __str__(self) -> str:
        return f"{self.asked} requests, {len(self.failures)} failed"

    def assert_unbroken(self) -> None:
        """See that no request failed, and that at least half of those that fit into the time were sent."""
        seconds = time.monotonic() - self._started
        assert self.failures == []
        assert self.asked >= seconds / self.PAUSE / 2, f"{self.asked} requests in {seconds:.0f} s are too few"


@pytest.fixture(scope="session")
def dispatcher_url(inventory) -> str:
    """The Dispatcher's address outside of the cluster."""
    return f"http://localhost:{inventory['local_cluster_host_port']}"


@pytest.fixture
def health(dispatcher_url) -> Iterator[SteadyClient]:
    """A client that asks the Dispatcher for its health from outside of the cluster, as long as the test lasts."""

    def ask() -> int:
        with urllib.request.urlopen(f"{dispatcher_url}/health", timeout=5) as answer:
            answer.read()
            return answer.status

    with SteadyClient(ask) as client:
        yield client


@pytest.fixture
def events(dispatcher_url, inventory) -> Iterator[SteadyClient]:
    """A client that sends the Dispatcher signed events, which it has to answer, from outside of the cluster."""
    sender = SlackSender(dispatcher_url, inventory["vault_slack_signing_secret"])

    def ask() -> int:
        challenge = uuid.uuid4().hex
        answer = sender.event({"type": "url_verification", "challenge": challenge})
        return answer.status if challenge in answer.body else 0

    with SteadyClient(ask) as client:
        yield client


@pytest.fixture(scope="session")
def person(inventory) -> SlackPerson:
    """Somebody at the page of the stand-in Slack, by its port on this machine."""
    return SlackPerson(f"http://localhost:{inventory['dev_slack_host_port']}")


@pytest.fixture
def add_channel(person) -> Callable[[], str]:
    """Make a channel that nobody has used, and return its id."""
    return lambda: person.add_channel(f"test-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def job_of(get) -> Callable[[str], dict[str, Any]]:
    """The Job that was spawned for a channel."""

    def find(channel: str) -> dict[str, Any]:
        (job,) = [
            job
            for job in get("jobs")
            if channel in (job["spec"]["template"]["spec"]["containers"][0].get("args") or [])
        ]
        return job

    return find
