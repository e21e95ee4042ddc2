#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of agentsmith.platform.verify_release; the work is done in plugins/plugin_utils/verification."""

DOCUMENTATION = r"""
module: verify_release
short_description: Check that a running Agent Smith works
version_added: 1.0.0
description:
  - Checks the running system instead of the manifests, through the API server, and returns the results in one table.
  - Changes nothing, unless O(end_to_end) is set. Pods and Jobs are offered to the API server in a dry run, Redis is
    asked with C(PING) and C(CONFIG GET), the Dispatcher with C(GET /health) and C(url_verification) events, which
    start nothing.
  - A check is V(ok), V(warning), V(failed) or V(not checked), which is no failure. A check is not made if this release
    lacks its subject, if another check already names the cause, if the account has no right to ask, or if no answer
    comes through, for example because the API server does not reach the kubelet.
options:
  objects:
    description:
      - What is meant to run, the complete objects as for M(agentsmith.platform.apply). The live configuration, Redis
        and the signing secret are compared with it.
      - Without it, the live objects are compared with nothing. Requests are then signed with the live Secret's value.
    type: list
    elements: dict
    default: []
  only:
    description:
      - The checks to make, by name or by the part of the stack that they belong to. Empty makes all of them.
      - Of the part V(dispatcher) V(dispatcher_rollout), V(health), V(challenge), V(wrong_signature), V(reachable),
        V(egress_api_server), V(egress_dns), V(egress_redis), V(api_server_port); of
        V(redis) V(redis_rollout), V(redis_ping), V(redis_maxmemory), V(redis_policy), V(redis_persistence); of
        V(secrets) V(secret_keys), V(provider_tokens); of V(config) V(config_map), V(mounted_config); of V(rbac)
        V(access_jobs), V(access_elsewhere), V(access_secrets); of V(namespace) V(pod_security), V(job_admission),
        V(network_policy); of V(job_policy) V(job_policy_installed), V(job_policy_completes), V(job_policy_refuses);
        of V(jobs) V(job_ttl); of V(public) V(public_challenge), V(public_signature), V(route),
        V(certificate). V(end_to_end) stands for all that
        O(end_to_end) does.
    type: list
    elements: str
    choices:
      [dispatcher, redis, secrets, config, rbac, namespace, job_policy, jobs, public, end_to_end,
      dispatcher_rollout, health, challenge, wrong_signature, reachable,
      egress_api_server, egress_dns, egress_redis, api_server_port,
      redis_rollout, redis_ping, redis_maxmemory, redis_policy, redis_persistence,
      secret_keys, provider_tokens,
      config_map, mounted_config,
      access_jobs, access_elsewhere, access_secrets,
      pod_security, job_admission, network_policy,
      job_policy_installed, job_policy_completes, job_policy_refuses,
      job_ttl,
      public_challenge, public_signature, route, certificate]
    default: []
  end_to_end:
    description:
      - Writes a message in the stand-in Slack, in a new channel, and looks on until its Job is gone. It checks the
        delivery, the Job, its progress, its completion, the configuration that it has read, and its removal, as
        V(e2e_delivery), V(e2e_job), V(e2e_progress), V(e2e_completion), V(e2e_configuration) and V(e2e_cleanup).
      - Without this option, no message is written.
    type: dict
    suboptions:
      text:
        description: "The message, for example V(fix #54 in agent-smith-test)."
        type: str
        required: true
      deployment:
        description: Name of the Deployment of the stand-in Slack, in the same namespace.
        type: str
        default: stand-in-slack
      port:
        description: Port that its pod listens on.
        type: int
        default: 8081
      timeout:
        description: Seconds from the message to the end of the work.
        type: int
        default: 180
      cleanup_timeout:
        description:
          - The longest time to live of a Job, in seconds, up to which the task waits for its removal. The app's is 300.
            If the time to live is longer, V(e2e_cleanup) is V(not checked).
        type: int
        default: 60
  url:
    description: Address at which the control node reaches the Dispatcher, without a path. Empty leaves V(reachable)
      out.
    type: str
    default: ""
  public_url:
    description:
      - Address at which Slack reaches the Dispatcher, without a path. The task sends it a signed challenge and a wrong
        signature, as Slack would. Empty leaves that out.
    type: str
    default: ""
  public_ca_file:
    description: Certificates in PEM to trust there instead of the system's, for a private authority in front of it.
    type: path
    default: ""
  timeout:
    description:
      - Seconds to wait for a changed ConfigMap, which the kubelet updates in running pods within two minutes, and for
        an answer at O(url). The task waits up to 20 seconds for new admission policies, and for nothing else.
    type: int
    default: 120
  require_network_policy:
    description: Whether V(network_policy) is V(failed) instead of V(warning) if the network enforces no NetworkPolicy.
    type: bool
    default: false
  app:
    description:
      - The release of the app that runs. It decides the form of the Jobs that are offered to the API server in a dry
        run, and what V(access_jobs) asks for. With V(0.9.2) that is C(get) on Jobs besides C(create).
    type: str
    choices: [be4bffa1, 0.9.2]
    default: be4bffa1
  lost_call:
    description:
      - The call of V(network_policy) that a deploy has made while it waited for its pods, see
        RV(agentsmith.platform.apply#module:transaction.lost_call).
      - It counts if the same containers still run. Otherwise, and with O(require_network_policy), the check makes its
        own call, which takes two seconds.
    type: dict
    default: {}
    suboptions:
      caller:
        description: Id of the container of Redis, which made the call.
        type: str
        default: ''
      called:
        description: Id of the container of the Dispatcher.
        type: str
        default: ''
  holder:
    description:
      - Who holds the lock of the release that is being deployed, see
        RV(agentsmith.platform.apply#module:transaction.holder). The task renews the lock while the checks run.
      - The task then survives an outage of the API server of 90 s.
    type: str
    default: ''
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.control_node
  - agentsmith.platform.control_node.read_only
  - agentsmith.platform.transaction
  - agentsmith.platform.release
  - agentsmith.platform.release.names
attributes:
  check_mode:
    description: Changes nothing, so it does the same in check mode, but leaves O(end_to_end) out.
notes:
  - V(route) and V(certificate) need C(get) on Ingresses, Gateways, routes and Certificates of the namespace. With
    C(list) on IngressClasses and GatewayClasses of the cluster, and C(get) on issuers, they tell more.
  - Needs C(get) on Deployments, ConfigMaps, Secrets and NetworkPolicies, C(list) on pods and Jobs, C(create) on
    C(pods/portforward), C(pods/exec), C(pods) and C(localsubjectaccessreviews) of the namespace, and C(create) on
    C(subjectaccessreviews) of the cluster, and C(list) on EndpointSlices of the namespace C(default). Without one of
    them, the checks that need it are V(not checked) and say so.
  - Port-forward and exec do not support impersonation, so the checks that use them need a connection without it.
seealso:
  - module: agentsmith.platform.slack_event
"""

EXAMPLES = r"""
- name: Ask the running system
  agentsmith.platform.verify_release:
    kubeconfig: "{{ agentsmith_kubeconfig }}"
    context: "{{ agentsmith_context }}"
    namespace: agentsmith
    objects: "{{ release_objects }}"

- name: Have a ticket fixed by the stand-in, and nothing else
  agentsmith.platform.verify_release:
    namespace: agentsmith
    only: [end_to_end]
    end_to_end:
      text: "fix #54 in agent-smith-test"

- name: Ask whether Redis has its limit, without knowing the release
  agentsmith.platform.verify_release:
    namespace: agentsmith
    only: [redis_maxmemory]
"""

RETURN = r"""
checks:
  description: The results. Missing if nothing could be checked at all.
  returned: when the API server answers
  type: list
  elements: dict
  contains:
    check:
      description: Name of the check.
      type: str
    result:
      description: One of V(ok), V(warning), V(failed), V(not checked).
      type: str
    evidence:
      description: What was seen. Values of Secrets are masked.
      type: str
    hint:
      description: What to do about it. Empty if there is nothing to do.
      type: str
table:
  description: The same as text, one line a check.
  returned: when the API server answers
  type: str
conversation:
  description: The messages in the channel, each on a line with its time. Empty without O(end_to_end).
  returned: when the API server answers
  type: str
failed_checks:
  description: Names of the checks that failed.
  returned: when the API server answers
  type: list
  elements: str
not_checked:
  description: Names of the checks that could not be made.
  returned: when the API server answers
  type: list
  elements: str
"""
