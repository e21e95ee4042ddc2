# SPDX-License-Identifier: GPL-3.0-or-later
"""Support bundles of a real API server: no value of a Secret in them, and what they say of releases in every state.

The kubelet is a stand-in that serves logs, so that what is planted there takes the way that it takes in life.
"""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api import retry
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import Connection
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.normalisation import normalise_objects
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.owner import Owner
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports import mask, support_bundle
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.bundle_sections import LOG_BYTES, Wanted
from ansible_collections.agentsmith.platform.plugins.plugin_utils.reports.support_bundle import collect
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.redaction import Redactor
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names
from ansible_playbook import ansible_playbook
from awaiting import await_true
from control_plane import ControlPlane
from engine import Apply
from fault_proxy import Fault, FaultProxy
from release_objects import RBAC, a_release, a_secret, an_object
from stand_in_logs import Logs, stand_in_logs

REPOSITORY = Path(__file__).parents[2]
SCHEMA = json.loads((REPOSITORY / "docs/reference/reports/support_bundle.schema.json").read_text())
MERGE = "application/merge-patch+json"

# Each with characters that encodings change. The last three are a password in an address, a name that an object may
# have, and a line of a key file.
TOKEN = "tok+en/canary=one?77"
NAME = "canary-two-in-a-name"
PASSWORD = "redis+canary/three"
LINE = "MIIEvgIBADANcanaryBgkqhkiG9w0BAQEFour"
CANARIES = [TOKEN, NAME, PASSWORD, LINE]
SECRET = {
    "github-token": TOKEN,
    "jira-email": NAME,
    "redis-url": f"redis:6379,password={PASSWORD},abortConnect=false",
    "tls.key": f"-----BEGIN KEY-----\n{LINE}\n-----END KEY-----\n",
    "short": "abc",
}


def encodings(value: str) -> set[str]:
    """A value in the usual encodings, as independent of the masking as can be."""
    found = {value, quote(value), quote(value, safe=""), json.dumps(value)[1:-1], value.replace("+", "\\u002B")}
    for before in ("", "u", "us"):
        found.add(base64.b64encode(f"{before}{value}:x".encode()).decode())
        found.add(base64.urlsafe_b64encode(f"{before}{value}:x".encode()).decode())
    return found


def core_of(encoded: str) -> str:
    """The middle of an encoded canary, which must not be seen either: its ends may be those of its neighbours."""
    return encoded[5:-6]


ENCODED = sorted({form for value in CANARIES for form in encodings(value)})


def found_in(text: str) -> list[str]:
    """What of the canaries a text shows."""
    return [form for form in ENCODED if form in text or (len(form) > 16 and core_of(form) in text)]


class Opened:
    """A bundle as the one who gets it sees it."""

    def __init__(self, content: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            members = {
                member.name: archive.extractfile(member).read().decode()  # type: ignore[union-attr]
                for member in archive.getmembers()
            }
        (self.directory,) = {name.partition("/")[0] for name in members}
        self.files = {name.partition("/")[2]: text for name, text in members.items()}
        self.manifest = json.loads(self.files["manifest.json"])
        jsonschema.validate(self.manifest, SCHEMA)
        assert {entry["path"] for entry in self.manifest["files"]} | {"manifest.json"} == set(self.files)

    @property
    def all_text(self) -> str:
        """All that it has, names of files included."""
        return "\n".join([self.directory, *self.files, *self.files.values()])

    def json(self, path: str) -> Any:
        """A file of JSON."""
        return json.loads(self.files[path])

    def why_not(self, what: str) -> str:
        """Why something could not be read."""
        return next(entry["why"] for entry in self.manifest["not_read"] if entry["what"] == what)


def bundle_of(options: dict[str, Any], namespace: str, objects: list[Any], fault: str = "") -> Opened:
    """Collect a bundle."""
    names = Names(namespace, "agentsmith-secrets", "agentsmith-config", "agentsmith")
    wanted = Wanted(Owner(namespace, "agentsmith"), names, normalise_objects(objects), "be4bffa1")
    with Connection(options, time_limit=support_bundle.TIME_LIMIT) as connection:
        content, _manifest = collect(connection, wanted, {"collection": "1"}, fault)
        assert connection.requests["write"] == 0
    return Opened(content)


def a_release_with_canaries(namespace: str) -> list[dict[str, Any]]:
    """A release whose Secret has the canaries."""
    return [body if body["kind"] != "Secret" else a_secret(namespace, **SECRET) for body in a_release(namespace)]


@pytest.fixture
def logs(control_plane: ControlPlane, new_namespace: str) -> Iterator[Logs]:
    """The logs that a node of this namespace's own serves."""
    with stand_in_logs(control_plane, f"node-of-{new_namespace}") as served:
        yield served


def plant_a_pod(control_plane: ControlPlane, namespace: str, name: str, **metadata: Any) -> None:
    """Make a pod that has crashed once on the node of the logs; its environment shows canaries."""
    env = [{"name": "PLAIN", "value": f"x{TOKEN}y"}, {"name": "SOME_PASSWORD", "value": "known to no Secret"}]
    container = {"name": "app", "image": "app", "env": env, "args": [f"redis://:{PASSWORD}@redis:6379"]}
    body = an_object("v1", "Pod", namespace, name)
    body["metadata"] |= metadata
    body["spec"] = {"nodeName": f"node-of-{namespace}", "containers": [container]}
    assert control_plane.request("POST", f"/api/v1/namespaces/{namespace}/pods", body)[0] == 201
    ended = {"exitCode": 137, "reason": "OOMKilled", "message": f"last words: {TOKEN}"}
    entry = {
        "name": "app",
        "ready": True,
        "restartCount": 1,
        "image": "app",
        "imageID": "",
        "state": {"running": {"startedAt": "2026-01-02T12:00:00Z"}},
        "lastState": {"terminated": ended},
    }
    status = {"status": {"phase": "Running", "containerStatuses": [entry]}}
    path = f"/api/v1/namespaces/{namespace}/pods/{name}/status"
    assert control_plane.request("PATCH", path, status, MERGE)[0] == 200


def plant(control_plane: ControlPlane, namespace: str, logs: Logs) -> None:
    """Plant canaries wherever others write."""
    api = f"/api/v1/namespaces/{namespace}"
    plant_a_pod(control_plane, namespace, NAME, annotations={"note": TOKEN, "json": json.dumps({"a": TOKEN})})
    lines = [f"line {at}: {form} end" for at, form in enumerate(ENCODED)]
    logs[namespace, NAME, "app", False] = "\n".join(lines) + "\n"
    logs[namespace, NAME, "app", True] = f"AUTH {PASSWORD} refused\n{LINE}\n"
    config = an_object("v1", "ConfigMap", namespace, "planted", data={NAME: "a: 1\n", "text": "\n".join(ENCODED)})
    config["binaryData"] = {"archive": base64.b64encode(f"..{TOKEN}..".encode()).decode()}
    assert control_plane.request("POST", f"{api}/configmaps", config)[0] == 201
    for at, form in enumerate(ENCODED):
        about = {"kind": "Pod", "name": NAME, "namespace": namespace}
        event = {"metadata": {"name": f"e{at}"}, "involvedObject": about, "reason": "Told", "message": f"<{form}>"}
        assert control_plane.request("POST", f"{api}/events", event)[0] == 201


def test_no_canary_is_in_a_bundle(
    apply: Apply, control_plane: ControlPlane, connection_options: dict[str, Any], new_namespace: str, logs: Logs
) -> None:
    apply(a_release_with_canaries(new_namespace))
    plant(control_plane, new_namespace, logs)
    opened = bundle_of(connection_options, new_namespace, a_release_with_canaries(new_namespace))
    assert found_in(opened.all_text) == []
    assert "known to no Secret" not in opened.all_text, "masked for the name of the variable"
    # It looked where the canaries were
    assert "OOMKilled" in opened.files["objects/Pod/masked.json"]
    assert opened.files["logs/masked/app.log"].count("end\n") == len(ENCODED)
    assert "AUTH ******** refused" in opened.files["logs/masked/app.previous.log"]
    assert opened.files["events.txt"].count("Told") == len(ENCODED)
    entries = {entry["path"]: entry for entry in opened.manifest["files"]}
    assert entries["logs/masked/app.log"]["masked_values"] >= len(ENCODED)
    assert entries["objects/Pod/masked.json"]["masked_fields"] == 1
    assert "agentsmith-secrets" in opened.manifest["masking"]["secrets"]
    (short,) = opened.manifest["masking"]["not_masked"]
    assert short["value"] == "agentsmith-secrets/short"


def test_the_test_of_canaries_can_fail(
    apply: Apply,
    control_plane: ControlPlane,
    connection_options: dict[str, Any],
    new_namespace: str,
    logs: Logs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apply(a_release_with_canaries(new_namespace))
    plant(control_plane, new_namespace, logs)
    monkeypatch.setattr(Redactor, "counted", lambda _self, text: (text, 0))
    monkeypatch.setattr(mask, "mask_credentials", lambda text: (text, 0))
    opened = bundle_of(connection_options, new_namespace, a_release_with_canaries(new_namespace))
    assert set(found_in(opened.all_text)) == set(ENCODED)
    for path in (
        f"logs/{NAME}/app.log",
        f"logs/{NAME}/app.previous.log",
        "events.txt",
        "objects/ConfigMap/planted.json",
        f"objects/Pod/{NAME}.json",
    ):
        assert found_in(opened.files[path]), path


def test_of_a_secret_nothing_helps_to_guess_it(
    apply: Apply, control_plane: ControlPlane, connection_options: dict[str, Any], new_namespace: str
) -> None:
    apply(a_release_with_canaries(new_namespace))
    bundles = [
        bundle_of(connection_options, new_namespace, a_release_with_canaries(new_namespace)) for _bundle in range(2)
    ]
    keys = [opened.json("objects/Secret/agentsmith-secrets.json")["data"] for opened in bundles]
    assert keys[0].keys() == SECRET.keys()
    assert keys[0]["short"]["bytes"] == 3
    assert keys[0]["short"]["digest"] != keys[1]["short"]["digest"], "a digest with a lasting key can be tried against"
    secret = control_plane.get(f"/api/v1/namespaces/{new_namespace}/secrets/agentsmith-secrets")
    assert secret["metadata"]["uid"] not in bundles[0].all_text, "it is the key of the digest on the pods"


def test_what_a_bundle_says_of_a_release(
    apply: Apply, control_plane: ControlPlane, connection_options: dict[str, Any], new_namespace: str, logs: Logs
) -> None:
    apply(a_release(new_namespace))
    plant_a_pod(control_plane, new_namespace, "loud")
    logs[new_namespace, "loud", "app", False] = "".join(f"{at:05} {'x' * 400}\n" for at in range(5000))
    path = f"/apis/{RBAC}/v1/namespaces/{new_namespace}/rolebindings/agentsmith"
    assert control_plane.request("DELETE", path)[0] == 200
    opened = bundle_of(connection_options, new_namespace, a_release(new_namespace))
    (missing,) = [entry for entry in opened.json("answers/drift.json")["objects"] if entry["state"] == "missing"]
    assert (missing["kind"], missing["name"]) == ("RoleBinding", "agentsmith")
    assert "dispatcher_rollout" in opened.json("answers/verify.json")["failed_checks"]
    assert {load["name"] for load in opened.json("answers/status.json")["workloads"]} == {
        "redis",
        "agentsmith-dispatcher",
    }
    assert "kind: Secret" in opened.files["release/rendered.yaml"]
    assert opened.json("versions.json")["collection"] == "1"
    assert opened.json("cluster/version.json")["gitVersion"].startswith("v1.")
    (node,) = [n for n in opened.json("cluster/nodes.json") if n["name"] == f"node-of-{new_namespace}"]
    assert node["conditions"][0]["type"] == "MemoryPressure"
    # The end of a log counts, in whole lines
    log = opened.files["logs/loud/app.log"]
    assert len(log.encode()) <= LOG_BYTES
    assert log.splitlines()[-1].endswith("04999 " + "x" * 400)
    assert all(line.endswith("x" * 400) for line in log.splitlines())
    assert opened.manifest["limits"]["log_bytes"] == LOG_BYTES
    (entry,) = [entry for entry in opened.manifest["files"] if entry["path"] == "logs/loud/app.log"]
    assert entry["cut"].startswith("the last ")
    assert opened.why_not("the release record") == "no deploy of this release has been recorded"
    page = opened.files["README.txt"]
    assert re.match(r"The cluster: Kubernetes v1\.\S+, nodes? \S", page.splitlines()[1])
    wrong = page.split("What is wrong\n")[1].split("\n\n")[0]
    assert "RoleBinding agentsmith is missing: the inventory has it, the cluster does not" in wrong
    assert "Deployment agentsmith-dispatcher: 0 of 1 pod ready" in wrong
    assert "the release record: no deploy of this release has been recorded" in page


def test_a_release_that_is_not_there(connection_options: dict[str, Any], new_namespace: str) -> None:
    opened = bundle_of(connection_options, new_namespace, [], "redis_maxmemory is 'much'")
    assert opened.why_not("the namespace") == f"{new_namespace} does not exist"
    assert opened.why_not("the rendered release") == "redis_maxmemory is 'much'"
    assert opened.why_not("drift") == "the release was not rendered"
    problems = {load["problem"] for load in opened.json("answers/status.json")["workloads"]}
    assert problems == {"does not exist"}
    assert f"The namespace {new_namespace} does not exist" in opened.files["README.txt"]


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port of this machine that nobody listens on."""
    monkeypatch.setattr(retry, "FIRST_CONTACT_PERIOD", 1.0)
    opened = bundle_of({"host": "http://127.0.0.1:1", "api_key": "none"}, "somewhere", a_release("somewhere"))
    assert "does not answer" in opened.why_not("everything in the cluster")
    assert "release/rendered.yaml" in opened.files
    assert "The API server was not reached, so nothing is known of the cluster" in opened.files["README.txt"]


def test_who_may_only_read_some_of_it(
    apply: Apply, control_plane: ControlPlane, connection_options: dict[str, Any], new_namespace: str, logs: Logs
) -> None:
    """Read rights only, and none to Secrets or Nodes: the bundle says so, and still masks what the inventory has."""
    apply(a_release_with_canaries(new_namespace))
    plant(control_plane, new_namespace, logs)
    api = f"/apis/{RBAC}/v1/namespaces/{new_namespace}"
    everything = {"apiGroups": ["", "apps", "batch", RBAC, "networking.k8s.io"], "verbs": ["get", "list"]}
    most = ["pods", "pods/log", "events", "configmaps", "services", "deployments", "replicasets", "jobs", "roles"]
    role = an_object(f"{RBAC}/v1", "Role", new_namespace, "reader", rules=[{**everything, "resources": most}])
    binding = an_object(f"{RBAC}/v1", "RoleBinding", new_namespace, "reader")
    binding["roleRef"] = {"apiGroup": RBAC, "kind": "Role", "name": "reader"}
    binding["subjects"] = [{"kind": "User", "name": "reader", "apiGroup": RBAC}]
    for plural, body in (("roles", role), ("rolebindings", binding)):
        assert control_plane.request("POST", f"{api}/{plural}", body)[0] == 201
    options = {**connection_options, "impersonate_user": "reader"}
    opened = bundle_of(options, new_namespace, a_release_with_canaries(new_namespace))
    assert found_in(opened.all_text) == []
    for what in ("the list of the Secrets", "Secret agentsmith-secrets", "the nodes", "the objects of NetworkPolicy"):
        assert "forbidden" in opened.why_not(what), what
    assert "logs/masked/app.log" in opened.files
    assert "answers/status.json" in opened.files


@pytest.mark.parametrize("how", ["late", "never"])
def test_a_slow_server(
    apply: Apply, fault_proxy: FaultProxy, new_namespace: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(support_bundle, "TIME_LIMIT", 6.0)
    apply(a_release(new_namespace))
    fault_proxy.faults = [Fault(method="", times=10_000, delay=1.0 if how == "late" else 60.0)]
    started = time.monotonic()
    opened = bundle_of(
        {"host": fault_proxy.url, "api_key": fault_proxy.control_plane.token}, new_namespace, a_release(new_namespace)
    )
    assert time.monotonic() - started < 6 + 5 + 4
    assert ("cluster/version.json" in opened.files) is (how == "late")
    assert "the time for its answers is up" in opened.why_not("drift")
    if how == "never":
        assert "the time for its answers is up" in opened.why_not("the list of the Secrets")


def test_the_playbook(
    apply: Apply, control_plane: ControlPlane, new_namespace: str, tmp_path: Path, logs: Logs
) -> None:
    """With a real inventory, of which one value is refused: the archive is written where the user says."""
    apply(a_release_with_canaries(new_namespace))
    plant(control_plane, new_namespace, logs)
    kubeconfig, bundles = tmp_path / "kubeconfig", tmp_path / "bundles"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")
    bundles.mkdir()

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return ansible_playbook(
            "--inventory=inventories/dev",
            "playbooks/support_bundle.yml",
            f"--extra-vars=agentsmith_kubeconfig={kubeconfig} agentsmith_context=test agentsmith_api_server=",
            f"--extra-vars=agentsmith_namespace={new_namespace}",
            *options,
        )

    refused = run("-e", f"support_bundle_dir={bundles / 'missing'}")
    assert refused.returncode == 2
    assert "It names an existing directory" in " ".join(refused.stdout.split())
    started = time.monotonic()
    ended = run("-e", f"support_bundle_dir={bundles}", "-e", "redis_maxmemory=much", "-vvv", "--diff")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert found_in(ended.stdout + ended.stderr) == []
    assert "Look through it before you send it" in ended.stdout
    (archive,) = bundles.iterdir()
    assert archive.stat().st_mode & 0o777 == 0o600
    opened = Opened(archive.read_bytes())
    assert found_in(opened.all_text) == []
    assert "redis_maxmemory" in opened.why_not("the rendered release")
    assert time.monotonic() - started < 100


def test_why_a_job_failed(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> None:
    """playbooks/jobs.yml: a Job with its log, which shows a value of the Secret it reads, and one that is gone."""
    kubeconfig, report = tmp_path / "kubeconfig", tmp_path / "jobs.json"
    kubeconfig.write_text(control_plane.kubeconfig(), encoding="utf-8")
    jobs, node = f"/apis/batch/v1/namespaces/{namespace}/jobs", f"node-of-{namespace}"
    secret = a_secret(namespace, **SECRET)
    assert control_plane.request("POST", f"/api/v1/namespaces/{namespace}/secrets", secret)[0] == 201
    with stand_in_logs(control_plane, node) as served:
        for name, spec in (("agentsmith-00000000000a", {}), ("agentsmith-00000000000b", {"activeDeadlineSeconds": 1})):
            labels = {"app": "agentsmith", "job-id": name.removeprefix("agentsmith-")}
            arguments = ["--channel-id", "C012", "fix #54 in web"]
            container = {"name": "agentsmith", "image": "agent", "args": arguments}
            # The pod of the other one is on no node, and so gone as soon as it is deleted
            template = {"restartPolicy": "Never", "containers": [container], **({} if spec else {"nodeName": node})}
            body = an_object("batch/v1", "Job", namespace, name)
            body["metadata"]["labels"] |= labels
            body["spec"] = {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": template}, **spec}
            assert control_plane.request("POST", jobs, body)[0] == 201
        path = f"/api/v1/namespaces/{namespace}/pods"
        kept, gone = ("job-id=00000000000a", "agentsmith-00000000000b")
        await_true(lambda: control_plane.get(f"{path}?labelSelector={kept}")["items"])
        pod = control_plane.get(f"{path}?labelSelector={kept}")["items"][0]["metadata"]["name"]
        served[namespace, pod, "agentsmith", False] = f"starting\nAUTH {PASSWORD} refused\n"
        entry = {"name": "agentsmith", "ready": False, "restartCount": 0, "image": "agent", "imageID": ""}
        entry |= {"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
        status = {"status": {"phase": "Failed", "containerStatuses": [entry]}}
        assert control_plane.request("PATCH", f"{path}/{pod}/status", status, MERGE)[0] == 200
        await_true(lambda: has_failed(control_plane.get(f"{jobs}/agentsmith-00000000000a")))
        await_true(lambda: has_failed(control_plane.get(f"{jobs}/{gone}")))
        assert control_plane.request("DELETE", f"{jobs}/{gone}?propagationPolicy=Background")[0] == 200
        await_true(lambda: control_plane.get(f"{jobs}/{gone}") is None)
        ended = ansible_playbook(
            "--inventory=localhost,",
            "playbooks/jobs.yml",
            f"--extra-vars=agentsmith_kubeconfig={kubeconfig} agentsmith_namespace={namespace} jobs_file={report}",
        )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = {job["name"]: job for job in json.loads(report.read_text())["localhost"]["jobs"]}
    failed, events = found["agentsmith-00000000000a"], found[gone]
    assert (failed["source"], failed["state"], failed["ticket"], failed["channel"]) == ("job", "failed", "54", "C012")
    assert failed["cause"] == "Error, exit code 1 (it failed, and its log says why)"
    assert [line.partition(" ")[2] for line in failed["lines"]] == ["starting", "AUTH ******** refused"]
    assert (events["source"], events["state"], events["lines"]) == ("events", "failed", [])
    assert events["cause"].startswith("DeadlineExceeded: ")
    assert found_in(ended.stdout + ended.stderr + report.read_text()) == []


def has_failed(job: dict[str, Any]) -> bool:
    """Whether a Job has failed for good."""
    conditions = job["status"].get("conditions") or []
    return any(entry["type"] == "Failed" and entry["status"] == "True" for entry in conditions)
