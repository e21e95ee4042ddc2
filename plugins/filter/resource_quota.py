# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter `resource_quota`: the hard limits of a ResourceQuota that a release and a number of Jobs fit into."""

DOCUMENTATION = r"""
name: resource_quota
short_description: The hard limits of a ResourceQuota for a release and a number of Jobs
version_added: 1.0.0
author: Agent Smith platform maintainers (@agentsmith-platform)
description:
  - Adds up what the workloads of a release request at the worst moment of a rollout, and what a number of Jobs request
    beside them.
  - A Deployment that rolls counts twice its replicas, as an old pod counts until it has ended; one with the strategy
    C(Recreate), a StatefulSet and a ReplicaSet count their replicas.
  - A Job counts its C(parallelism), a CronJob that of one Job, a Pod and a DaemonSet one pod. On how many nodes a
    DaemonSet runs, only the cluster knows.
  - While nothing rolls, further Jobs can use the room for a rollout. The result says how many then run.
  - A container counts with its requests; without them, with its limits; without these, with the defaults of the
    LimitRange.
positional: _input
options:
  _input:
    description: The objects of the release. Those of other kinds do not count.
    type: list
    elements: dict
    required: true
  jobs:
    description: How many Jobs run at the same time.
    type: int
    required: true
  job_requests:
    description: What the pod of a Job requests, with the keys C(cpu) and C(memory).
    type: dict
    required: true
  job_objects:
    description: How many Jobs may exist, running, waiting and ended.
    type: int
    required: true
  default_requests:
    description: What a container without requests and limits requests.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show what ten Jobs beside the release need
  ansible.builtin.debug:
    msg: "{{ release_objects | agentsmith.platform.resource_quota(jobs=10, job_requests=a_job, job_objects=100) }}"
  vars:
    a_job: {cpu: 250m, memory: 512Mi}
  # {'hard': {'requests.cpu': '2800m', 'requests.memory': '5760Mi', 'pods': '13', 'count/jobs.batch': '100'},
  #  'jobs_at_rest': 10}
"""

RETURN = r"""
_value:
  description: The limits, and the Jobs that fit into them.
  type: dict
  contains:
    hard:
      description: The limits, as C(spec.hard) of a ResourceQuota has them.
      type: dict
    jobs_at_rest:
      description: How many Jobs run at the same time while nothing rolls. At any other time it is O(jobs).
      type: int
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils.render.resource_quota import hard_limits, jobs_at_rest


def resource_quota(
    objects: Sequence[Mapping[str, Any]],
    jobs: Any,
    job_requests: Mapping[str, str],
    job_objects: Any,
    default_requests: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Add up; see DOCUMENTATION."""
    try:
        hard = hard_limits(objects, int(jobs), job_requests, int(job_objects), default_requests or {})
        return {"hard": hard, "jobs_at_rest": jobs_at_rest(hard, objects, job_requests, default_requests or {})}
    except (KeyError, TypeError, ValueError) as error:
        raise AnsibleFilterError(f"agentsmith.platform.resource_quota: {type(error).__name__}: {error}") from None


class FilterModule:
    """The filter plugin that Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters of this file by name."""
        return {"resource_quota": resource_quota}
