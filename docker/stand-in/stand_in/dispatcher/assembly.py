# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the parts of a Dispatcher together, as its environment wants them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from stand_in.background_tasks import BackgroundTasks
from stand_in.console_log import START_UP
from stand_in.dispatcher.clarification_state import Clarifications
from stand_in.dispatcher.conversation_state import Conversations
from stand_in.dispatcher.create_ticket import CreateTicketHandler
from stand_in.dispatcher.dropped_messages import NO_LANGUAGE_MODEL, NO_SPAWNER, DroppedMessages
from stand_in.dispatcher.endpoints import Endpoints
from stand_in.dispatcher.error_actions import ErrorActionHandler
from stand_in.dispatcher.failure_message import FailureButtons
from stand_in.dispatcher.fix_ticket import FixTicketHandler
from stand_in.dispatcher.free_text import FreeText
from stand_in.dispatcher.interaction_handler import InteractionHandler
from stand_in.dispatcher.job_listener import JobListener
from stand_in.dispatcher.job_manifest import JobSettings
from stand_in.dispatcher.job_watch import JobWatch
from stand_in.dispatcher.kubernetes_detection import missing_for_cluster
from stand_in.dispatcher.kubernetes_jobs import KubernetesJobs
from stand_in.dispatcher.list_tickets import ListTicketsHandler
from stand_in.dispatcher.message_handler import MessageHandler
from stand_in.dispatcher.settings import SLACK_API_SWITCH, orphan_interval, service_account_directory
from stand_in.dispatcher.slack_adapter import SlackAdapter
from stand_in.dispatcher.slack_web_api import SlackWebApi
from stand_in.message_bus import MessageBus
from stand_in.redis_connection import RedisConnection

_log = logging.getLogger(START_UP)


class OutsideClusterError(Exception):
    """There is no cluster, and the version of the app does not start without one."""


def assemble(
    environment: Mapping[str, str], settings: JobSettings, redis: RedisConnection, tasks: BackgroundTasks
) -> Endpoints:
    """Return the endpoints of a Dispatcher, and start what it does by itself.

    Raises OutsideClusterError, SettingsError.
    """
    jobs = _jobs(environment, settings)
    secret = _signing_secret(environment)
    owner = environment.get("OWNER_SLACK_USER_ID", "")
    slack = SlackAdapter(
        _slack_api(environment), settings.version, FailureButtons(environment.get("LOG_BASE_URL", ""), owner)
    )
    if jobs is None:
        return Endpoints(secret, DroppedMessages(NO_SPAWNER), None, tasks)
    bus = MessageBus(redis)
    conversations = Conversations(redis, settings.version)
    clarifications = Clarifications(redis)
    listener = JobListener(bus, conversations, slack, tasks)
    fix = FixTicketHandler(jobs, settings, slack, conversations, listener)
    messages = MessageHandler(
        slack,
        fix,
        ListTicketsHandler(slack, environment),
        CreateTicketHandler(slack, environment),
        clarifications,
        FreeText(settings.version, environment),
        environment,
    )
    if settings.version.watches_jobs:
        interval = orphan_interval(environment)
        tasks.start(JobWatch(jobs, conversations, listener, slack, interval).run())
    errors = ErrorActionHandler(fix, conversations, slack, owner)
    interactions = InteractionHandler(bus, conversations, clarifications, messages, errors, slack)
    if settings.version.needs_anthropic_key and "ANTHROPIC_API_KEY" not in environment:
        return Endpoints(secret, DroppedMessages(NO_LANGUAGE_MODEL), interactions, tasks)
    return Endpoints(secret, messages, interactions, tasks)


def _signing_secret(environment: Mapping[str, str]) -> str:
    secret = environment.get("SLACK_SIGNING_SECRET", "")
    if not secret.strip():
        _log.warning("SLACK_SIGNING_SECRET is blank: every request is accepted, signed or not, as the app does.")
    return secret


def _slack_api(environment: Mapping[str, str]) -> SlackWebApi:
    url = environment.get(SLACK_API_SWITCH, "").strip()
    if not url:
        _log.warning("%s is not set: nothing is posted.", SLACK_API_SWITCH)
    return SlackWebApi(url, environment.get("SLACK_BOT_TOKEN", ""))


def _jobs(environment: Mapping[str, str], settings: JobSettings) -> KubernetesJobs | None:
    service_account = service_account_directory(environment)
    missing = ", ".join(missing_for_cluster(environment, service_account))
    if missing and settings.version.needs_cluster:
        raise OutsideClusterError(f"{missing} missing. Version {settings.version.name} starts in a cluster only.")
    if missing:
        _log.warning(
            "Kubernetes not available: %s missing. 'fix' commands will be disabled. 'list' and 'create' still work.",
            missing,
        )
        return None
    _log.info("Kubernetes available — 'fix' commands enabled via KubernetesJobSpawner.")
    return KubernetesJobs(environment, service_account, settings.namespace)
