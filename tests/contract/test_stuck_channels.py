# SPDX-License-Identifier: GPL-3.0-or-later
"""Channels that wait for a Job which will never answer, with the app's own keys in a real Redis: found, and freed."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.redis_over_socket import RedisClient
from ansible_collections.agentsmith.platform.plugins.plugin_utils.release import conversations
from ansible_collections.agentsmith.platform.plugins.plugin_utils.verification.target import Names, Target
from awaiting import await_condition
from fake_connection import FakeConnection
from redis import Redis
from slack_person import CHANNEL
from stand_in_platform import Platform

CORE, APPS, BATCH = (f"/{api}/namespaces/here" for api in ("api/v1", "apis/apps/v1", "apis/batch/v1"))
CONTAINERS = {"agentsmith-dispatcher": "dispatcher", "redis": "redis"}


def silent_agent(platform: Platform) -> None:
    (platform.agent_app / "config" / "agentsmith.yml").rename(platform.agent_app / "away")
    platform.person.say("fix #54 in short")
    await_condition(lambda: platform.agents)
    assert platform.agents[0].wait() == 1
    (platform.agent_app / "away").rename(platform.agent_app / "config" / "agentsmith.yml")


def killed_job(platform: Platform) -> None:
    platform.person.say("fix #104 in agent-smith-test")
    platform.person.await_message(r"\[[1-7]/9\]")
    platform.agents[0].signal(signal.SIGTERM)
    assert platform.agents[0].wait() == 143


def killed_dispatcher(platform: Platform) -> None:
    platform.person.say("fix #54 in agent-smith-test")
    platform.person.await_message(r"\[[1-7]/9\]")
    platform.dispatcher.kill()
    platform.start_dispatcher()
    assert platform.agents[0].wait() == 0


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Cluster:
    """What an API server would say of the platform's processes. Jobs that have ended did so an hour ago."""

    def __init__(self, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
        self._platform = platform
        self.dispatcher_started = datetime.now(UTC) - timedelta(days=1)
        self.jobs_are_gone = False
        self.ready_pods = 1  # of each Job

        @contextmanager
        def to_the_redis_of_the_platform(*_ignored: object) -> Iterator[RedisClient]:
            with socket.create_connection(("127.0.0.1", platform.redis_port), timeout=10) as connected:
                yield RedisClient(connected)

        monkeypatch.setattr(conversations, "connected_redis", to_the_redis_of_the_platform)

    def read(self) -> conversations.Conversations:
        return conversations.read_conversations(self._target(), datetime.now(UTC))

    def free(self, *channels: str, check_mode: bool = False) -> list[conversations.Conversation]:
        return conversations.free_channels(self._target(), channels, datetime.now(UTC), check_mode)

    def _target(self) -> Target:
        answers = {f"{APPS}/deployments/{name}": self._deployment(name) for name in CONTAINERS}
        pods = [self._pod(container) for container in CONTAINERS.values()]
        # The selector is not looked at: both Deployments have both pods, and the container tells them apart
        answers[f"{CORE}/pods"] = {"items": pods}
        answers[f"{BATCH}/jobs"] = {"items": [] if self.jobs_are_gone else list(self._jobs())}
        return Target(FakeConnection(answers), Names("here"), [])

    def _deployment(self, name: str) -> dict[str, Any]:
        template = {"spec": {"containers": [{"name": CONTAINERS[name], "image": "one:1"}]}}
        return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": name}}, "template": template}}

    def _pod(self, container: str) -> dict[str, Any]:
        running = {"name": container, "state": {"running": {"startedAt": text(self.dispatcher_started)}}}
        status = {"conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [running]}
        return {"metadata": {"name": container}, "spec": {"containers": [{"name": container}]}, "status": status}

    def _jobs(self) -> Iterator[dict[str, Any]]:
        hour_ago = text(datetime.now(UTC) - timedelta(hours=1))
        for job, agent in zip(self._platform.kubernetes.jobs, self._platform.agents, strict=True):
            ended = [{"type": "Complete", "status": "True", "lastTransitionTime": hour_ago}]
            metadata = {**job["metadata"], "creationTimestamp": hour_ago}
            status = {"conditions": [] if agent.running else ended, "ready": self.ready_pods}
            yield {**job, "metadata": metadata, "status": status}


@pytest.fixture
def cluster(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    return Cluster(platform, monkeypatch)


@pytest.mark.parametrize("jobs_are_gone", [False, True])
@pytest.mark.parametrize("way", [silent_agent, killed_job, killed_dispatcher])
@pytest.mark.stand_in_agent("its steps take half a second each")
def test_a_stuck_channel_is_found_freed_and_takes_the_next_request(
    platform: Platform, cluster: Cluster, way: Callable[[Platform], None], jobs_are_gone: bool
) -> None:
    way(platform)
    cluster.jobs_are_gone = jobs_are_gone
    platform.person.say("fix #54 in short")
    platform.person.await_message("already a job running")
    (entry,) = cluster.read().stuck
    assert (entry.platform, entry.channel) == ("slack", CHANNEL)
    assert entry.job == platform.kubernetes.jobs[0]["metadata"]["name"]
    assert entry.request.startswith("fix #")
    assert 7000 < entry.frees_in <= 7200
    with Redis(port=platform.redis_port, decode_responses=True) as redis:
        before = redis.keys()
        assert [freed.channel for freed in cluster.free(check_mode=True)] == [CHANNEL]
        assert sorted(redis.keys()) == sorted(before)
        redis.set("of-somebody-else", "stays")
        assert [freed.channel for freed in cluster.free(CHANNEL)] == [CHANNEL]
        assert redis.keys() == ["of-somebody-else"]
    assert cluster.free(CHANNEL) == []
    platform.person.say("fix #54 in short")
    platform.person.await_message("Done!")


@pytest.mark.stand_in_agent("its steps take half a second each")
def test_a_channel_whose_job_runs_is_never_freed(platform: Platform, cluster: Cluster) -> None:
    platform.person.say("fix #104 in agent-smith-test")
    platform.person.await_message(r"\[[1-7]/9\]")
    (entry,) = cluster.read().found
    assert (entry.state, cluster.read().stuck) == ("running", [])
    with pytest.raises(conversations.ConversationIsLive, match=rf"{CHANNEL}: its Job {entry.job} runs.*Nothing"):
        cluster.free(CHANNEL)
    cluster.ready_pods = 0  # a quota refuses it, for example
    with pytest.raises(conversations.ConversationIsLive, match=rf"its Job {entry.job} waits for its pod to run\."):
        cluster.free(CHANNEL)
    cluster.dispatcher_started = datetime.now(UTC) + timedelta(days=1)
    (unheard,) = cluster.read().found
    assert (unheard.state, "was replaced" in unheard.reason) == ("unheard", True)
    assert cluster.free() == []
    with Redis(port=platform.redis_port) as redis:
        assert redis.exists(f"conversation:slack:{CHANNEL}")


@pytest.mark.stand_in_agent("its steps take half a second each")
def test_a_restart_of_redis_frees_the_channel_and_names_the_job_that_lost_it(
    platform: Platform, cluster: Cluster
) -> None:
    platform.person.say("fix #104 in agent-smith-test")
    platform.person.await_message(r"\[[1-7]/9\]")
    assert cluster.read().lost == []
    platform.redis.kill()
    platform.start_redis()
    found = cluster.read()
    assert (found.found, found.lost) == ([], [platform.kubernetes.jobs[0]["metadata"]["name"]])


def test_a_conversation_that_begins_meanwhile_stays(platform: Platform) -> None:
    """Between the look and the removal, the channel got another one."""
    with Redis(port=platform.redis_port, decode_responses=True) as redis:
        key = f"conversation:slack:{CHANNEL}"
        redis.set(key, '{"jobId":"newer"}')
        client = RedisClient(socket.create_connection(("127.0.0.1", platform.redis_port), timeout=10))
        conversations.remove(client, conversations.Kept(key, '{"jobId":"older"}', 7200))
        assert redis.get(key) == '{"jobId":"newer"}'
        conversations.remove(client, conversations.Kept(key, '{"jobId":"newer"}', 7200))
        assert redis.get(key) is None


def test_what_is_no_conversation_of_the_app_is_shown_and_breaks_nothing(platform: Platform, cluster: Cluster) -> None:
    with Redis(port=platform.redis_port, decode_responses=True) as redis:
        for channel, value in (("C1", "no JSON"), ("C2", "[]"), ("C3", "{}")):
            redis.set(f"conversation:slack:{channel}", value, ex=7200)
        assert [entry.channel for entry in cluster.read().stuck] == ["C1", "C2", "C3"]
        assert len(cluster.free()) == 3
        assert redis.keys() == []
