# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in Slack: its Web API, its events and a page for people."""
