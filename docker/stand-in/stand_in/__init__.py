# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Agent Smith's containers: test equipment, never a deployment."""
