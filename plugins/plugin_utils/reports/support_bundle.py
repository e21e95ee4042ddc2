# SPDX-License-Identifier: GPL-3.0-or-later
"""One archive with all that is known about a release, without a value of a Secret, to send to somebody who helps.

All sections are read at the same time, and what is not there when the time is up is said to be missing. So the archive
is written for a release that is broken, half deleted or absent, and for a server that does not answer.
"""

import platform
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from ..api.connection import Connection
from ..apply.live_lists import list_items
from ..objects.errors import ApplyError
from ..objects.kinds import pod_template
from ..secrets.redaction import Redactor
from ..secrets.secret_reads import secret_reads
from .bundle_archive import BundleArchive
from .bundle_sections import LIMITS, SECTIONS, Bundle, Wanted, add_rendered, add_secrets
from .bundle_summary import Findings, ends_of_crashes, first_page, newest_warnings
from .known_secrets import KnownSecrets, read_secrets

# Seconds. Two minutes are the limit of a run, of which Ansible's start, the rendering and the masking take the rest
TIME_LIMIT = 80.0
# After the limit the connection is cut; a section that is not waiting for it needs a moment to notice
_GRACE = 5.0
TOO_SLOW = "it was not there when the time was up"


def collect(
    connection: Connection, wanted: Wanted, versions: Mapping[str, str], rendering_fault: str
) -> tuple[bytes, dict[str, Any]]:
    """Return the archive, and its manifest.

    :param connection: with a time limit.
    :param versions: of what runs here.
    :param rendering_fault: why the release could not be rendered; otherwise empty.
    """
    now = datetime.now(UTC)
    redactor, archive = Redactor(), BundleArchive()
    redactor.learn(wanted.objects)
    bundle = Bundle(connection, wanted, archive, redactor)
    if rendering_fault:
        archive.not_read("the rendered release", rendering_fault)
    else:
        add_rendered(bundle)
    versions = {**versions, "python": sys.version.split()[0], "system": platform.platform()}
    archive.add(("versions.json",), "what runs on the machine that wrote the bundle", versions)
    known = _read_all(bundle)
    known.teach(redactor)
    add_secrets(bundle, known.read)
    created = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    archive.add(("README.txt",), "what is wrong, in short. Begin here", _findings(bundle, created), first_page)
    facts = {
        "created": created,
        "created_seconds": int(now.timestamp()),
        "namespace": wanted.owner.namespace,
        "instance": wanted.owner.instance,
        "server": connection.host,
        "limits": {**LIMITS, "seconds": int(TIME_LIMIT)},
    }
    directory = f"agentsmith-support-{wanted.owner.namespace}-{now:%Y%m%dT%H%M%SZ}"
    return archive.written(directory, redactor, known, facts)


def _findings(bundle: Bundle, created: str) -> Findings:
    """Return what the first page is made of."""
    archive, owner = bundle.archive, bundle.wanted.owner
    recorded = archive.content("release", "history.json")
    leases = list(archive.contents_under("objects", "Lease").values())
    return Findings(
        owner.namespace,
        owner.instance,
        bundle.connection.host,
        created,
        status=archive.content("summary", "status.txt"),
        jobs=archive.content("summary", "jobs.txt"),
        checks=archive.content("summary", "verify.txt") or (),
        drift=archive.content("summary", "drift.txt"),
        warnings=newest_warnings(archive.content("events.txt") or []),
        quotas=list(archive.contents_under("objects", "ResourceQuota").values()),
        version=archive.content("cluster", "version.json"),
        nodes=archive.content("cluster", "nodes.json") or (),
        crashes=ends_of_crashes(archive.contents_under("logs")),
        lease=leases[0] if leases else None,
        entries=recorded["history"] if recorded else (),
        not_read=archive.lacks,
        has=archive.top_names,
    )


def _read_all(bundle: Bundle) -> KnownSecrets:
    """Read all sections, and the Secrets whose values are to be masked."""
    try:
        bundle.connection.reach()
    except ApplyError as error:
        bundle.archive.not_read("everything in the cluster", str(error))
        return KnownSecrets()
    secrets: list[KnownSecrets] = []
    tasks: dict[str, Callable[[], object]] = {
        "the Secrets": lambda: secrets.append(
            read_secrets(bundle.connection, bundle.wanted.owner, set(_secret_names(bundle)))
        ),
        **{name: partial(section, bundle) for name, section in SECTIONS.items()},
    }
    deadline = time.monotonic() + TIME_LIMIT + _GRACE
    threads = {name: threading.Thread(target=_guarded, args=(bundle, name, task)) for name, task in tasks.items()}
    for thread in threads.values():
        # One that does not end must not keep the process
        thread.daemon = True
        thread.start()
    for name, thread in threads.items():
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            bundle.archive.not_read(name, TOO_SLOW)
    return secrets[0] if secrets else KnownSecrets()


def _guarded(bundle: Bundle, name: str, task: Callable[[], object]) -> None:
    try:
        task()
    except ApplyError as error:
        bundle.archive.not_read(name, str(error))
    except Exception as error:  # noqa: BLE001  an object that nobody foresaw takes its own section along, no other
        bundle.archive.not_read(name, f"{type(error).__name__}: {error}")


def _secret_names(bundle: Bundle) -> Iterator[str]:
    """Yield the names of the Secrets that the release reads, for those who may not list them."""
    wanted = bundle.wanted
    yield from (wanted.names.secret, f"{wanted.owner.instance}-release")
    bodies = list(wanted.objects)
    path = f"/apis/apps/v1/namespaces/{wanted.owner.namespace}/deployments"
    try:
        live = list_items(bundle.connection, path, {"labelSelector": wanted.owner.selector})
    except ApplyError as error:
        bundle.archive.not_read("which Secrets the live Deployments read", str(error))
        live = []
    bodies += [{**item, "apiVersion": "apps/v1", "kind": "Deployment"} for item in live]
    for body in bodies:
        if body["kind"] == "Secret":
            yield body["metadata"]["name"]
        yield from (read.secret for read in secret_reads(body))
        for entry in (pod_template(body).get("spec") or {}).get("imagePullSecrets") or []:
            yield entry["name"]
