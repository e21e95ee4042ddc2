# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of pods: rollouts, Jobs, and the cause when they do not start."""
