# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in Dispatcher: Slack requests in, Jobs and Slack messages out."""
