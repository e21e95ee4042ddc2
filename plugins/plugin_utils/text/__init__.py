# SPDX-License-Identifier: GPL-3.0-or-later
"""How texts for people are laid out. It knows nothing of Kubernetes."""
