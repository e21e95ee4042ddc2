#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

DOCUMENTATION = r"""
module: apply
short_description: Apply or delete a list of Kubernetes objects in one task
version_added: 1.0.0
description:
  - Reads what is live, compares, and writes what differs by server-side apply with the field manager
    C(agentsmith.platform). An object that already has what is desired is not written.
  - Writes the objects in waves, those of a wave at the same time. First Namespaces; then policies, quotas,
    ServiceAccounts and RBAC; then Secrets and ConfigMaps that do not exist yet; then Services and workloads; then
    routes; last the ConfigMaps that exist, because a running Dispatcher reads them at once.
  - Replaces the pods of a Deployment, StatefulSet or DaemonSet if the value of a Secret's key that they read changes;
    see O(roll_on_secret_change).
  - Costs one request for an unchanged object and two for a changed one. Three more read the server's version and kinds.
    With O(prune) or O(transaction), one list reads up to 500 objects of a kind. Secrets, kinds that may not be listed
    and objects without the labels of the release still cost one request each. Each Secret that workloads read and that
    is not among the objects costs one. If something is to be written, the schema of each API group costs one. A dry run
    is added only if the server alone can tell whether an object differs.
  - Objects that are to be written are checked against the server's OpenAPI schema before the first write.
  - Retries requests that are answered with 429, 500, 502, 503 or 504 (honouring Retry-After) and connections that are
    refused or dropped. Gives up after 10 seconds if the API server never answers, and after 90 if it stops answering
    during the run.
  - Values of Secrets never appear in results, diffs, warnings or errors, in any encoding.
options:
  objects:
    description:
      - The complete objects, each with C(apiVersion), C(kind) and C(metadata.name), and C(metadata.namespace) if its
        kind has one.
      - A key without a value (C(null)) counts as not stated. C(stringData) of a Secret is sent as C(data).
      - Fields that were applied before and are no longer stated are removed from the object in the cluster.
    type: list
    elements: dict
    required: true
  state:
    description:
      - V(present) applies the objects, V(absent) deletes them, in the opposite order.
      - If Kubernetes refuses to change a Job or a Pod, it is deleted and made again, with a warning. A dry run has
        shown before that the new one is valid.
    type: str
    choices: [present, absent]
    default: present
  wait:
    description:
      - Whether to wait until Deployments, StatefulSets, DaemonSets and ReplicaSets are rolled out, Jobs complete and
        Pods ready or succeeded, or deleted objects are gone.
      - Gateways, routes of the Gateway API, Ingresses and Certificates of cert-manager are waited for until their
        controllers serve them, if this run changes one of them. A refusal fails in the controller's words. If no
        controller answers for 10 s, or the cluster has none, the task warns and goes on.
      - Objects of other kinds are not waited for.
      - The wait ends as soon as waiting cannot help, for example if an image does not exist, a container crashes
        repeatedly, a quota refuses the pods, a volume cannot be mounted for 60 s or a pod finds no node for 120 s. The
        message then quotes the pod's events and the end of its log.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait for all objects together, in seconds.
    type: int
    default: 300
  force_conflicts:
    description:
      - Whether to take fields that other field managers own. On objects that carry the labels of this installation
        (C(app.kubernetes.io/managed-by) and C(app.kubernetes.io/instance)) they are always taken over, and the former
        owner is reported.
    type: bool
    default: false
  adopt:
    description:
      - Whether to take over objects that another tool made, such as C(kubectl apply), Helm or Argo CD. Without it, the
        task is refused before its first write if other field managers own fields that the objects state.
      - Of objects that lack the labels of this installation, the fields of these managers become ours. What they
        stated and the objects do not is removed. Nothing else is deleted. Of a C(Namespace), only what is stated is
        taken over.
      - A warning lists the objects, the managers, what is removed, and the objects of these managers that stay.
    type: bool
    default: false
  roll_on_secret_change:
    description:
      - Whether Deployments, StatefulSets and DaemonSets roll when a value changes that their pods read from a Secret,
        by environment variables (C(secretKeyRef), C(secretRef)) or as files (volumes, also projected ones). Other keys
        of the same Secret roll nothing. The Secret may be among the objects or be external.
      - A StatefulSet or DaemonSet with the update strategy C(OnDelete) does not roll. The template of a CronJob
        changes, for its next Job. A Job, a Pod and a ReplicaSet are left alone.
      - The pod template gets the annotation C(agentsmith.platform/secret-digest) for that. Its value says that
        something changed and, without the right to read the Secret, nothing about what it was or is.
      - A Secret that is deleted and created again rolls its readers once, even with equal values. So does the first run
        with this option, and the run that switches it off.
      - If no Secret will have a key that is needed, not C(optional), the run fails before the first write; in check
        mode it warns. Switch the option off if another controller creates the Secret afterwards.
    type: bool
    default: true
  prune:
    description:
      - The release whose objects are deleted if they are not among O(objects). They are deleted last, after everything
        else is done and ready, and shown in check mode and diff mode like all others.
      - Found by the labels C(app.kubernetes.io/managed-by=agentsmith.platform) and C(app.kubernetes.io/instance), among
        the kinds that this collection renders and those of O(objects). An object without a namespace must name that of
        the release in its label C(agentsmith.platform/namespace).
      - Never touched are Namespaces, Jobs, objects that another object owns, and those of other instances.
      - A Secret, ConfigMap, ServiceAccount or volume claim that O(objects) still name is not deleted. It loses the
        labels of the release and the record of our fields, and counts as V(updated), with a warning.
      - Costs one request a kind whose objects were not listed before, which reads metadata only. A kind that may not be
        listed is left alone, with a warning if O(objects) has one of that kind.
    type: dict
    suboptions:
      namespace:
        description: Namespace of the release.
        type: str
        required: true
      instance:
        description: Value of the label C(app.kubernetes.io/instance).
        type: str
        required: true
      component:
        description:
          - Value of the label C(app.kubernetes.io/component), to prune one part alone. Without it, an empty list of
            objects is refused.
        type: str
        default: ''
  transaction:
    description:
      - Makes the task the first part of a deploy that ends with M(agentsmith.platform.commit_release) or
        M(agentsmith.platform.restore_release). If something has to be done, the task locks the release and plans again.
        It keeps the lock if it succeeds, and releases it if it fails.
      - If nothing has to be done, it locks and writes nothing, and RV(transaction.opened) is false.
      - This task does not prune a complete release; the commit does.
  minimum_kubernetes:
    description:
      - The oldest version of Kubernetes to accept, for example V("1.30"), in quotes. An older API server is refused
        before the first write.
    type: str
extends_documentation_fragment:
  - agentsmith.platform.connection
  - agentsmith.platform.transaction
  - agentsmith.platform.transaction.drain
  - agentsmith.platform.control_node
attributes:
  check_mode:
    description: Can run without writing to the cluster and predict the result.
    support: full
    details:
      - By a dry run on the server. Objects of a namespace that the same run would create are checked against the
        server's OpenAPI schema instead, which finds wrong fields and types but knows nothing of quota, Pod Security,
        webhooks or of rules across fields.
  diff_mode:
    description: Shows what is changed, or would be in check mode.
    support: full
    details:
      - For created, updated and deleted objects. Values of Secrets are replaced by a digest with a key that is made
        for the run, which shows that a value differs. Server bookkeeping and status are left out.
  idempotent:
    description: A second run with the same objects changes nothing.
    support: full
notes:
  - C(no_log) is not needed for this task. The task that creates the objects needs it, unless its result hides itself,
    as that of M(agentsmith.platform.render_objects) does.
  - An object that was made with client-side C(kubectl apply) keeps the fields that kubectl owns when they are no longer
    stated here. Its annotation with a copy of the object is removed, and a warning says so.
seealso:
  - module: agentsmith.platform.render_objects
  - module: agentsmith.platform.commit_release
  - module: agentsmith.platform.restore_release
  - module: kubernetes.core.k8s
"""

EXAMPLES = r"""
- name: Apply the release
  agentsmith.platform.apply:
    kubeconfig: "{{ agentsmith_kubeconfig }}"
    context: "{{ agentsmith_context }}"
    objects: "{{ release_objects }}"
    minimum_kubernetes: "1.30"

- name: Apply the release, and delete what it no longer has
  agentsmith.platform.apply:
    objects: "{{ release_objects }}"
    prune:
      namespace: "{{ agentsmith_namespace }}"
      instance: "{{ agentsmith_instance | default('agentsmith') }}"

- name: Apply one object from inside a cluster, without waiting
  agentsmith.platform.apply:
    wait: false
    objects:
      - apiVersion: v1
        kind: ConfigMap
        metadata:
          name: agentsmith-config
          namespace: agentsmith
        data:
          agentsmith.yml: "{{ config_agentsmith | to_nice_yaml }}"

- name: Remove the release
  agentsmith.platform.apply:
    objects: "{{ release_objects }}"
    state: absent
"""

RETURN = r"""
objects:
  description:
    - What became of each object, in the order in which they were given, then of those that were pruned. Never the
      object itself.
    - If the task failed, only the objects that it changed.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the object.
      type: str
    namespace:
      description: Namespace of the object, null for an object that belongs to none.
      type: str
    name:
      description: Name of the object.
      type: str
    result:
      description: One of V(created), V(updated), V(unchanged), V(deleted), V(absent).
      type: str
    fields:
      description: Paths of the fields that were different. Empty for objects that were created or deleted.
      type: list
      elements: str
      sample: ["spec.template.spec.containers[name=redis].image", "data[agentsmith.yml]"]
    former_owners:
      description: The field managers that fields were taken over from, each with C(manager) and C(fields).
      type: list
      elements: dict
      returned: when there were any
    changed_keys:
      description: Names of the keys of a Secret whose value is new, different or gone.
      type: list
      elements: str
      returned: for a Secret that was updated
      sample: [github-token]
    secret_keys:
      description:
        - What the pods of a workload read from Secrets. The workload rolled for it if RV(objects[].fields) names the
          annotation.
      type: list
      elements: dict
      returned: for a workload that reads any
      contains:
        secret:
          description: Name of the Secret.
          type: str
        names:
          description: Names of the keys that are read.
          type: list
          elements: str
        changed:
          description:
            - Names of the keys whose value this run changes. Keys that somebody else, or an earlier run that failed,
              changed before are not among them.
          type: list
          elements: str
    last_applied_removed:
      description: Whether the annotation of client-side kubectl apply was removed.
      type: bool
      returned: when it was
transaction:
  description: How far the transaction is.
  returned: with O(transaction)
  type: dict
  contains:
    opened:
      description: Whether anything is to be done, in check mode too.
      type: bool
    started:
      description: Whether the run started to write under the lock, so that a failure has to be undone.
      type: bool
    holder:
      description:
        - The name under which the run took the lock. It holds the lock until M(agentsmith.platform.commit_release) or
          M(agentsmith.platform.restore_release) releases it. A run that failed has released it already. Empty if the
          run did not take the lock.
      type: str
      sample: deployer@build-7 run 9f3c1a20
    lost_call:
      description:
        - The call of Redis to the Dispatcher that vanished while the run waited for their pods, with the ids of the
          containers as C(caller) and C(called). M(agentsmith.platform.verify_release) takes it. Empty if there was
          none.
      type: dict
requests:
  description: How many requests were sent, repetitions included.
  returned: always
  type: dict
  contains:
    read:
      description: Reads, those of discovery and of waiting included.
      type: int
    write:
      description: Writes. Zero when nothing was to be changed, and in check mode.
      type: int
    dry_run:
      description: Writes that the server only tried.
      type: int
"""
