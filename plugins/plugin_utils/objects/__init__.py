# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Kubernetes object is: identity, labels, owner, managed fields, and what a kind means. It asks nobody."""
