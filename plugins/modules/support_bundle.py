#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.support_bundle; the work is done in plugin_utils/reports/support_bundle.py."""

DOCUMENTATION = r"""
module: support_bundle
short_description: Write all that is known about a release to one archive, without a value of a Secret
version_added: 1.0.0
description:
  - Writes one C(tar.gz) on the control node, to send to somebody who helps. It contains the objects of the release with
    their conditions, the events of the namespace, current and previous logs of the pods of the release and of its Jobs,
    what M(agentsmith.platform.verify_release), M(agentsmith.platform.release_status_info) and
    M(agentsmith.platform.release_drift_info) say, the history in the release record, the rendered release, versions,
    and the pressure on the nodes.
  - C(manifest.json) in it lists the files, what was masked and how, what could not be read and why. The collection has
    a JSON Schema for it, C(docs/reference/reports/support_bundle.schema.json).
  - Masks by value. It looks for each value of each Secret that it can read, and of the rendered ones, in every file and
    in the names of files, in the usual encodings. Further it masks what looks like a credential.
  - Of a Secret, it contains the names of the keys, the sizes of the values, and digests whose key exists for this
    bundle alone.
  - Changes nothing in the cluster. It also writes an archive if the release is broken, half deleted or absent, or if
    the API server does not answer. It needs at most two minutes, and says what was missing when the time was up.
options:
  dest:
    description: Directory for the archive, which must exist. A relative path begins at the current directory.
    type: path
    required: true
  objects:
    description: The objects of the release. If the list is empty, the bundle has neither them nor the differences.
    type: raw
    default: []
  rendering_fault:
    description: Why the release could not be rendered. It is noted in the manifest.
    type: str
    default: ""
  app:
    description: Release of the app that runs.
    type: str
    choices: [be4bffa1, 0.9.2]
    default: be4bffa1
  public_url:
    description: Address at which Slack reaches the Dispatcher. If it is empty, nothing is asked there.
    type: str
    default: ""
  public_ca_file:
    description: File with certificates in PEM to trust at O(public_url) instead of the system's.
    type: path
    default: ""
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.release
  - agentsmith.platform.release.instance
  - agentsmith.platform.release.names
attributes:
  check_mode:
    description: Writes the archive in check mode too, because it changes nothing in a cluster.
    support: full
  diff_mode:
    support: none
    description: Shows nothing of the archive.
notes:
  - Needs C(get) and C(list) on what it reads. What it may not read is named in the manifest.
  - If it may not read the Secrets, it masks the values that it knows from O(objects), and what looks like a credential.
    The manifest then names the Secrets that it could not read.
  - The limits in lines, bytes, pods, events and objects are in the manifest.
seealso:
  - module: agentsmith.platform.release_status_info
  - module: agentsmith.platform.verify_release
  - module: agentsmith.platform.release_drift_info
"""

EXAMPLES = r"""
- name: Write a support bundle
  agentsmith.platform.support_bundle:
    dest: ~/bundles
    namespace: agentsmith
    objects: "{{ release_objects }}"
  register: bundle

- name: Say where it is
  ansible.builtin.debug:
    msg: "{{ bundle.text }}"
"""

RETURN = r"""
path:
  description: The archive.
  returned: success
  type: str
bytes:
  description: Its size.
  returned: success
  type: int
manifest:
  description: C(manifest.json) of the archive.
  returned: success
  type: dict
text:
  description: What there is to know about it, for people.
  returned: success
  type: str
"""
