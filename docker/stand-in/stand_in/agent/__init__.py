# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in agent: walks a project's pipeline and reports over Redis, without an LLM."""
