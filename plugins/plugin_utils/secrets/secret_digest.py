# SPDX-License-Identifier: GPL-3.0-or-later
"""A digest of the Secret values that a workload reads, as an annotation of its pod template.

A pod reads its Secrets when it starts, so a changed value needs new pods, and a changed template makes them. The
annotation stands where many may read, therefore it must not help to guess a value: the digest is keyed with the UIDs of
the Secrets, random numbers of the API server that stand in the Secrets themselves (docs/decisions, 0008).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..objects.identity import Identity
from ..objects.kinds import pod_template
from ..objects.managed_fields import FIELD_MANAGER, recorded_fields
from .secret_reads import SecretRead, secret_reads

DIGEST_ANNOTATION = f"{FIELD_MANAGER}/secret-digest"
# Stands for a digest with the UID of a Secret that this run is yet to create.
PENDING = "(known once the Secret exists)"
# The cluster fills these in after they are created: they are missing nothing, and nobody rotates them by a release.
SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"  # noqa: S105  a type, no token


@dataclass(frozen=True)
class SecretState:
    """What a Secret holds, ``data`` as key to base64. ``uid`` is empty while the server has not created it."""

    uid: str
    data: Mapping[str, str]


class SecretDigests:
    """The digests of one run. An instance of no objects does nothing.

    :param bodies: the desired objects, as normalise_objects() returns them. The workloads among them get stamped.
    """

    def __init__(self, bodies: Sequence[dict[str, Any]]) -> None:
        self._bodies = {Identity.of(body): body for body in bodies}
        self._reads = {identity: reads for identity, body in self._bodies.items() if (reads := secret_reads(body))}
        self._before: dict[Identity, SecretState] = {}
        self._after: dict[Identity, SecretState] = {}
        self._filled: set[Identity] = set()

    @property
    def elsewhere(self) -> list[Identity]:
        """The Secrets that workloads read and that are not among the objects: learn() wants them, too."""
        read = {_secret(workload, read) for workload, reads in self._reads.items() for read in reads}
        return sorted(read - self._bodies.keys(), key=str)

    def learn(self, live: Mapping[Identity, Mapping[str, Any] | None]) -> None:
        """Take note of the live objects; what the Secrets are going to hold follows from them and the desired ones."""
        for workload, reads in self._reads.items():
            for secret in {_secret(workload, read) for read in reads}:
                found, desired = live.get(secret), self._bodies.get(secret)
                if found:
                    self._before[secret] = self._after[secret] = state_of(found)
                if desired:
                    self._after[secret] = state_after(desired, found)
                if SERVICE_ACCOUNT_TOKEN in ((found or {}).get("type"), (desired or {}).get("type")):
                    self._filled.add(secret)

    def missing(self) -> list[str]:
        """Say which keys workloads need that no Secret is going to have: their pods could not start."""
        faults = []
        for workload, reads in self._reads.items():
            needed: dict[Identity, list[str]] = {}
            for read in reads:
                secret = _secret(workload, read)
                if not read.optional and secret not in self._filled and not self._has(secret, read.key):
                    needed.setdefault(secret, []).append(read.key or "all of its keys")
            faults += [self._missing_text(workload, secret, keys) for secret, keys in needed.items()]
        return faults

    def stamp(self, but: Collection[Identity] = ()) -> None:
        """Set the annotation of the workloads *but* these, to PENDING where a Secret has to be created first."""
        for workload in self._reads:
            if workload not in but:
                self._annotate(workload, self._after)

    def stamp_pending(self, workload: Identity, created: Mapping[Identity, Mapping[str, Any]]) -> None:
        """Set the annotation of a workload that waited for Secrets which are *created* now."""
        if workload in self._reads and self._digest(workload, self._after) == PENDING:
            self._annotate(workload, {**self._after, **{name: state_of(live) for name, live in created.items()}})

    def keys_read(self, workload: Identity) -> list[dict[str, Any]]:
        """Return what a workload reads, by `secret`: the `names` of the keys, and of the `changed` ones among them."""
        states = (self._before, self._after)
        found: dict[str, dict[str, Any]] = {}
        for secret, key in self._pairs(workload, *states):
            entry = found.setdefault(secret.name, {"secret": secret.name, "names": [], "changed": []})
            entry["names"].append(key)
            if _value(self._before, secret, key) != _value(self._after, secret, key):
                entry["changed"].append(key)
        return list(found.values())

    def _annotate(self, workload: Identity, states: Mapping[Identity, SecretState]) -> None:
        metadata = pod_template(self._bodies[workload]).setdefault("metadata", {})
        metadata.setdefault("annotations", {})[DIGEST_ANNOTATION] = self._digest(workload, states)

    def _digest(self, workload: Identity, states: Mapping[Identity, SecretState]) -> str:
        values = {
            (secret.name, key): (secret, _value(states, secret, key)) for secret, key in self._pairs(workload, states)
        }
        # A Secret of which nothing is read brings no UID: that somebody creates it rolls nothing.
        uids = {secret.name: states[secret].uid for secret, value in values.values() if value is not None}
        if "" in uids.values():
            return PENDING
        return digest(uids, {pair: value for pair, (_secret_read, value) in values.items()})

    def _pairs(self, workload: Identity, *states: Mapping[Identity, SecretState]) -> list[tuple[Identity, str]]:
        """Return Secret and key of all that a workload reads, of a whole Secret the keys that it has in any state."""
        pairs: set[tuple[Identity, str]] = set()
        for read in self._reads.get(workload, []):
            secret = _secret(workload, read)
            if secret in self._filled:
                continue
            present = {key for state in states if secret in state for key in state[secret].data}
            pairs |= {(secret, key) for key in (present if read.key is None else {read.key})}
        return sorted(pairs, key=str)

    def _has(self, secret: Identity, key: str | None) -> bool:
        return secret in self._after and (key is None or key in self._after[secret].data)

    def _missing_text(self, workload: Identity, secret: Identity, keys: Sequence[str]) -> str:
        where = (
            "has no such key" if secret in self._after else "does not exist: it is neither live nor among the objects"
        )
        return f"{workload} needs {', '.join(sorted(keys))} of {secret}, which {where}. Its pods could not start."


def state_of(live: Mapping[str, Any]) -> SecretState:
    """Return what a live Secret holds."""
    return SecretState(live["metadata"]["uid"], live.get("data") or {})


def state_after(desired: Mapping[str, Any], live: Mapping[str, Any] | None) -> SecretState:
    """Return what a Secret holds once *desired* is applied: a key that others stated stays beside ours."""
    stated = {key: _canonical(value) for key, value in (desired.get("data") or {}).items()}
    if not live:
        return SecretState("", stated)
    record, before = recorded_fields(live), state_of(live)
    ours = _keys_in(record)
    others = {
        key for entry in live["metadata"].get("managedFields") or [] if entry is not record for key in _keys_in(entry)
    }
    kept = {key: value for key, value in before.data.items() if key not in ours or key in others}
    return SecretState(before.uid, {**kept, **stated})


def digest(uids: Mapping[str, str], values: Mapping[tuple[str, str], str | None]) -> str:
    """Return the digest of *values*, by name of the Secret and key, keyed with the *uids*, by name of the Secret."""
    key, message = (json.dumps(sorted(content.items()), default=list).encode() for content in (uids, values))
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def changed_keys(desired: Mapping[str, Any], live: Mapping[str, Any] | None) -> list[str]:
    """Return the keys of a Secret whose value is new, different or gone once *desired* is applied."""
    before, after = dict(state_of(live).data) if live else {}, dict(state_after(desired, live).data)
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def _keys_in(record: Mapping[str, Any]) -> set[str]:
    """Return the keys of ``data`` in an entry of ``metadata.managedFields``."""
    return {name[2:] for name in (record.get("fieldsV1") or {}).get("f:data") or {}}


def _secret(workload: Identity, read: SecretRead) -> Identity:
    return Identity("v1", "Secret", workload.namespace, read.secret)


def _value(states: Mapping[Identity, SecretState], secret: Identity, key: str) -> str | None:
    return states[secret].data.get(key) if secret in states else None


def _canonical(value: str) -> str:
    """Spell base64 as the server does, which decodes a value to store it."""
    return base64.b64encode(base64.b64decode(value)).decode()
