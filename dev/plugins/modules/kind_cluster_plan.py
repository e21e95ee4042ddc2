# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.dev.kind_cluster_plan; the work is done by the action plugin of that name."""

DOCUMENTATION = r"""
module: kind_cluster_plan
short_description: Decide how to bring up a local kind cluster
version_added: 0.1.0
description:
  - Chooses the container engine and the source of the node image on the control node, and stops if something is missing
    that it cannot supply (no engine and no root, a port that is taken, no Go, a full disk). Changes nothing.
options:
  engine:
    description: Container engine, V(auto) for Docker if it can start a privileged container and podman otherwise.
    type: str
    choices: [auto, docker, podman]
    default: auto
  source:
    description:
      - Where the node image and the tools come from. V(auto) takes what exists already, then the registry if it
        answers, and builds otherwise.
    type: str
    choices: [auto, registry, build]
    default: auto
  registry_image:
    description: Node image in a registry. Its tag is the version of Kubernetes.
    type: str
    required: true
  built_image:
    description: Name of the node image that is built here.
    type: str
    required: true
  node:
    description: Name of the node's container. It may have O(host_ports) already.
    type: str
    default: ""
  node_image:
    description: Image of the node that runs; empty if none does.
    type: str
    default: ""
  node_engine:
    description: Engine of the node that runs; empty if none does.
    type: str
    default: ""
  binaries_dir:
    description: Directory of the compiled binaries. It need not exist.
    type: path
    required: true
  cache_dir:
    description: Directory in which the role local_cluster keeps results that are expensive to make.
    type: path
    required: true
  go_mod:
    description: The C(go.mod) from which the binaries are compiled.
    type: path
    required: true
  kind_version:
    description: Oldest kind of PATH that is used.
    type: str
    required: true
  free_space:
    description: Gibibytes that have to be free if something is built.
    type: int
    default: 8
  host_address:
    description: Address of this machine at which O(host_ports) are published.
    type: str
    required: true
  host_ports:
    description: Ports of this machine that have to be free for a new node.
    type: list
    elements: int
    required: true
extends_documentation_fragment:
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.read_only
attributes:
  check_mode:
    description: It only reads, except that it tries Docker with an empty image, which it removes again.
"""

EXAMPLES = r"""
- name: Decide how to bring up the cluster
  agentsmith.dev.kind_cluster_plan:
    registry_image: kindest/node:v1.37.0
    built_image: localhost/agentsmith-kind-node:3f786850e387
    binaries_dir: /var/cache/kind-node/bin
    cache_dir: /var/cache
    go_mod: docker/kind-node/go.mod
    kind_version: v0.33.0
    host_address: 127.0.0.1
    host_ports: [30080]
  register: local_cluster_plan
"""

RETURN = r"""
engine:
  description: The engine to use.
  type: str
  returned: success
packages:
  description: Debian packages to install first.
  type: list
  elements: str
  returned: success
ulimits:
  description: Podman's C(default_ulimits), within the limits of this process.
  type: list
  elements: str
  returned: success
cgroup:
  description: Version of the host's cgroups, V(1) for the hybrid form too.
  type: int
  returned: success
source:
  description: V(registry) or V(build).
  type: str
  returned: success
image:
  description: The node image to use.
  type: str
  returned: success
compile:
  description: Whether the binaries have to be compiled.
  type: bool
  returned: success
build:
  description: Whether the node image has to be built.
  type: bool
  returned: success
go:
  description: Path of the Go command; empty if nothing is compiled.
  type: str
  returned: success
kind:
  description: Path of the kind command to use; empty if it has to be downloaded.
  type: str
  returned: success
kubectl:
  description: Path of the kubectl command to use; empty if it has to be downloaded.
  type: str
  returned: success
platform:
  description: Operating system and processor as download sites name them.
  type: str
  returned: success
  sample: linux/amd64
"""
