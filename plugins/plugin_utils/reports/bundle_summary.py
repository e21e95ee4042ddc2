# SPDX-License-Identifier: GPL-3.0-or-later
"""The first page of a support bundle: what is wrong, in one screen, drawn together from all of its sections."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..objects.labels import INSTANCE_LABEL, labels_of
from ..objects.quantity import parse_quantity
from ..pods.diagnosis import event_time
from ..pods.job_state import FAILED as JOB_FAILED
from ..pods.job_state import WAITING
from ..release.history import SUCCEEDED
from ..text.counted import counted
from ..text.one_line import one_line
from ..verification.outcome import FAILED, NOT_CHECKED, Outcome
from .drift_report import CHANGED, EXTRA, KEPT, MISSING, DriftReport, ObjectDrift
from .jobs import JobsReport
from .status import Status

LONGEST = 700  # characters of a line
OBJECTS_SHOWN = 12  # that differ
JOBS_SHOWN = 5
WARNINGS_SHOWN = 10
ENTRIES_SHOWN = 3
NODES_SHOWN = 5
CRASHES_SHOWN = 4
CRASH_LINES = 4
_MESSAGE_BEGINS = 24  # characters by which two messages of one reason are told apart: numbers and names come later
_TODO = "\n\n"  # between a finding and what to do about it
_ABSENT = "does not exist"  # as status says it of a Deployment
_WHERE = {
    "summary": "what status, jobs, verify and drift say, in full",
    "logs": "what the pods wrote; <container>.previous.log is from before a restart",
    "events.txt": "all events of the namespace, the newest last",
    "objects": "the objects as they are in the cluster, with their status",
    "release": "rendered.yaml: what the inventory asks for; history.json, if it is there: who changed what, and when",
    "cluster": "version, nodes, namespace",
    "manifest.json": "what is in the bundle, what was masked, what could not be read",
}
_SET_BACK = "A deploy makes what is missing, and sets back what is changed. The cluster's audit log says who did it."


@dataclass(frozen=True)
class Findings:
    """What the sections have found, None or empty for those that have found nothing.

    ``has``: the files and directories at the top of the bundle.
    """

    namespace: str
    instance: str
    server: str
    created: str
    status: Status | None = None
    jobs: JobsReport | None = None
    checks: Sequence[Outcome] = ()
    drift: DriftReport | None = None
    warnings: Sequence[Mapping[str, Any]] = ()
    quotas: Sequence[Mapping[str, Any]] = ()
    version: Any = None  # what the API server answers, or something before it that speaks no JSON
    nodes: Sequence[Mapping[str, Any]] = ()  # each with its name
    crashes: Mapping[str, Sequence[str]] = field(default_factory=dict)  # last lines of logs from before a restart
    lease: Mapping[str, Any] | None = None
    entries: Sequence[Mapping[str, Any]] = ()  # of the history, the newest first
    not_read: Mapping[str, str] = field(default_factory=dict)
    has: frozenset[str] = frozenset(_WHERE)


def first_page(found: Findings) -> str:
    """Return the page. What it is made from is masked already."""
    wrong = list(_wrong(found)) or ["Nothing that was looked at is wrong."]
    lines = [
        f"Release {found.instance} in the namespace {found.namespace} of {found.server}, looked at {found.created}",
        *_cluster(found),
        "",
        "What is wrong",
        *_items(wrong),
    ]
    for title, entries in (
        *((f"The end of {path}", lines) for path, lines in found.crashes.items()),
        ("The last runs", _runs(found)),
        ("The newest warnings among the events", _warnings(found)),
        ("What could not be read", [f"{what}: {why}" for what, why in sorted(found.not_read.items())]),
        ("Not checked, summary/verify.txt says why", _not_checked(found)),
    ):
        if entries:
            lines += ["", title, *_items(entries)]
    return "\n".join([*lines, "", "Where to look further", *_where(found.has), ""])


def _cluster(found: Findings) -> Iterator[str]:
    """Yield what tells one cluster from another: many answer at an address like 127.0.0.1."""
    names = sorted(node["name"] for node in found.nodes)
    more = [f"{len(names) - NODES_SHOWN} more"] if len(names) > NODES_SHOWN else []
    version = found.version.get("gitVersion") if isinstance(found.version, Mapping) else None
    known = [f"Kubernetes {version}"] if version else []
    known += [f"{'node' if len(names) == 1 else 'nodes'} {', '.join([*names[:NODES_SHOWN], *more])}"] if names else []
    if known:
        yield f"The cluster: {', '.join(known)}"


def _where(has: frozenset[str]) -> Iterator[str]:
    for name, about in _WHERE.items():
        if name in has:
            shown = name if "." in name else f"{name}/"
            yield f"  {shown:<16}{about}"


def _items(entries: Sequence[str]) -> Iterator[str]:
    """Yield a list for people. What follows the first line of an entry is what to do."""
    for entry in entries:
        first, *more = entry.split(_TODO)
        yield f"  - {one_line(first, LONGEST)}"
        yield from (f"    What to do: {one_line(text, LONGEST)}" for text in more)


def newest_warnings(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the newest warnings, each reason of an object once. *events*: the oldest first."""
    found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for event in reversed(events):
        about = event.get("involvedObject") or {}
        if event.get("type") == "Warning" and len(found) < WARNINGS_SHOWN:
            begins = (event.get("message") or "")[:_MESSAGE_BEGINS]
            found.setdefault((event.get("reason"), begins, about.get("kind"), about.get("name")), event)
    return list(found.values())


def ends_of_crashes(logs: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the last lines of the logs that are from before a restart, by their paths."""
    ends = {
        path: [line for line in text.splitlines() if line.strip()][-CRASH_LINES:]
        for path, text in logs.items()
        if path.endswith(".previous.log")
    }
    return dict(list(ends.items())[:CRASHES_SHOWN])


def _wrong(found: Findings) -> Iterator[str]:
    if why := found.not_read.get("everything in the cluster"):
        yield f"The API server was not reached, so nothing is known of the cluster: {why}"
        return
    if "the namespace" in found.not_read and _ABSENT in found.not_read["the namespace"]:
        yield (
            f"The namespace {found.namespace} does not exist: the release was never deployed there, or torn down."
            f"{_TODO}If it should be there, check agentsmith_namespace, and the cluster named above. Otherwise deploy."
        )
        return
    yield from _of_lock(found)
    if found.status and all(load.problem == _ABSENT for load in found.status.workloads):
        yield "No Deployment of the release exists: it was never deployed here, or torn down, or they were deleted."
    else:
        yield from _of_workloads(found)
    yield from _of_last_run(found)
    yield from _of_checks(found)
    yield from _of_jobs(found)
    yield from _of_channels(found)
    yield from _of_quotas(found)
    yield from _of_drift(found)


def _of_lock(found: Findings) -> Iterator[str]:
    if found.lease:
        spec = found.lease.get("spec") or {}
        yield (
            f"A run holds the lock of the release, or died with it: {spec.get('holderIdentity')}, since "
            f"{spec.get('acquireTime')}, renewed at {spec.get('renewTime')}"
        )


def _of_workloads(found: Findings) -> Iterator[str]:
    changed = _changed_deployments(found)
    for load in found.status.workloads if found.status else ():
        if load.problem:
            # What somebody changed by hand is likelier the cause than what the inventory says. The remedy begins with
            # what others have set. If a deploy keeps some of that, what it sets back is not all that is to do.
            drift = changed.get(load.name)
            by_hand = f"It {_difference(drift)}. A deploy sets it back." if drift else ""
            kept = drift and any(entry.manager and not entry.restored for entry in drift.fields)
            todo = "".join(
                f"{_TODO}{text}" for text in ((load.remedy, by_hand) if kept else (by_hand, load.remedy)) if text
            )
            ready = f"{load.ready} of {counted(load.wanted, 'pod')} ready{', so it still serves' if load.ready else ''}"
            yield f"Deployment {load.name}: {ready}. {one_line(load.problem)}.{todo}"
        elif not load.wanted:
            yield f"Deployment {load.name}: it is scaled to 0, so none of its pods runs."


def _changed_deployments(found: Findings) -> dict[str, ObjectDrift]:
    """Return the Deployments that a deploy would set back, by their names."""
    return {
        item.name: item
        for item in (found.drift.objects if found.drift else ())
        if item.kind == "Deployment" and item.state == CHANGED
    }


def _of_last_run(found: Findings) -> Iterator[str]:
    for entry in found.entries[:1]:
        if entry["outcome"] != SUCCEEDED:
            yield f"The last {entry['action']} (revision {entry['revision']}, {entry['at']}) failed: {entry['cause']}"


def _of_checks(found: Findings) -> Iterator[str]:
    told = {load.name for load in found.status.workloads if load.problem} if found.status else set()
    for outcome in found.checks:
        # The status has said that of its Deployment
        is_told = outcome.check.endswith("_rollout") and bool(told)
        if outcome.result == FAILED and not is_told:
            todo = f"{_TODO}{outcome.hint}" if outcome.hint else ""
            yield f"Check {outcome.check}: {one_line(outcome.evidence)}{todo}"


def _of_jobs(found: Findings) -> Iterator[str]:
    troubled = [
        job
        for job in (found.jobs.jobs if found.jobs else ())
        if job.cause and job.state in (JOB_FAILED, WAITING, "gone")
    ]
    for job in troubled[:JOBS_SHOWN]:
        todo = f"{_TODO}{job.remedy}" if job.remedy else ""
        yield f"Job {job.name} ({job.state}, {job.created}): {one_line(job.cause)}{todo}"
    if len(troubled) > JOBS_SHOWN:
        more = counted(len(troubled) - JOBS_SHOWN, "more Job has", "more Jobs have")
        yield f"{more} trouble (summary/jobs.txt)"


def _of_channels(found: Findings) -> Iterator[str]:
    conversations = found.status.conversations if found.status else None
    for entry in conversations.stuck if conversations else ():
        yield f"Channel {entry.channel} is stuck: {entry.reason}. Free it with agentsmith.platform.unblock."


def _of_quotas(found: Findings) -> Iterator[str]:
    for quota in found.quotas:
        status = quota.get("status") or {}
        used, hard = status.get("used") or {}, status.get("hard") or {}
        full = [name for name in hard if name in used and parse_quantity(used[name]) >= parse_quantity(hard[name])]
        if full:
            amounts = ", ".join(f"{name} {used[name]} of {hard[name]}" for name in full)
            metadata = quota["metadata"]
            whose = "" if labels_of(quota).get(INSTANCE_LABEL) == found.instance else ", not of the release"
            made = f"(made {metadata.get('creationTimestamp')}{whose})"
            yield f"ResourceQuota {metadata['name']} {made} is used up, so it refuses what needs more: {amounts}"


def _of_drift(found: Findings) -> Iterator[str]:
    differing = [item for item in (found.drift.objects if found.drift else ()) if item.state != KEPT]
    first = next((item for item in differing if item.state in (MISSING, CHANGED)), None)
    for item in differing[:OBJECTS_SHOWN]:
        todo = f"{_TODO}{_SET_BACK}" if item is first else ""
        yield f"{item.kind} {item.name} {_difference(item)}{todo}"
    if len(differing) > OBJECTS_SHOWN:
        more = counted(len(differing) - OBJECTS_SHOWN, "more object differs", "more objects differ")
        yield f"{more} from the inventory (summary/drift.txt)"


def _difference(item: ObjectDrift) -> str:
    if item.state == MISSING:
        return "is missing: the inventory has it, the cluster does not"
    if item.state == EXTRA:
        return "is in the cluster and not in the inventory"
    fields = [f"{entry.path} ({entry.who})" for entry in item.fields if entry.restored]
    return f"is {item.state}, other than the inventory has it: {', '.join(fields)}" if fields else f"is {item.state}"


def _not_checked(found: Findings) -> list[str]:
    names = [outcome.check for outcome in found.checks if outcome.result == NOT_CHECKED]
    return [", ".join(names)] if names else []


def _runs(found: Findings) -> list[str]:
    return [
        f"{entry['at']} {entry['action']} {entry['outcome']}, revision {entry['revision']}, by {entry['by']}"
        + (f", {entry['reason']}" if entry["reason"] else "")
        for entry in found.entries[:ENTRIES_SHOWN]
    ]


def _warnings(found: Findings) -> list[str]:
    return [f"{event_time(event)} {_told(event)}" for event in found.warnings]


def _told(event: Mapping[str, Any]) -> str:
    about, times = event.get("involvedObject") or {}, event.get("count") or 1
    what = f"{event.get('reason')} (x{times}) {about.get('kind')} {about.get('name')}"
    return f"{what}: {one_line(event.get('message') or '')}"
