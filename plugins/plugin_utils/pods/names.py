# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Deployments of a release are called, and their containers."""

DISPATCHER = "agentsmith-dispatcher"
REDIS = "redis"
# The containers that do the work, by the name of the Deployment
CONTAINERS = {DISPATCHER: "dispatcher", REDIS: "redis"}
# The ResourceQuota of the release
QUOTA = "agentsmith"
