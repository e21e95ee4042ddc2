# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of this collection that talk to a cluster have in common."""


class ModuleDocFragment:
    """Goes with kubernetes.core.k8s_auth_options, which documents the options."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - kubernetes >= 35 (Python package)
  - kubernetes.core >= 6.2.0 (collection)
notes:
  - Runs on the control node, in ansible-core's own process, whatever the connection of the host is. Files that the
    connection options name are files of the control node.
  - The options, their names and their environment variables E(K8S_AUTH_*) are those of M(kubernetes.core.k8s).
    C(environment:) of a play or task does not reach an action plugin, so the variables must be set where
    C(ansible-playbook) is started.
  - Set them once for a play with C(module_defaults) and the action group C(agentsmith.platform.cluster).
  - Without any connection option, the ServiceAccount of the pod is used when Ansible runs inside a cluster,
    else E(KUBECONFIG) or C(~/.kube/config).
"""
