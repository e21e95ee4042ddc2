# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read about a release: its drift from the inventory and its status."""
