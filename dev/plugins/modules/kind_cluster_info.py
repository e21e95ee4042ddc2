# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.dev.kind_cluster_info; the work is done by the action plugin of that name."""

DOCUMENTATION = r"""
module: kind_cluster_info
short_description: Judge the health of a local kind cluster
version_added: 0.1.0
description:
  - Finds the nodes of a kind cluster with one control plane in Docker or podman, on the control node, and says whether
    the cluster is healthy. Changes nothing.
options:
  name:
    description: Name of the cluster, as C(kind get clusters) lists it.
    type: str
    required: true
  kubeconfig:
    description: Kubeconfig file of this checkout. It need not exist.
    type: path
    required: true
  bin_dir:
    description: Directory with the commands C(kind) and C(kubectl) of this checkout. It need not exist.
    type: path
    required: true
  cache_dir:
    description: Directory in which the role local_cluster keeps podman's configuration.
    type: path
    required: true
extends_documentation_fragment:
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.read_only
"""

EXAMPLES = r"""
- name: Look at the local cluster
  agentsmith.dev.kind_cluster_info:
    name: agentsmith
    kubeconfig: .local/kubeconfig
    bin_dir: .local/bin
    cache_dir: ~/.cache/agentsmith.platform
  register: local_cluster_info
"""

RETURN = r"""
verdict:
  description:
    - V(healthy), the API server answers C(/readyz) through O(kubeconfig) and all nodes are Ready; V(starting), their
      containers run, but the API server or a node is not ready yet; V(unexported), they run, but there is no kubectl
      here, no kubeconfig, or one of an earlier cluster; V(dead), a container, or the processes in that of the control
      plane, do not run; V(absent), there is no such cluster.
  type: str
  returned: success
engine:
  description: C(docker) or C(podman), the one that has the node; empty if there is none.
  type: str
  returned: success
environment:
  description: Environment variables with which kind and the engine find this cluster.
  type: dict
  returned: success
node:
  description: Name of the control plane's container.
  type: str
  returned: success
image:
  description: Image of the node; empty if there is none.
  type: str
  returned: success
ports:
  description: Ports of this machine that lead to the node, by what the node listens on.
  type: dict
  returned: success
  sample: {30080/tcp: 30080, 6443/tcp: 39547}
workers:
  description: Names of the containers of the other nodes.
  type: list
  elements: str
  returned: success
tools:
  description: Whether O(bin_dir) has kind and kubectl.
  type: bool
  returned: success
kind:
  description: Path of a kind command, from O(bin_dir) or else from PATH; empty if there is none.
  type: str
  returned: success
contexts:
  description: Names of the contexts in O(kubeconfig).
  type: list
  elements: str
  returned: success
"""
