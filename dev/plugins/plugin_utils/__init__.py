# SPDX-License-Identifier: GPL-3.0-or-later
"""What the development machine has and what a local cluster on it needs. Nothing here changes the machine."""
