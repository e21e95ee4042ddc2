#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.release_drift_info; the work is done in plugin_utils/reports/drift.py."""

DOCUMENTATION = r"""
module: release_drift_info
short_description: Show how a cluster differs from a release, and who changed it
version_added: 1.0.0
description:
  - Compares the objects of a release with the cluster. It reports what a deploy would change, which are fields that
    differ, objects that are missing, and extra objects, which carry the labels of the release but are not among its
    objects. Apart from that it reports what others added, or rewrite in admission, and a deploy keeps.
  - Names the field manager that wrote a field and when, as the API server recorded it. A field that has been removed
    has no owner.
  - Writes nothing. If only the server can tell whether a value is the same, it asks by a server-side dry run.
  - Of a Secret it shows the names of the keys, and a digest that shows that a value differs. The digest changes with
    each run. Values of Secrets that other objects quote are masked.
options:
  objects:
    description: The release as M(agentsmith.platform.render_objects) gives it, all parts together.
    type: raw
    required: true
  ignore_managers:
    description:
      - Field managers whose fields are not reported, for example V(vpa-recommender). C(*) stands for any text.
      - What the cluster's own controllers add is never reported.
    type: list
    elements: str
    default: []
  ignore_paths:
    description:
      - Fields that are not reported, with all that is below them, as the report writes them. C(*) stands for any text.
      - A path may begin with the kind of an object, or with its kind and name, and a colon, for example
        V(Deployment/agentsmith-dispatcher:spec.replicas).
      - The default is what C(kubectl rollout restart) leaves behind.
    type: list
    elements: str
    default: ["spec.template.metadata.annotations[kubectl.kubernetes.io/restartedAt]"]
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.read_only
  - agentsmith.platform.release
  - agentsmith.platform.release.instance
notes:
  - Needs C(get) on the objects, Secrets among them, and C(patch) if a dry run is needed. Extra objects are looked for
    among all kinds that the account may C(list); the others are named in RV(drift.not_looked_at).
  - A target that does not answer, or does not accept the credentials, is unreachable, so that C(ansible-playbook) ends
    with 4 for it.
  - A kind that the server fails to list, because something else in the cluster is broken, is named there as well. It is
    an error if the release has objects of that kind.
  - Fields that controllers of the cluster write beside the release are no drift, and neither is the status of an
    object.
seealso:
  - module: agentsmith.platform.apply
  - module: agentsmith.platform.release_status_info
"""

EXAMPLES = r"""
- name: Compare the cluster with the release
  agentsmith.platform.release_drift_info:
    kubeconfig: "{{ agentsmith_kubeconfig }}"
    objects: "{{ release_objects }}"
    namespace: agentsmith
  register: found

- name: Show what differs
  ansible.builtin.debug:
    msg: "{{ found.text }}"
"""

RETURN = r"""
drift:
  description: What was found.
  returned: success
  type: dict
  contains:
    in_sync:
      description: Whether a deploy would change nothing.
      type: bool
    namespace:
      description: The namespace.
      type: str
    server:
      description: URL of the API server.
      type: str
    compared:
      description: Number of objects of the release.
      type: int
    objects:
      description:
        - The objects that differ, each with C(api_version), C(kind), C(namespace), C(name), C(state) and C(fields).
        - The state is one of V(missing), V(changed), V(kept), V(extra), V(terminating). V(kept) means that a
          deploy keeps all that differs.
        - Each field has C(path), C(wanted) and C(live) (null where there is no such field), C(restored), which tells
          whether the next deploy sets it back, and C(manager), C(operation), C(subresource) and C(time) of who wrote
          the live value, empty where nobody owns it.
      type: list
      elements: dict
    not_looked_at:
      description: Kinds that may not be listed.
      type: list
      elements: str
summary:
  description: The same in one line.
  returned: success
  type: str
text:
  description: The same for people.
  returned: success
  type: str
requests:
  description: Numbers of requests sent, by C(read), C(write) and C(dry_run).
  returned: success
  type: dict
"""
