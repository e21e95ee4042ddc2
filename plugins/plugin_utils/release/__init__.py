# SPDX-License-Identifier: GPL-3.0-or-later
"""A release as a transaction: lock, record, deploy, commit, restore, rotation, drain, teardown."""
