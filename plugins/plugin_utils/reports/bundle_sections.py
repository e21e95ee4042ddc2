# SPDX-License-Identifier: GPL-3.0-or-later
"""What a support bundle has of a cluster. Each section asks for itself, so that one that fails takes no other along."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from ..api.concurrency import concurrently
from ..api.connection import CONCURRENCY, Connection
from ..api.discovery import Discovery
from ..apply.live_lists import list_items
from ..objects.errors import ApplyError
from ..objects.identity import Identity
from ..objects.kinds import RENDERED_KINDS, kind_of
from ..objects.owner import Owner
from ..pods.diagnosis import event_time
from ..pods.spawned_jobs import SELECTOR
from ..release.record import Objects, ReleaseRecord
from ..secrets.credential_patterns import mask_variables
from ..secrets.redaction import Redactor, essence
from ..text.block_yaml import block_yaml
from ..text.counted import counted
from ..text.one_line import one_line
from ..text.text_table import aligned
from ..verification.app_release import APPS
from ..verification.checks import verify
from ..verification.outcome import FAILED, NOT_CHECKED, Outcome, table
from ..verification.probe import Asked
from ..verification.target import Names, Target
from .bundle_archive import BundleArchive
from .drift import find_drift
from .drift_report import DriftReport
from .jobs import JobsReport, read_jobs_report
from .pod_logs import read_log
from .status import Status, read_status

LOG_LINES = 2000  # of each log
LOG_BYTES = 256 * 1024  # of each log
ALL_LOGS_BYTES = 8 * 1024 * 1024
PODS = 60  # those of the release first, then those of its Jobs, the newest first
EVENTS = 1000  # the newest
OBJECTS = 200  # of each kind
LIMITS = {
    "log_lines": LOG_LINES,
    "log_bytes": LOG_BYTES,
    "all_logs_bytes": ALL_LOGS_BYTES,
    "pods": PODS,
    "events": EVENTS,
    "objects_of_a_kind": OBJECTS,
}
POD_TIMEOUT = 10.0  # seconds for what verify waits for
# What decides about the pods of a release without being part of it: all of the namespace is asked for
_OF_THE_NAMESPACE = frozenset({("", "LimitRange"), ("", "ResourceQuota"), ("networking.k8s.io", "NetworkPolicy")})
# What controllers make for a release, beside what it renders
_OF_CONTROLLERS = frozenset({("", "Pod"), ("apps", "ReplicaSet"), ("batch", "Job")})
_OF_JOBS = frozenset({("", "Pod"), ("batch", "Job")})
_NODE_CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable")


@dataclass(frozen=True)
class Wanted:
    """The release that a bundle is about.

    ``objects`` are those that were rendered, none if rendering failed. ``public_url`` and ``public_ca_file`` are as in
    the role verify.
    """

    owner: Owner
    names: Names
    objects: Sequence[dict[str, Any]]
    app: str
    public_url: str = ""
    public_ca_file: str = ""


@dataclass(frozen=True)
class Bundle:
    """What all sections work with."""

    connection: Connection
    wanted: Wanted
    archive: BundleArchive
    redactor: Redactor

    @property
    def namespace(self) -> str:
        """The namespace of the release."""
        return self.wanted.owner.namespace

    def target(self) -> Target:
        """Return the installation anew: each section reads for itself."""
        return Target(self.connection, self.wanted.names, self.wanted.objects)


def add_rendered(bundle: Bundle) -> None:
    """Add the rendered release."""
    shown = [shown_object(body, bundle.redactor) for body in bundle.wanted.objects]
    about = "what the inventory renders. Of a Secret, key names with sizes and digests that are of this bundle alone"
    bundle.archive.add(("release", "rendered.yaml"), about, shown, _as_yaml)


def _as_yaml(objects: Sequence[Any]) -> str:
    return "---\n".join(block_yaml(body, width=140) for body in objects)


def _version(bundle: Bundle) -> None:
    answer = bundle.connection.get("/version").body
    bundle.archive.add(("cluster", "version.json"), "the API server's version", answer)


def _namespace(bundle: Bundle) -> None:
    live = bundle.connection.find(f"/api/v1/namespaces/{bundle.namespace}")
    if live is None:
        bundle.archive.not_read("the namespace", f"{bundle.namespace} does not exist")
        return
    about = "the namespace with its labels, which set Pod Security"
    bundle.archive.add(
        ("cluster", "namespace.json"), about, shown_object({"kind": "Namespace", **live}, bundle.redactor)
    )


def _nodes(bundle: Bundle) -> None:
    nodes = list_items(bundle.connection, "/api/v1/nodes", {})
    about = "the pressure on each node, its room and its taints"
    bundle.archive.add(("cluster", "nodes.json"), about, [_node(node) for node in nodes])


def _node(node: Mapping[str, Any]) -> dict[str, Any]:
    status, spec = node.get("status") or {}, node.get("spec") or {}
    return {
        "name": node["metadata"]["name"],
        "conditions": [entry for entry in status.get("conditions") or [] if entry.get("type") in _NODE_CONDITIONS],
        "capacity": status.get("capacity"),
        "allocatable": status.get("allocatable"),
        "unschedulable": bool(spec.get("unschedulable")),
        "taints": spec.get("taints") or [],
        "kubelet": (status.get("nodeInfo") or {}).get("kubeletVersion"),
    }


def _objects(bundle: Bundle) -> None:
    with ThreadPoolExecutor(CONCURRENCY) as executor:
        discovery = Discovery.ask(bundle.connection, executor, [])
        served = discovery.kinds()
        asked = [key for key in sorted(RENDERED_KINDS | _OF_CONTROLLERS) if key in served and key != ("", "Secret")]
        concurrently(executor, lambda key: _objects_of(bundle, discovery, key), asked)


def _objects_of(bundle: Bundle, discovery: Discovery, key: tuple[str, str]) -> None:
    group, kind = key
    api_version, _resource = discovery.kinds()[key]
    path = discovery.collection(api_version, kind, bundle.namespace)
    selectors = [{}] if key in _OF_THE_NAMESPACE else [{"labelSelector": bundle.wanted.owner.selector}]
    selectors += [{"labelSelector": SELECTOR}] if key in _OF_JOBS else []
    found: dict[str, dict[str, Any]] = {}
    try:
        for query in selectors:
            found |= {item["metadata"]["name"]: item for item in list_items(bundle.connection, path, query)}
    except ApplyError as error:
        bundle.archive.not_read(f"the objects of {kind}", str(error))
    newest = sorted(found.values(), key=lambda item: str(item["metadata"].get("creationTimestamp")), reverse=True)
    if len(newest) > OBJECTS:
        bundle.archive.not_read(f"{counted(len(newest) - OBJECTS, 'object')} of {kind}", f"older than {OBJECTS} others")
    runs_pods = "with its conditions" if kind_of(group, kind).has_pods else "as it is in the cluster"
    for item in newest[:OBJECTS]:
        body = shown_object({"apiVersion": api_version, "kind": kind, **item}, bundle.redactor)
        bundle.archive.add(("objects", kind, f"{item['metadata']['name']}.json"), f"{kind}, {runs_pods}", body)


def add_secrets(bundle: Bundle, secrets: Sequence[Mapping[str, Any]]) -> None:
    """Add what may be shown of the Secrets of the namespace."""
    for secret in secrets:
        body = shown_object(secret, bundle.redactor)
        about = "Secret: key names, sizes, and digests that are of this bundle alone"
        bundle.archive.add(("objects", "Secret", f"{secret['metadata']['name']}.json"), about, body)


def _lock(bundle: Bundle) -> None:
    name = f"{bundle.wanted.owner.instance}-release"
    lease = bundle.connection.find(f"/apis/coordination.k8s.io/v1/namespaces/{bundle.namespace}/leases/{name}")
    if lease:
        about = "the lock of a deploy that runs, or died"
        bundle.archive.add(
            ("objects", "Lease", f"{name}.json"), about, shown_object({"kind": "Lease", **lease}, bundle.redactor)
        )


def _events(bundle: Bundle) -> None:
    events = list_items(bundle.connection, f"/api/v1/namespaces/{bundle.namespace}/events", {})
    events.sort(key=event_time)
    cut = f"the newest {EVENTS} of {len(events)}" if len(events) > EVENTS else ""
    about = "all events of the namespace, the newest last"
    bundle.archive.add(("events.txt",), about, events[-EVENTS:], _table_of_events, cut)


def _table_of_events(events: Sequence[Mapping[str, Any]]) -> str:
    rows = [["TIME", "TYPE", "REASON", "COUNT", "OBJECT", "MESSAGE"]]
    for event in events:
        about = event.get("involvedObject") or {}
        named = f"{about.get('kind')} {about.get('name')}"
        told = (event_time(event), event.get("type"), event.get("reason"), event.get("count") or 1, named)
        rows.append([*(str(cell or "") for cell in told), one_line(event.get("message") or "")])
    return "\n".join(aligned(rows)) + "\n"


def _status(bundle: Bundle) -> None:
    status = read_status(bundle.target())
    bundle.archive.add(("answers", "status.json"), "what playbooks/status.yml says", status.as_dict())
    bundle.archive.add(("summary", "status.txt"), "the same for people", status, Status.as_text)


def _jobs(bundle: Bundle) -> None:
    report = read_jobs_report(bundle.target())
    about = "what playbooks/jobs.yml says: the Jobs, and why one failed"
    bundle.archive.add(("answers", "jobs.json"), about, asdict(report))
    bundle.archive.add(("summary", "jobs.txt"), "the same for people", report, JobsReport.as_text)


def _drift(bundle: Bundle) -> None:
    if not bundle.wanted.objects:
        bundle.archive.not_read("drift", "the release was not rendered")
        return
    report = find_drift(bundle.connection, bundle.wanted.objects, bundle.wanted.owner, Redactor())
    about = "what playbooks/drift.yml says: how the cluster differs from the rendered release"
    bundle.archive.add(("answers", "drift.json"), about, report.as_dict())
    bundle.archive.add(("summary", "drift.txt"), "the same for people", report, DriftReport.as_text)


def _verify(bundle: Bundle) -> None:
    wanted = bundle.wanted
    asked = Asked(
        bundle.target(),
        signing_secret="",  # that of the live Secret
        url="",
        timeout=POD_TIMEOUT,
        public_url=wanted.public_url,
        public_ca_file=wanted.public_ca_file,
        app=APPS[wanted.app],
    )
    outcomes = verify(asked, only=[])
    answer = {
        "checks": [outcome.as_dict() for outcome in outcomes],
        "failed_checks": [outcome.check for outcome in outcomes if outcome.result == FAILED],
        "not_checked": [outcome.check for outcome in outcomes if outcome.result == NOT_CHECKED],
    }
    bundle.archive.add(("answers", "verify.json"), "what playbooks/verify.yml says", answer)
    bundle.archive.add(("summary", "verify.txt"), "the same for people", outcomes, _table_of_checks)


def _table_of_checks(outcomes: Sequence[Outcome]) -> str:
    return "\n".join(table(outcomes)) + "\n"


def _record(bundle: Bundle) -> None:
    releases = ReleaseRecord(bundle.connection, bundle.wanted.owner).read()
    entries = releases.history.entries
    if releases.current is None and not entries:
        bundle.archive.not_read("the release record", "no deploy of this release has been recorded")
        return
    before = {Identity.of(body): body for body in releases.previous or []}
    after = {Identity.of(body): body for body in releases.current or []}
    content = {
        "recorded_by": releases.recorded_by,
        "recorded_at": releases.recorded_at,
        "rolled_back": releases.rolled_back,
        "unfinished": releases.unfinished,
        "current": _recorded(releases.current),
        "previous": _recorded(releases.previous),
        "changed_by_the_last_deploy": sorted(
            str(identity) for identity in before | after if before and before.get(identity) != after.get(identity)
        ),
        "history": [entry.as_dict() for entry in reversed(entries)],
    }
    about = "who changed what and when; the last good release and the one before: their objects with their images"
    bundle.archive.add(("release", "history.json"), about, content)


def _recorded(objects: Objects | None) -> list[dict[str, Any]] | None:
    if objects is None:
        return None
    return [{"object": str(Identity.of(body)), "images": sorted(set(_images(body)))} for body in objects]


def _images(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("image"), str):
            yield value["image"]
        for entry in value.values():
            yield from _images(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _images(entry)


def _logs(bundle: Bundle) -> None:
    path = f"/api/v1/namespaces/{bundle.namespace}/pods"
    found: dict[str, Mapping[str, Any]] = {}
    for selector in (bundle.wanted.owner.selector, SELECTOR):
        pods = list_items(bundle.connection, path, {"labelSelector": selector})
        pods.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp")), reverse=True)
        for pod in pods:
            found.setdefault(pod["metadata"]["name"], pod)
    if len(found) > PODS:
        bundle.archive.not_read(f"the logs of {counted(len(found) - PODS, 'pod')}", f"older than {PODS} others")
    asked = [entry for pod in list(found.values())[:PODS] for entry in _logs_of(pod)]
    used = 0
    with ThreadPoolExecutor(CONCURRENCY) as executor:
        for (name, container, previous), (log, fault) in zip(
            asked, executor.map(lambda entry: _read_one(bundle, *entry), asked), strict=True
        ):
            what = f"the {'previous ' if previous else ''}log of {name}, container {container}"
            if log is None:
                bundle.archive.not_read(what, fault)
            elif used + len(log.text) > ALL_LOGS_BYTES:
                bundle.archive.not_read(what, f"the logs before it have almost {ALL_LOGS_BYTES} bytes")
            else:
                used += len(log.text)
                file = f"{container}.previous.log" if previous else f"{container}.log"
                bundle.archive.add(("logs", name, file), what, log.text, str, log.cut)


def _logs_of(pod: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Yield pod, container and whether the previous log is meant, of all that have been started."""
    status = pod.get("status") or {}
    for entry in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        state = entry.get("state") or {}
        if "running" in state or "terminated" in state or entry.get("restartCount"):
            yield pod["metadata"]["name"], entry["name"], False
        if entry.get("restartCount"):
            yield pod["metadata"]["name"], entry["name"], True


def _read_one(bundle: Bundle, pod: str, container: str, previous: bool) -> tuple[Any, str]:
    try:
        return read_log(bundle.connection, bundle.namespace, pod, container, LOG_LINES, LOG_BYTES, previous), ""
    except ApplyError as error:
        return None, str(error)


def shown_object(body: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """Return an object with its status, and of a Secret only names and sizes. Texts are yet to be masked."""
    shown = {**essence(body)}
    kept = {key: body["metadata"][key] for key in ("creationTimestamp", "generation") if key in body["metadata"]}
    shown["metadata"] = {**shown["metadata"], **kept}
    if body.get("kind") == "Secret":
        shown.pop("stringData", None)
        return {**shown, "data": redactor.keys_of(body)}
    if body.get("status"):
        shown["status"] = body["status"]
    masked: dict[str, Any] = mask_variables(shown)
    return masked


# Under their names for the user, in the order in which they begin
SECTIONS: Mapping[str, Callable[[Bundle], None]] = {
    "the version of the cluster": _version,
    "the namespace": _namespace,
    "events": _events,
    "the objects": _objects,
    "status": _status,
    "jobs": _jobs,
    "logs": _logs,
    "verify": _verify,
    "drift": _drift,
    "the release record": _record,
    "the lock": _lock,
    "the nodes": _nodes,
}
