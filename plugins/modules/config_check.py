#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.config_check; the work is done in plugins/action/config_check.py."""

DOCUMENTATION = r"""
module: config_check
short_description: Check the configuration of Agent Smith before it is deployed
version_added: 1.0.0
description:
  - Checks C(agentsmith.yml) against what the app at Phase 19 reads, needs and ignores.
  - The app ignores unknown keys and fails later, at a C(list) in Slack, or at a C(fix), which may say nothing there.
    This module finds all of it at once, with file, line and key path, and names the allowed values.
  - Tells which keys of the Kubernetes Secret the configuration needs, and which of them the spawned Jobs can see.
  - Values of variables are reported with the inventory file and line that they come from.
  - An error is something on which the app fails, or works with another address than is written.
  - A warning works, but differently than one may think.
  - Between them stand refusals by policy, with which the app works. O(allow) switches them off.
  - The rules are listed in C(docs/reference/config-check.md); editors can use C(docs/agentsmith.schema.json).
options:
  config:
    description:
      - The configuration as a dictionary.
      - Exactly one of O(config) and O(file) is needed.
    type: dict
  file:
    description:
      - The configuration as a YAML file on the control node.
      - A relative path is searched for like the O(ansible.builtin.copy#module:src) of M(ansible.builtin.copy).
    type: path
  app:
    description:
      - Which of the app's releases the file is for, V(be4bffa1) or V(0.9.2).
      - V(0.9.2) reads some keys differently. The page C(docs/reference/config-check.md) says which.
    type: raw
    default: be4bffa1
  allow:
    description:
      - Policies that are switched off. Their findings become warnings.
      - V(coding_principles_path) is a file that only an agent image of your own has. An error without it.
      - V(duplicate) is a key that stands twice, V(merge_key) a YAML merge key, V(negative) a negative number.
      - V(secret_in_clear) is a secret in clear text, also a password in an address.
      - V(unencrypted) is an address with C(http).
    type: list
    elements: str
    choices: [coding_principles_path, duplicate, merge_key, negative, secret_in_clear, unencrypted]
    default: []
  fail_on_warnings:
    description: Whether warnings make the task fail as well.
    type: bool
    default: false
extends_documentation_fragment:
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.read_only
seealso:
  - name: JSON Schema of agentsmith.yml
    description: The same tables, for editors.
    link: https://github.com/agentsmith-platform/agentsmith.platform/blob/main/docs/agentsmith.schema.json
"""

EXAMPLES = r"""
- name: Check the configuration of the inventory
  agentsmith.platform.config_check:
    config: "{{ config_agentsmith }}"

- name: Check a file, and accept no warning either
  agentsmith.platform.config_check:
    file: agentsmith.yml
    fail_on_warnings: true

- name: Find out which keys the Secret needs
  agentsmith.platform.config_check:
    config: "{{ config_agentsmith }}"
  register: config_check

- name: Show them
  ansible.builtin.debug:
    msg: "{{ config_check.required_secrets | map(attribute='key') }}"
"""

RETURN = r"""
verdict:
  description:
    - What the release makes of the file. V(refused) means that the app fails on it, and there are errors.
    - V(misread) means that the app works, but otherwise than the file says. A warning C(misread) says where.
  returned: always
  type: str
  sample: works
findings:
  description: Everything that was found, in the order of the file. Quotes no token.
  returned: always
  type: list
  elements: dict
  contains:
    severity:
      description: V(error), V(policy) or V(warning).
      type: str
      sample: error
    code:
      description: Stable name of the rule.
      type: str
      sample: unknown_type
    path:
      description: Path of the key, empty for the document as such.
      type: str
      sample: projects.my-api.source.type
    message:
      description: What is wrong, what is allowed, what to do.
      type: str
      sample: '"GitHubb" is not known to the app; allowed, in any case: GitHub, GitLab, AzureRepos, Local'
    file:
      description: Where it was written, if that is known.
      type: str
      sample: inventories/prod/group_vars/all/config.yml
    line:
      description: Line, from 1, if that is known.
      type: int
      sample: 12
    column:
      description: Column, from 1, if that is known.
      type: int
      sample: 13
error_count:
  description: Number of errors.
  returned: always
  type: int
  sample: 0
policy_count:
  description: Number of refusals by policy.
  returned: always
  type: int
  sample: 0
warning_count:
  description: Number of warnings.
  returned: always
  type: int
  sample: 1
addresses:
  description:
    - What the app asks for each project, by the rules of V(be4bffa1).
    - The app builds these addresses from parts of what is written, so compare them with what you mean.
    - The number of the ticket is 1. Passwords and tokens are left out.
  returned: always
  type: list
  elements: dict
  contains:
    project:
      description: Name of the project.
      type: str
      sample: my-api
    tickets:
      description:
        - Where the app asks for the ticket, V(null) if it fails before that.
        - For Azure DevOps, the address of the organization and the name of the project.
      type: str
      sample: https://api.github.com/repos/acme/my-api/issues/1
    clone:
      description: What the app clones, V(null) if it clones nothing or fails before that.
      type: str
      sample: https://github.com/acme/my-api.git
    pull_requests:
      description:
        - Where the app opens the pull request, V(null) if it opens none or fails before that.
        - For Azure Repos, the address of the organization and the names of project and repository.
      type: str
      sample: https://api.github.com/repos/acme/my-api/pulls
required_secrets:
  description: Keys of the Kubernetes Secret that the configuration needs.
  returned: always
  type: list
  elements: dict
  contains:
    key:
      description: Key in the Secret.
      type: str
      sample: github-token
    variable:
      description: Environment variable that it becomes.
      type: str
      sample: GITHUB_TOKEN
    dispatcher:
      description: Whether the Dispatcher reads it, for C(list) and C(create).
      type: bool
      sample: true
    jobs:
      description: Whether the Jobs read it, for C(fix).
      type: bool
      sample: true
    reaches_jobs:
      description: Whether the spawned Jobs get it at all at this version of the app.
      type: bool
      sample: true
    reasons:
      description: The first settings that call for it.
      type: list
      elements: str
      sample: ["projects.my-api.tickets.type: GitHub"]
"""
