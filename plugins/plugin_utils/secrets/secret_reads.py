# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys of which Secrets do the pods of a workload read? Answered from its pod template alone.

Counted is what ends up in a container: environment variables and mounted files. Not counted is what the node or a
storage driver reads on the pod's behalf (imagePullSecrets, credentials of volumes): a running pod has no use of it.
https://kubernetes.io/docs/concepts/configuration/secret/#using-a-secret
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..objects.kinds import pod_template, stamps_secrets


@dataclass(frozen=True)
class SecretRead:
    """One reference to a Secret of the pod's namespace. A ``key`` of None means all keys that there are."""

    secret: str
    key: str | None
    optional: bool = False


def secret_reads(body: Mapping[str, Any]) -> list[SecretRead]:
    """Return what the pods of a workload read, each reference once; empty for one whose template gets no digest."""
    if not stamps_secrets(body):
        return []
    pod = _map(pod_template(body).get("spec"))
    found = [
        read
        for field in ("initContainers", "containers")
        for container in _maps(pod.get(field))
        for read in _of_container(container)
    ]
    found += [read for volume in _maps(pod.get("volumes")) for read in _of_volume(volume)]
    return list(dict.fromkeys(found))


def _of_container(container: Mapping[str, Any]) -> Iterator[SecretRead]:
    for variable in _maps(container.get("env")):
        reference = _map(_map(variable.get("valueFrom")).get("secretKeyRef"))
        yield from _read(reference, reference.get("name"), reference.get("key") or "")
    for source in _maps(container.get("envFrom")):
        reference = _map(source.get("secretRef"))
        yield from _read(reference, reference.get("name"), None)


def _of_volume(volume: Mapping[str, Any]) -> Iterator[SecretRead]:
    source = _map(volume.get("secret"))
    yield from _of_files(source, source.get("secretName"))
    for projection in _maps(_map(volume.get("projected")).get("sources")):
        source = _map(projection.get("secret"))
        yield from _of_files(source, source.get("name"))


def _of_files(source: Mapping[str, Any], name: Any) -> Iterator[SecretRead]:
    keys = [item.get("key") or "" for item in _maps(source.get("items"))] or [None]
    for key in keys:
        yield from _read(source, name, key)


def _read(reference: Mapping[str, Any], name: Any, key: Any) -> Iterator[SecretRead]:
    """Yield the reference, unless it is malformed, which the check against the server's schema reports."""
    if isinstance(name, str) and name and (key is None or (isinstance(key, str) and key)):
        yield SecretRead(name, key, reference.get("optional") is True)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
