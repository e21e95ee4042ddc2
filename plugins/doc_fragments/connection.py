# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions of this collection that talk to a cluster have in common."""


class ModuleDocFragment:
    """Goes with kubernetes.core.k8s_auth_options, which documents the options."""

    DOCUMENTATION = r"""
options:
  api_server:
    description:
      - URL of the API server that is meant, as C(kubectl config view --minify) shows it. A task fails before its first
        request if the other options lead to another server.
      - It protects from a context of the same name in another kubeconfig, and from a context that somebody changed.
    type: str
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
  - A kubeconfig is read as C(kubectl) reads it. Of several files in E(KUBECONFIG), the first current-context counts,
    and the first entry of each name. Relative paths, C(exec), C(tokenFile), C(tls-server-name) and C(proxy-url) mean
    what they mean there, and so do E(HTTPS_PROXY) and E(NO_PROXY). What cannot be used so is refused.
  - Without any connection option, E(KUBECONFIG) or C(~/.kube/config) is used. If neither exists, it is the
    ServiceAccount of the pod in which Ansible runs.
  - If O(kubeconfig) or O(context) is given, a variable E(K8S_AUTH_*) that would lead to another cluster or user is
    refused.
  - A proxy of the kind C(socks5) needs the Python package PySocks.
"""
