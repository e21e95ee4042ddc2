# SPDX-License-Identifier: GPL-3.0-or-later
"""How an API server is reached: kubeconfig, connection, retries, discovery, streams into a pod."""
