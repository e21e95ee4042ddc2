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
from stand_in.configuration import Configuration, ConfigurationError, load_configuration
from stand_in.console_log import log_to_console
from stand_in.message_bus import MessageBus
from stand_in.process import crash, finished_before, stop_signal
from stand_in.redis_configuration import RedisConfigurationError, parse_redis_configuration
from stand_in.redis_connection import RedisConnection, RedisConnectionError
from stand_in.tickets import Outcome, outcome_of

FAILED = 1
"""Exit code of a pipeline that has failed."""
TERMINATED = 128 + signal.SIGTERM
"""Exit code after SIGTERM, which a Job gets when it is deleted."""

_log = logging.getLogger("AgentSmith.Host")


def main(arguments: Sequence[str]) -> int:
    """Run. Returns the exit code: 0 for success, 1 for failure and for a crash."""
    options = parse_options(arguments)
    log_to_console(options.verbose)
    _log.warning("STAND-IN: this is test equipment in place of the Agent Smith agent. It fixes no ticket.")
    try:
        return asyncio.run(_run(options, os.environ))
    except RedisConfigurationError as error:
        return crash(f"System.ArgumentException: {error}")
    except RedisConnectionError as error:
        return crash(f"StackExchange.Redis.RedisConnectionException: {error}")
    except ConfigurationError as error:
        return crash(f"AgentSmith.Domain.Exceptions.ConfigurationException: {error}")
    except PipelineBrokenError as error:
        return crash(f"stand-in: {error}")


async def _run(options: Namespace, environment: Mapping[str, str]) -> int:
    stop_wanted = stop_signal()
    result = asyncio.get_running_loop().create_future()
    if not await finished_before(stop_wanted, _process(options, environment, result)):
        return TERMINATED
    return result.result()


async def _process(options: Namespace, environment: Mapping[str, str], result: asyncio.Future) -> None:
    if not (options.job_id.strip() and options.redis_url.strip()):
        result.set_result(await _fix(options, environment, LogReporter()))
        return
    redis = RedisConnection(parse_redis_configuration(options.redis_url))
    try:
        await redis.connect()
        reporter = RedisReporter(MessageBus(redis), options.job_id)
        result.set_result(await _fix(options, environment, reporter))
    finally:
        await redis.close()


async def _fix(options: Namespace, environment: Mapping[str, str], reporter: Reporter) -> int:
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
    _log.info("Running pipeline %r for project %r, ticket %s", project.pipeline, name, ticket)
    try:
        await Pipeline(project, outcome, reporter, environment).run(commands)
    except CommandFailedError as error:
        await reporter.error(str(error))
        print(f"Failed: {error}")
        return FAILED
    await reporter.done(_summary(configuration))
    print(f"Success: {SUCCESS}")
    return 0


def _summary(configuration: Configuration) -> str:
    """Return the app's summary and, so that it can be compared, which configuration the agent has read."""
    return f"{SUCCESS} (stand-in; agentsmith.yml sha256:{configuration.digest})"
