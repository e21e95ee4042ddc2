# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of the stand-in agent: one request, one pipeline, one exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from argparse import Namespace
from collections.abc import Mapping, Sequence

from stand_in.agent.options import parse_options
from stand_in.agent.pipeline import SUCCESS, CommandFailedError, Pipeline, PipelineBrokenError
from stand_in.agent.reporter import LogReporter, RedisReporter, Reporter
from stand_in.agent.user_input import ticket_and_project
from stand_in.app_version import AppVersion, AppVersionError, app_version
from stand_in.configuration import Configuration, ConfigurationError, Project, load_configuration
from stand_in.console_log import log_to_console
from stand_in.log_levels import LogLevelError
from stand_in.message_bus import MessageBus
from stand_in.process import FAILED, crash, finished_before, stop_signal
from stand_in.redis_configuration import RedisConfigurationError, parse_redis_configuration
from stand_in.redis_connection import RedisConnection, RedisConnectionError
from stand_in.tickets import Outcome, outcome_of

TERMINATED = 128 + signal.SIGTERM
"""Exit code after SIGTERM, which a Job gets when it is deleted."""
BANNER = "STAND-IN: this is test equipment in place of the Agent Smith agent %s. It fixes no ticket."
# The exceptions that end the app, and what they are called there.
_CRASHES: Mapping[type[Exception], str] = {
    RedisConfigurationError: "System.ArgumentException",
    RedisConnectionError: "StackExchange.Redis.RedisConnectionException",
    ConfigurationError: "AgentSmith.Domain.Exceptions.ConfigurationException",
    LogLevelError: "System.InvalidOperationException",
    PipelineBrokenError: "stand-in",
    AppVersionError: "stand-in",
}

_log = logging.getLogger("AgentSmith.Host")


def main(arguments: Sequence[str]) -> int:
    """Run. Returns the exit code: 0 for success, 1 for failure and for a crash."""
    try:
        version = app_version(os.environ)
        options = parse_options(arguments, version.agent_command)
        log_to_console(os.environ, logging.DEBUG if options.verbose else logging.INFO)
        _log.warning(BANNER, version.name)
        return asyncio.run(_run(options, os.environ, version))
    except tuple(_CRASHES) as error:
        name = next(name for kind, name in _CRASHES.items() if isinstance(error, kind))
        return crash(f"Unhandled exception: {name}: {error}", FAILED)


async def _run(options: Namespace, environment: Mapping[str, str], version: AppVersion) -> int:
    stop_wanted = stop_signal()
    result = asyncio.get_running_loop().create_future()
    if not await finished_before(stop_wanted, _process(options, environment, version, result)):
        return TERMINATED
    return result.result()


async def _process(
    options: Namespace, environment: Mapping[str, str], version: AppVersion, result: asyncio.Future
) -> None:
    if not (options.job_id.strip() and options.redis_url.strip()):
        result.set_result(await _fix(options, environment, version, LogReporter()))
        return
    redis = RedisConnection(parse_redis_configuration(options.redis_url))
    try:
        await redis.connect()
        reporter = RedisReporter(MessageBus(redis), options.job_id)
        result.set_result(await _fix(options, environment, version, reporter))
    finally:
        await redis.close()


async def _fix(options: Namespace, environment: Mapping[str, str], version: AppVersion, reporter: Reporter) -> int:
    try:
        configuration, project = await _run_pipeline(options, environment, reporter)
    except CommandFailedError as error:
        await reporter.error(str(error), error.step or None, error.total or None)
        print(f"Failed: {error}")
        return FAILED
    except (ConfigurationError, PipelineBrokenError) as error:
        if version.reports_crashes:
            await reporter.error(str(error))
        raise
    pull_request = f"{project.source_url.removesuffix('.git')}/pull/1" if project.source_url else ""
    await reporter.done(_summary(configuration), pull_request if version.pr_link else "")
    print(f"Success: {SUCCESS}")
    return 0


async def _run_pipeline(
    options: Namespace, environment: Mapping[str, str], reporter: Reporter
) -> tuple[Configuration, Project]:
    """Run what the configuration has for the input.

    Raises CommandFailedError, ConfigurationError, PipelineBrokenError.
    """
    configuration = load_configuration(options.config)
    _log.info("Read %s, sha256 %s", options.config, configuration.digest)
    ticket, name = ticket_and_project(options.input)
    project = configuration.projects.get(name)
    if project is None:
        raise ConfigurationError(f"Project '{name}' not found in configuration.")
    commands = configuration.pipelines.get(project.pipeline)
    if commands is None:
        raise ConfigurationError(f"Pipeline '{project.pipeline}' not found in configuration.")
    outcome = outcome_of(int(ticket))
    if outcome == Outcome.CRASH:
        raise ConfigurationError("The stand-in crashes on this ticket, as its table of tickets says.")
    _log.info("Running pipeline '%s' for project '%s', ticket %s", project.pipeline, name, ticket)
    await Pipeline(project, outcome, reporter, environment).run(commands)
    return configuration, project


def _summary(configuration: Configuration) -> str:
    """Return the app's summary and, so that it can be compared, which configuration the agent has read."""
    return f"{SUCCESS} (stand-in; agentsmith.yml sha256:{configuration.digest})"
