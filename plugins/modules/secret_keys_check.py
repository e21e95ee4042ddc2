#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

DOCUMENTATION = r"""
module: secret_keys_check
short_description: Check that a Secret has the keys that a configuration needs (internal)
version_added: 1.0.0
description:
  - Compares the names of the keys of a Secret with what agentsmith.yml calls for. A key that is missing is an error, a
    key of a provider that nothing uses a warning. All of it is reported at once.
  - Without O(keys) the Secret is one that others made. It is read from the cluster, in one request, and must also have
    what the Dispatcher needs in any case. Its values are compared with what the app can work with, and appear nowhere.
  - With O(tls_secret) the Secret with the certificate of the way in is read, too. It must be of the type
    C(kubernetes.io/tls), with a certificate for O(tls_host) that is valid, stands before those that issued it and has
    its own key with it. Less than 30 days left are a warning, and so is a Secret that may not be read.
options:
  namespace:
    description: Namespace of the Secret.
    type: str
    required: true
  name:
    description: Name of the Secret.
    type: str
    required: true
  required:
    description: The result RV(agentsmith.platform.config_check#module:required_secrets).
    type: list
    elements: dict
    required: true
  keys:
    description:
      - The names of the keys that the Secret is going to have.
      - Without it the live Secret is read.
    type: list
    elements: str
  report_unused:
    description: Whether keys that nothing uses draw a warning.
    type: bool
    default: true
  tls_secret:
    description: Name of a Secret with a certificate that others make. Empty where there is none.
    type: str
    default: ""
  tls_host:
    description: Host that the certificate must be for.
    type: str
    default: ""
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.internal
  - agentsmith.platform.control_node.read_only
seealso:
  - module: agentsmith.platform.config_check
"""

EXAMPLES = r"""
- name: Find out what the configuration needs
  agentsmith.platform.config_check:
    file: agentsmith.yml
  register: config_check

- name: Check a Secret that External Secrets makes
  agentsmith.platform.secret_keys_check:
    namespace: agentsmith
    name: agentsmith-external
    required: "{{ config_check.required_secrets }}"
"""

RETURN = r"""
unused:
  description: Keys of providers that the Secret has and nothing in the configuration uses.
  returned: success
  type: list
  elements: str
  sample: [openai-api-key]
"""
