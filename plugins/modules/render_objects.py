#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name, which does the work on the control node."""

DOCUMENTATION = r"""
module: render_objects
short_description: Renders a part of the stack to Kubernetes objects, in memory (internal)
version_added: 1.0.0
description:
  - Checks the variables of a role, renders its templates and returns the objects for a later task. It writes nothing
    and contacts nothing.
  - With O(part) the file C(part.yml) of a role of this collection says what is rendered and checked. Without it the
    other options do.
  - Where the role describes its arguments, the variables are checked against the entry C(render) of
    C(meta/argument_specs.yml), as Ansible itself would do in a task of its own.
  - Templates are rendered as by M(ansible.builtin.template), with C(trim_blocks) and C(lstrip_blocks). A variable
    that is not defined is an error.
  - A template renders one YAML document with one object. A duplicate key, a key that is not a text, and a value that
    JSON does not know are errors. A template that renders nothing leaves its object out.
  - Every object, and the pod template in it, gets the labels C(app.kubernetes.io/name) (the object's name),
    C(app.kubernetes.io/instance), C(app.kubernetes.io/component), C(app.kubernetes.io/part-of=agentsmith) and
    C(app.kubernetes.io/managed-by=agentsmith.platform).
  - The result is hidden from every output at any verbosity, as it may hold a Secret; C(register) hands it on. A
    failure is shown. It quotes no rendered text, and no value of a variable that is checked as O(checks[].secret).
options:
  part:
    description:
      - Name of the role of this collection that is rendered. Its C(part.yml) has the keys O(component), O(templates),
        O(objects) and O(checks) of this module. The label C(app.kubernetes.io/instance) is its variable
        C(<part>_instance).
      - C(checks) may be grouped there, with the key C(when) for the condition under which a group is checked.
      - C(enabled) names the variable that switches the part on. If it is off, there are no objects and no checks.
      - C(configuration) says where C(agentsmith.yml) comes from, which is then checked as by
        M(agentsmith.platform.config_check). Its keys are C(config), C(file) and C(app).
      - C(outputs) are what the tasks after M(agentsmith.platform.render_release) need of the part.
      - Exactly one of O(part) and O(component) is needed.
    type: str
  component:
    description: Value of the label C(app.kubernetes.io/component), the name of the role.
    type: str
  instance:
    description: Value of the label C(app.kubernetes.io/instance). Needed with O(component).
    type: str
  templates:
    description: Files in the C(templates) directory of the role, in the order of the objects returned.
    type: list
    elements: str
    default: []
  objects:
    description:
      - Complete objects, which are labelled and returned behind those of O(templates).
      - Their texts are taken as they are.
    type: raw
    default: []
  checks:
    description:
      - What variables must look like beyond what an argument spec can say.
      - All faults are reported at once, except that O(checks[].that) is asked only when everything else is right.
      - Each has one of O(checks[].shape), O(checks[].matches), O(checks[].value_of), O(checks[].vault),
        O(checks[].certificate_for) and O(checks[].that).
    type: list
    elements: dict
    default: []
    suboptions:
      variable:
        description: Name of the variable; dots lead into a dictionary (V(redis_resources.limits.memory)).
        type: str
        required: true
      shape:
        description: A common shape by its name.
        type: str
        choices:
          [app, cidr, count, dns_label, dns_name, image_reference, label_value, namespace, no_proxy, node_port,
          optional_count, optional_id, optional_proxy, optional_time_to_live, optional_url, pinned_image, port,
          positive, project_name, quantity, tagged_image, token, unprivileged_port]
      matches:
        description: A Python regular expression that must match the whole value.
        type: str
      value_of:
        description:
          - Key of the app's Secret whose value this is, such as V(slack-bot-token). It must look like one, and the
            message says what is wrong with it without quoting it, as with O(checks[].secret).
          - V(*) makes the check for every key. In O(checks[].variable), C(*) is then the key in snake case.
        type: str
      vault:
        description:
          - Name of the Vault variable that this one takes its value from. It must not hold a template that cannot be
            rendered, for which C(default) would take it as not set, nor what Ansible takes for a comment. With
            O(checks[].value_of) that is checked without asking.
        type: str
      certificate_for:
        description:
          - Host that the certificate must be for. It must also be valid, stand before those that issued it, and belong
            to O(checks[].certificate_key); with less than 30 days left it draws a warning.
        type: str
      certificate_key:
        description: Name of the variable with the certificate's private key, which no message quotes.
        type: str
      that:
        description: A condition as in C(when), for how variables fit together.
        type: str
      each:
        description:
          - Whether the values inside a dictionary or list are checked, at any depth, instead of the value itself.
        type: bool
        default: false
      allowed:
        description:
          - What is allowed, in words, for the error message. Required with O(checks[].matches) and O(checks[].that).
        type: str
      secret:
        description:
          - Whether the value is left out of the error message. Such a value must be a text, since YAML reads an
            unquoted V(0123) as 83.
        type: bool
        default: false
extends_documentation_fragment:
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.internal
  - agentsmith.platform.control_node.read_only
seealso:
  - module: agentsmith.platform.apply
  - module: agentsmith.platform.write_manifests
"""

EXAMPLES = r"""
- name: Render the part redis, as roles/redis/part.yml says
  agentsmith.platform.render_objects:
    part: redis
  register: redis_render

- name: Apply it
  agentsmith.platform.apply:
    objects: "{{ redis_render.objects }}"

- name: Render templates of your own
  agentsmith.platform.render_objects:
    component: cache
    instance: agentsmith
    templates: [deployment.yaml.j2, service.yaml.j2]
    checks:
      - {variable: cache_image, shape: image_reference}
      - variable: cache_maxmemory
        matches: '[1-9][0-9]*(kb|mb|gb)'
        allowed: a whole number of kb, mb or gb, as Redis writes it (256mb)
  register: cache_render
"""

RETURN = r"""
objects:
  description: The objects, in the order of O(templates). No output shows them.
  returned: success
  type: list
  elements: dict
findings:
  description: As of M(agentsmith.platform.config_check), and with it C(verdict), C(error_count) and C(warning_count).
  returned: when the part checks the configuration
  type: list
  elements: dict
required_secrets:
  description: As of M(agentsmith.platform.config_check).
  returned: when the part checks the configuration
  type: list
  elements: dict
"""
