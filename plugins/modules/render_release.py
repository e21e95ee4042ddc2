#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name, which does the work on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: render_release
short_description: Renders the parts of a release, in one task
version_added: 0.1.0
author:
  - Agent Smith platform maintainers (@agentsmith-platform)
description:
  - Runs the tasks in C(tasks/render.yml) of several roles of this collection, in one process, which is quicker than a
    task for each of them. It writes nothing. It contacts nothing either, but for what the O(checks) read.
  - Each part has the name of its role for a tag. C(--tags) and C(--skip-tags) leave parts out, so the task itself has
    the tag C(always).
  - The variables in C(defaults/main.yml) of the roles give way to all others, as in a play with these roles; those in
    C(vars/main.yml), which are their own, win over all others. Other tasks see none of them, but those that
    O(variables) names.
  - The result is hidden from every output at any verbosity, as it may hold a Secret; C(register) hands it on. A fault
    of a part ends the task, with the message of M(agentsmith.platform.render_objects),
    M(agentsmith.platform.config_check) or M(agentsmith.platform.secret_keys_check), which quotes no secret.
options:
  parts:
    description:
      - The names of the roles, in the order in which they are rendered.
      - A part finds in C(release_objects) what those before it rendered.
      - C(release_can_be_added_up) tells the last one whether that is all there is.
    type: list
    elements: str
    required: true
  conditions:
    description: Of those of the O(parts) that a release may do without, what has to hold for them, as an expression
      that is true or false. Where it does not hold, a part has no objects, and its variables are not checked.
    type: dict
    default: {}
  checks:
    description:
      - Roles that check the release when it is rendered, each with a list of the parts that it compares.
        Where a tag has left one of these parts out, the check is left out, too.
      - The tasks of such a role find the result of this module in C(release_render), as later tasks do.
    type: dict
    default: {}
  in_full:
    description: Whether all O(parts) are rendered, whatever C(--tags) and C(--skip-tags) say.
    type: bool
    default: false
  variables:
    description: Names of variables of the O(parts) whose values later tasks need.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - kubernetes.core.k8s_auth_options
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.read_only
seealso:
  - module: agentsmith.platform.render_objects
  - module: agentsmith.platform.config_check
  - module: agentsmith.platform.secret_keys_check
"""

EXAMPLES = r"""
- name: Render the release
  agentsmith.platform.render_release:
    parts: [redis, job_policy]
    conditions:
      job_policy: job_policy_enabled
    variables: [job_policy_enabled]
  register: release_render
  tags: [always]

- name: Render the release and check it
  agentsmith.platform.render_release:
    parts: [secrets, config]
    checks:
      preflight: [secrets, config]
  vars:
    preflight_required_secrets: "{{ release_render.required_secrets }}"
    preflight_secret_keys: "{{ release_render.parts.secrets[0].data | list }}"
  register: release_render
  tags: [always]
"""

RETURN = r"""
parts:
  description: The objects of every part that was rendered, by the part's name. No output shows them.
  returned: success
  type: dict
complete:
  description: Whether no part was left out by C(--tags) or C(--skip-tags).
  returned: success
  type: bool
variables:
  description: The values of O(variables).
  returned: success
  type: dict
required_secrets:
  description: The result of the same name of M(agentsmith.platform.config_check).
  returned: when the part config was rendered
  type: list
  elements: dict
"""
