# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the stand-in's programs runs, by its arguments.

None: the Dispatcher, as its pod sets neither command nor arguments. `slack`: the stand-in Slack. Anything else is for
the agent, to which the Dispatcher's Jobs give arguments and no command.
"""

from __future__ import annotations

import sys


def _main(arguments: list[str]) -> int:
    # Imported one at a time: a Job should not wait for the modules of a web server.
    if not arguments:
        from stand_in.dispatcher import program as dispatcher

        return dispatcher.main()
    if arguments == ["slack"]:
        from stand_in.slack import program as slack

        return slack.main()
    from stand_in.agent import program as agent

    return agent.main(arguments)


sys.exit(_main(sys.argv[1:]))
