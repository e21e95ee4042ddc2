# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing named keys of one Secret, and nothing else: what takes part, whether it may go on, what came of it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..objects.identity import Identity
from ..objects.kinds import kind_of_body, pod_template
from ..objects.labels import annotations_of, is_ours
from ..objects.managed_fields import LAST_APPLIED_ANNOTATION, as_text
from ..secrets.secret_digest import DIGEST_ANNOTATION
from ..secrets.secret_reads import secret_reads

Entry = Mapping[str, Any]
"""One entry of ``objects`` in the result of agentsmith.platform.apply."""

ANNOTATIONS = ("metadata", "annotations")
LAST_APPLIED_PATH = as_text((*ANNOTATIONS, LAST_APPLIED_ANNOTATION))
# A key, and the Secret with the hash of the password in it, which the bundled Redis knows its users by (roles/redis).
REDIS_URL = "redis-url"
REDIS_USERS = "redis-acl"
DEPLOY = "agentsmith.platform.deploy deploys the whole release"


class Rotation:
    """The rotation of *keys* of a Secret.

    :param bodies: the objects of the release, as normalise_objects() returns them. The Secret need not be among them:
        then somebody else makes it, and has changed it already.
    :param secret: the Secret.
    :param keys: names of the keys whose values are to change.
    """

    def __init__(self, bodies: Iterable[dict[str, Any]], secret: Identity, keys: Sequence[str]) -> None:
        self._secret = secret
        self._keys = list(dict.fromkeys(key.strip() for key in keys if key.strip()))
        bodies = list(bodies)
        self.objects = [body for body in bodies if Identity.of(body) == secret or _reads(body, secret)]
        self.redis_users = replace(secret, name=REDIS_USERS)
        self._states_redis_users = any(Identity.of(body) == self.redis_users for body in bodies)
        self._stated = next((body for body in self.objects if Identity.of(body) == secret), None)

    @property
    def brings_the_secret(self) -> bool:
        """Tell whether the Secret is of the release, rather than made by others."""
        return self._stated is not None

    def input_faults(self) -> list[str]:
        """Say what is wrong before the cluster is asked."""
        if not self._keys:
            return ["No key is named. Name the keys whose values change: -e rotate_secrets_keys=github-token"]
        if not self.objects:
            return [f"{self._secret} is not among the objects, and no workload among them reads it."]
        if self._stated and self._stated.get("immutable"):
            return [f"{self._secret} is immutable (secrets_immutable). Delete it, then deploy: {DEPLOY}."]
        if self._states_redis_users and REDIS_URL in self._keys:
            return [
                f"{REDIS_URL} of {self._secret} contains the password of the bundled Redis, so {self.redis_users} "
                f"would change as well. A rotation cannot do that: {DEPLOY}, Redis included."
            ]
        return []

    @property
    def may_remove_redis_users(self) -> bool:
        """Tell whether the release has no users of Redis (any more), and the address of Redis changes."""
        return not self._states_redis_users and REDIS_URL in self._keys

    def live_faults(self, redis_users: Mapping[str, Any] | None) -> list[str]:
        """Say what the live Secret with the users of Redis, None without one, forbids."""
        if not redis_users or not self.may_remove_redis_users or not is_ours(redis_users, self.objects[0]):
            return []
        return [
            f"The bundled Redis still has a password: {self.redis_users} exists, and this release has none. A rotation "
            f"of {REDIS_URL} cannot take the password away: {DEPLOY}, Redis included."
        ]

    def preview_faults(self, entries: Sequence[Entry]) -> list[str]:
        """Say what forbids the rotation, judging by the *entries* of a run in check mode."""
        new = [_name(entry) for entry in entries if entry["result"] == "created"]
        if new:
            return [f"{name} does not exist yet: {DEPLOY}." for name in new]
        faults = self._key_faults(entries) if self._stated else self._key_faults_elsewhere(entries)
        for entry in entries:
            others = self._other_fields(entry)
            if others:
                faults.append(
                    f"{_name(entry)} would change in {', '.join(others)} as well. A rotation cannot do that: {DEPLOY}."
                )
        return faults

    def report(self, entries: Sequence[Entry], dry_run: bool) -> list[str]:
        """Say, a line a key, what became of it or would."""
        return [f"{key}: {self._outcome(key, entries, dry_run)}." for key in self._keys]

    def rolled(self, entries: Sequence[Entry]) -> list[dict[str, str]]:
        """Return `kind` and `name` of the workloads that roll for their Secrets."""
        return [{"kind": entry["kind"], "name": entry["name"]} for entry in entries if self._rolls(entry)]

    def _key_faults(self, entries: Sequence[Entry]) -> list[str]:
        stated = (self._stated or {}).get("data") or {}
        changed = _changed_keys(self._secret, entries)
        faults = []
        for key in self._keys:
            if key not in stated and key in changed:
                faults.append(f"{key} would be removed from {self._secret}. A rotation only changes values: {DEPLOY}.")
            elif key not in stated:
                faults.append(f"{key} is no key of {self._secret}, which has {', '.join(sorted(stated))}.")
            elif key not in changed and not self._changed_before(key, entries):
                faults.append(
                    f"{key} already has this value in {self._secret} and in all pods that read it. Change the value in "
                    "the Vault file of your inventory, then rotate."
                )
        others = [key for key in changed if key not in self._keys]
        if others:
            faults.append(
                f"{', '.join(others)} of {self._secret} would change as well. Name every key that changes in "
                f"rotate_secrets_keys, or set the others to the values in the cluster. Without a rotation, {DEPLOY}."
            )
        return faults

    def _key_faults_elsewhere(self, entries: Sequence[Entry]) -> list[str]:
        """Judge a Secret that somebody else has changed. Of a key that no workload reads nothing can be known."""
        return [
            f"{key} has not changed in {self._secret} since the pods of {', '.join(map(_name, readers))} were started. "
            "Change it at the source of the Secret, then rotate."
            for key in self._keys
            if (readers := self._readers(key, entries)) and not any(map(self._has_new_digest, readers))
        ]

    def _changed_before(self, key: str, entries: Sequence[Entry]) -> bool:
        """Tell whether a key may have changed in a run that did not reach its readers: one rolls for nothing else."""
        return any(
            not read["changed"]
            for entry in filter(self._has_new_digest, self._readers(key, entries))
            for read in entry["secret_keys"]
            if read["secret"] == self._secret.name
        )

    def _other_fields(self, entry: Entry) -> list[str]:
        if self._is_secret(entry):
            # Of the data the values count, which changed_keys tells; a field may also have got another owner.
            return [path for path in entry["fields"] if path != LAST_APPLIED_PATH and not re.match(r"data\b", path)]
        return [path for path in entry["fields"] if path not in self._digest_paths(entry)]

    def _digest_paths(self, entry: Entry) -> list[str]:
        """Return the paths that stand for the annotation: the whole map where it is the only entry, and new."""
        body = self._body(entry)
        whole = (*(kind_of_body(body).pod_template or ()), *ANNOTATIONS)
        only_one = not set(annotations_of(pod_template(body))) - {DIGEST_ANNOTATION}
        return [as_text((*whole, DIGEST_ANNOTATION)), *([as_text(whole)] if only_one else [])]

    def _outcome(self, key: str, entries: Sequence[Entry], dry_run: bool) -> str:
        if key in _changed_keys(self._secret, entries):
            changed = "would be changed" if dry_run else "changed"
        else:
            changed = "changed before" if self._stated else "as it is in the cluster"
        rolled = self._rolling_readers(key, entries)
        if rolled:
            return f"{changed}; {', '.join(map(_name, rolled))} {'would roll' if dry_run else 'rolled'}"
        return f"{changed}; nothing rolls, because only future pods read it, such as those of new Jobs"

    def _readers(self, key: str, entries: Sequence[Entry]) -> list[Entry]:
        return [
            entry
            for entry in entries
            if any(
                read["secret"] == self._secret.name and key in read["names"] for read in entry.get("secret_keys", [])
            )
        ]

    def _rolling_readers(self, key: str, entries: Sequence[Entry]) -> list[Entry]:
        return [entry for entry in self._readers(key, entries) if self._rolls(entry)]

    def _has_new_digest(self, entry: Entry) -> bool:
        return not self._is_secret(entry) and any(path in self._digest_paths(entry) for path in entry["fields"])

    def _rolls(self, entry: Entry) -> bool:
        """Tell whether pods are replaced. The next ones of a CronJob read the new values anyway."""
        return self._has_new_digest(entry) and kind_of_body(self._body(entry)).rolls

    def _body(self, entry: Entry) -> dict[str, Any]:
        return next(body for body in self.objects if _is_same(body, entry))

    def _is_secret(self, entry: Entry) -> bool:
        return (entry["kind"], entry["name"]) == ("Secret", self._secret.name)


def _reads(body: Mapping[str, Any], secret: Identity) -> bool:
    same_namespace = Identity.of(body).namespace == secret.namespace
    return same_namespace and any(read.secret == secret.name for read in secret_reads(body))


def _changed_keys(secret: Identity, entries: Sequence[Entry]) -> list[str]:
    return [
        key
        for entry in entries
        if (entry["kind"], entry["name"]) == ("Secret", secret.name)
        for key in entry.get("changed_keys", [])
    ]


def _is_same(body: Mapping[str, Any], entry: Entry) -> bool:
    return (body["kind"], body["metadata"]["name"]) == (entry["kind"], entry["name"])


def _name(entry: Entry) -> str:
    return f"{entry['kind']} {entry['name']}"
