#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.write_report; the work is done in plugin_utils/reports/report_file.py."""

DOCUMENTATION = r"""
module: write_report
short_description: Write what status, drift, history or verify found out to a file (internal)
version_added: 1.0.0
description:
  - Collects a registered result of all hosts of the play and writes it to a file on the control node, as JSON with one
    key for each host, or the checks of verify as JUnit XML.
  - A host whose task failed, for example because its API server did not answer, has the key C(error) with the message
    instead. Hosts without a result are left out.
  - The file contains no value of a Secret, and only you can read it.
options:
  path:
    description: The file. Its directory must exist. A relative path begins at the current directory.
    type: path
    required: true
  registered:
    description: Name of the variable in which the hosts have their result.
    type: str
    required: true
  report:
    description: Which module the result is of.
    type: str
    required: true
    choices:
      status: M(agentsmith.platform.release_status_info).
      jobs: M(agentsmith.platform.release_jobs_info).
      drift: M(agentsmith.platform.release_drift_info).
      history: M(agentsmith.platform.release_history_info).
      verify: M(agentsmith.platform.verify_release).
  format:
    description: Form of the file.
    type: str
    choices:
      json: JSON. The collection's C(docs/reference/reports) has a JSON Schema for each report.
      junit: JUnit XML, with a suite for each host and a case for each check. Only for verify.
    default: json
extends_documentation_fragment:
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.internal
attributes:
  check_mode:
    description: Writes the file in check mode too, because it changes nothing in a cluster.
    support: full
  diff_mode:
    support: none
    description: Shows nothing of the file.
seealso:
  - module: agentsmith.platform.verify_release
"""

EXAMPLES = r"""
- name: Write the checks for a CI system
  agentsmith.platform.write_report:
    path: verify.xml
    registered: verify_result
    report: verify
    format: junit
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
hosts:
  description: The hosts whose report is in it.
  returned: success
  type: list
  elements: str
"""
