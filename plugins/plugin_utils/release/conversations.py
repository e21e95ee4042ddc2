# SPDX-License-Identifier: GPL-3.0-or-later
"""The conversations in Redis: which Job each channel waits for, and whether the app will ever end it.

The app keeps one conversation a channel, for two hours (45 minutes in 0.9.2), and answers every request there that a
job is running. It removes it when the Job says its last word, and then only if the Dispatcher that spawned the Job
still listens (the app's contract, 1.6 and 1.7). A Job that dies without a word, or a Dispatcher that is replaced
meanwhile, leaves the channel stuck.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ..api.redis_over_socket import RedisClient, RedisError
from ..objects.errors import ApplyError
from ..objects.labels import labels_of
from ..pods.names import DISPATCHER
from ..pods.spawned_jobs import created_at, ended_at, is_running, waits_for_pod
from ..text.text_table import aligned
from ..verification.redis_client import authenticate, connected_redis
from ..verification.target import Target, main_container
from .listeners import listening_since

RUNNING = "running"  # its Job runs, or is yet to run, and a Dispatcher listens
UNHEARD = "unheard"  # its Job runs, but the Dispatcher that listened is gone
ENDING = "ending"  # its Job has just ended: the Dispatcher is about to say so
STUCK = "stuck"  # its Job is gone or has ended, and nobody will say so

GRACE = 30  # seconds after the end of a Job. The Dispatcher looks for its last word every 0.5 s
TIMEOUT = 5.0  # seconds for an answer of Redis
PATIENCE = 10.0  # seconds for the way to it. Its node may be silent, and those who ask what is wrong should not wait
_SCAN_COUNT = "500"
_MAXIMUM = 2000  # conversations; a workspace has fewer channels with a bot in them

# At once, so that nothing comes between the look and the removal
_REMOVE = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end return redis.call('DEL', unpack(KEYS))"


class ConversationIsLive(ApplyError):
    """The Job of a channel still runs, so its conversation stays."""


@dataclass(frozen=True)
class Conversation:
    """``frees_in``: seconds until Redis forgets it. ``reason`` says why the state is what it is."""

    platform: str
    channel: str
    job: str
    request: str
    state: str
    reason: str
    frees_in: int

    def as_dict(self) -> dict[str, Any]:
        """For a module's result."""
        return asdict(self)


@dataclass(frozen=True)
class Kept:
    """A conversation as it is in Redis: its key, its value, and the seconds that it still lasts."""

    key: str
    value: str
    seconds: int

    @property
    def fields(self) -> Mapping[str, Any]:
        """What the app wrote; nothing if it is not from the app."""
        try:
            fields = json.loads(self.value)
        except ValueError:
            return {}
        return fields if isinstance(fields, dict) else {}

    @property
    def job_id(self) -> str:
        """The ID of its Job, as in the Job's label `job-id`."""
        return str(self.fields.get("jobId") or "")


@dataclass(frozen=True)
class Conversations:
    """All conversations, the stuck ones first. ``lost``: names of Jobs that run and belong to none."""

    found: list[Conversation]
    lost: list[str]

    @property
    def stuck(self) -> list[Conversation]:
        """Those whose channel takes no request, for no Job."""
        return [entry for entry in self.found if entry.state == STUCK]


def table_of(conversations: Sequence[Conversation]) -> list[str]:
    """Return a table for people; nothing without a conversation."""
    rows = [
        [entry.channel, entry.state, entry.request, f"{entry.frees_in // 60} min", entry.reason]
        for entry in conversations
    ]
    return aligned([["CHANNEL", "STATE", "REQUEST", "FORGOTTEN IN", "REASON"], *rows]) if rows else []


def read_conversations(target: Target, now: datetime) -> Conversations:
    """Ask Redis and the API server.

    :raises ApplyError: when Redis is not in the namespace or does not answer, or something may not be read.
    """
    with _redis(target) as client:
        kept = _read(client)
    return _judged(target, kept, now)


def free_channels(target: Target, channels: Sequence[str], now: datetime, check_mode: bool) -> list[Conversation]:
    """Remove the stuck conversations of the *channels*, or all of them if none is named; return what was removed.

    :raises ConversationIsLive: when one of the *channels* has a Job that runs, before anything is removed.
    :raises ApplyError: as read_conversations().
    """
    if not (target.redis or target.dispatcher):
        raise ApplyError(
            f"No release runs in the namespace {target.names.namespace}, so it has no channels. Nothing was changed. "
            "Deploy the release. If you mean another one, correct agentsmith_namespace."
        )
    with _redis(target) as client:
        kept = _read(client)
        conversations = _judged(target, kept, now)
        named = [entry for entry in conversations.found if not channels or entry.channel in channels]
        live = [entry for entry in named if entry.state != STUCK]
        if channels and live:
            raise ConversationIsLive(
                "; ".join(f"{entry.channel}: {entry.reason}" for entry in live)
                + ". Nothing was removed: only a channel whose Job has ended is freed. Wait for the Job, or end it "
                f"with kubectl delete job {live[0].job}, and run again."
            )
        stuck = {(entry.platform, entry.channel): entry for entry in named if entry.state == STUCK}
        gone = [_name_of(entry) for entry in kept if _name_of(entry) in stuck and (check_mode or remove(client, entry))]
    return [stuck[name] for name in gone]


def remove(client: RedisClient, entry: Kept) -> bool:
    """Remove a conversation and what belongs to its Job, unless its channel has begun another one meanwhile."""
    keys = [entry.key, f"job-index:{entry.job_id}", f"job:{entry.job_id}:out", f"job:{entry.job_id}:in"]
    return bool(client.command("EVAL", _REMOVE, str(len(keys)), *keys, entry.value))


@contextmanager
def _redis(target: Target) -> Iterator[RedisClient]:
    """Yield a client. It reads the Secret only if Redis asks for a password."""
    pods = target.ready_containers(target.redis)
    if not pods:
        raise ApplyError("no pod of Redis is ready" if target.redis else "Redis is not in this namespace")
    with connected_redis(target, pods[0], TIMEOUT, PATIENCE) as client:
        try:
            client.command("DBSIZE")
        except RedisError:
            authenticate(client, _secret_of_the_dispatcher(target))
        yield client


def _secret_of_the_dispatcher(target: Target) -> Mapping[str, Any] | None:
    """Return the Secret that the Dispatcher has its address of Redis from, whatever the inventory calls it."""
    env = main_container(target.dispatcher, DISPATCHER).get("env") or [] if target.dispatcher else []
    sources = [(entry.get("valueFrom") or {}).get("secretKeyRef") for entry in env if entry["name"] == "REDIS_URL"]
    return target.read_secret(sources[0]["name"]) if sources and sources[0] else None


def _read(client: RedisClient) -> list[Kept]:
    keys: set[str] = set()
    cursor = "0"
    while True:
        cursor, found = client.command("SCAN", cursor, "MATCH", "conversation:*:*", "COUNT", _SCAN_COUNT)
        keys.update(found)
        if cursor == "0" or len(keys) >= _MAXIMUM:
            break
    kept = [Kept(key, client.command("GET", key) or "", client.command("TTL", key)) for key in sorted(keys)]
    return [entry for entry in kept if entry.value]  # another one ended while it was read


def _judged(target: Target, kept: Sequence[Kept], now: datetime) -> Conversations:
    # Jobs last: a conversation is written after its Job was made, so a Job that is missing now is gone
    jobs = {labels_of(job).get("job-id"): job for job in target.read_jobs()}
    listening = [listening_since(pod) for pod in target.ready_pods(target.dispatcher)]
    found = [_judge(entry, jobs.get(entry.job_id), listening, now) for entry in kept]
    known = {entry.job_id for entry in kept}
    lost = [job["metadata"]["name"] for job_id, job in jobs.items() if job_id not in known and is_running(job)]
    return Conversations(sorted(found, key=lambda entry: (entry.state != STUCK, entry.channel)), sorted(lost))


def _judge(
    entry: Kept, job: Mapping[str, Any] | None, listening: Sequence[datetime | None], now: datetime
) -> Conversation:
    """Judge one conversation.

    :param listening: when the Dispatcher's pods that serve now started; None if a pod does not say.
    """
    platform, channel = _name_of(entry)
    name = job["metadata"]["name"] if job else f"agentsmith-{entry.job_id}"
    ended = ended_at(job) if job else None
    if job is None:
        state, reason = STUCK, f"its Job {name} is gone"
    elif ended and (now - ended).total_seconds() > GRACE:
        state, reason = STUCK, f"its Job {name} ended {int((now - ended).total_seconds())} s ago, and nobody said so"
    elif ended:
        state, reason = ENDING, f"its Job {name} has just ended"
    elif listening and all(started and started > created_at(job) for started in listening):
        state = UNHEARD
        reason = f"its Job {name} runs, but the Dispatcher that listens to it was replaced"
    else:
        state, reason = RUNNING, f"its Job {name} {'waits for its pod to run' if waits_for_pod(job) else 'runs'}"
    request = f"fix #{entry.fields.get('ticketId', '?')} in {entry.fields.get('project', '?')}"
    return Conversation(platform, channel, name, request, state, reason, entry.seconds)


def _name_of(entry: Kept) -> tuple[str, str]:
    _conversation, platform, channel = entry.key.split(":", 2)
    return platform, channel
