# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's command line, as far as a Job uses it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from stand_in.configuration import CONFIGURATION_PATH
from stand_in.process import FAILED


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """End with the app's exit code for a wrong command line, which is not argparse's 2."""
        self.exit(FAILED, f"{message}\n")


def parse_options(arguments: Sequence[str], command: Sequence[str] = ()) -> argparse.Namespace:
    """Read the arguments, which have to begin with a command in some versions. Ends the process if they are wrong."""
    parser = _Parser(prog="stand_in", description="Stand-in for the Agent Smith agent", allow_abbrev=False)
    for word in command:
        parser.add_argument(f"{word}_command", choices=[word], metavar=word, help="what every command line begins with")
    parser.add_argument("input", help='what to do, as in "fix #54 in my-project"')
    parser.add_argument("--config", default=CONFIGURATION_PATH, help="path of agentsmith.yml")
    parser.add_argument("--headless", action="store_true", help="approve plans without asking at the terminal")
    parser.add_argument("--verbose", action="store_true", help="log from Debug on")
    parser.add_argument("--job-id", default="", help="job whose Redis streams are used")
    parser.add_argument("--redis-url", default="", help="Redis, as in the Dispatcher's REDIS_URL")
    parser.add_argument("--platform", default="", help="where the request came from: not used")
    parser.add_argument("--channel-id", default="", help="channel of the request: not used")
    return parser.parse_args(arguments)
