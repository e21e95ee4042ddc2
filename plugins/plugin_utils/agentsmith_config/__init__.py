# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file of the app, `agentsmith.yml`: its keys, its rules, and the secrets that it calls for."""
