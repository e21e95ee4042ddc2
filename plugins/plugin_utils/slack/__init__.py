# SPDX-License-Identifier: GPL-3.0-or-later
"""Slack's requests: their payloads and their signature."""
