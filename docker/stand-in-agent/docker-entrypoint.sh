#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Starts the agent as another user, which only root can do.
set -eu
exec gosu agentsmith dotnet AgentSmith.Host.dll "$@"
