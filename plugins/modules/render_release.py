#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: render_release
short_description: Renders the parts of a release, in one task (internal)
version_added: 1.0.0
description:
  - Renders several roles of this collection, as their C(part.yml) says, in one process, which is quicker than a task
    for each of them. It writes nothing. It contacts nothing either, unless O(preflight) has a Secret to read.
  - Each part has the name of its role for a tag. C(--tags) and C(--skip-tags) leave parts out, so the task itself has
    the tag C(always).
  - The variables in C(defaults/main.yml) of the roles give way to all others, as in a play with these roles; those in
    C(vars/main.yml), which are their own, win over all others. Other tasks see none of them, but RV(outputs).
  - The result is hidden from every output at any verbosity, as it may hold a Secret; C(register) hands it on. A fault
    of a part ends the task, with the message of M(agentsmith.platform.render_objects),
    M(agentsmith.platform.config_check) or M(agentsmith.platform.secret_keys_check), which quotes no secret.
options:
  parts:
    description:
      - The names of the roles, in the order in which they are rendered. Without any, only O(verified) has an effect.
      - A part finds in the variable C(objects_of_other_parts) what those before it rendered. It is empty if one of them
        was left out.
    type: list
    elements: str
    required: true
  in_full:
    description: Whether all O(parts) are rendered, whatever C(--tags) and C(--skip-tags) say.
    type: bool
    default: false
  preflight:
    description:
      - Whether the Secret is compared with what the configuration and the Dispatcher need, as the role C(preflight)
        does. This includes the Secret with the certificate, if another tool makes it.
      - If C(--tags) or C(--skip-tags) leave out one of the parts C(secrets) and C(config), nothing is compared.
    type: bool
    default: false
  verified:
    description:
      - Whether the role C(verify) verifies the release later in the same play. Its variables are then checked as well,
        so that a typing error in one of them changes nothing in the cluster.
      - If C(--tags) or C(--skip-tags) leave out a part, nothing is verified, and they are not checked.
    type: bool
    default: false
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.internal
  - agentsmith.platform.control_node.read_only
seealso:
  - module: agentsmith.platform.render_objects
  - module: agentsmith.platform.config_check
  - module: agentsmith.platform.secret_keys_check
"""

EXAMPLES = r"""
- name: Render two parts
  agentsmith.platform.render_release:
    parts: [redis, job_policy]
  register: release_render
  tags: [always]

- name: Say whether policies complete the Jobs
  ansible.builtin.debug:
    msg: "{{ release_render.outputs.job_policy }}"
"""

RETURN = r"""
objects:
  description: The objects of all parts that were rendered, in the order of O(parts). No output shows them.
  returned: success
  type: list
  elements: dict
complete:
  description: Whether no part was left out by C(--tags) or C(--skip-tags).
  returned: success
  type: bool
outputs:
  description:
    - What the O(parts) tell later tasks, whether they were rendered or not. The C(part.yml) of a part states them.
  returned: success
  type: dict
  contains:
    app:
      description: Of the part C(dispatcher), which of the app's releases runs.
      type: str
    job_policy:
      description: Of the part C(job_policy), whether admission policies complete the Jobs.
      type: bool
    public_url:
      description: Of the part C(dispatcher), where Slack reaches it.
      type: str
    required_secrets:
      description: Of the part C(dispatcher), the keys of the Secret that it needs beside those of the configuration.
      type: list
      elements: dict
    secret_name:
      description: Of the part C(secrets), the Secret that the Dispatcher and its Jobs read.
      type: str
    tls_host:
      description: Of the part C(dispatcher), the host that a certificate must be for.
      type: str
    tls_secret_name:
      description: Of the part C(dispatcher), the Secret with the certificate if another tool makes it, else empty.
      type: str
"""
