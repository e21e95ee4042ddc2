# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that name a release, and what belongs to it."""


class ModuleDocFragment:
    """C(agentsmith.platform.release.instance) and C(agentsmith.platform.release.names) are the others."""

    DOCUMENTATION = r"""
options:
  namespace:
    description: Namespace of the release.
    type: str
    required: true
"""

    INSTANCE = r"""
options:
  instance:
    description: Value of the label C(app.kubernetes.io/instance) on the objects of the release.
    type: str
    default: agentsmith
"""

    NAMES = r"""
options:
  secret_name:
    description: Name of the Secret that the Dispatcher and its Jobs read.
    type: str
    default: agentsmith-secrets
  config_map_name:
    description: Name of the ConfigMap with C(agentsmith.yml).
    type: str
    default: agentsmith-config
  service_account_name:
    description: Name of the Dispatcher's ServiceAccount.
    type: str
    default: agentsmith
"""
