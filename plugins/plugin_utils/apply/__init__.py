# SPDX-License-Identifier: GPL-3.0-or-later
"""The apply engine: what is live, what differs, whether we may write it, and the writes in their order."""
