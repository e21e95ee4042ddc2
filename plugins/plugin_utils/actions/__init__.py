# SPDX-License-Identifier: GPL-3.0-or-later
"""The base classes and shared options of the action plugins."""
