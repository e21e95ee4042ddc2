# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions that open, commit or undo a deploy have in common."""


class ModuleDocFragment:
    """Goes with plugin_utils/actions/transaction_options.py. C(agentsmith.platform.transaction.drain) is the second."""

    DOCUMENTATION = r"""
options:
  transaction:
    description:
      - The release, and how it is locked. All tasks of a deploy get the same value.
      - The lock is a C(Lease) in the namespace, named after the instance (C(agentsmith-release)). The last good
        release, the one before it, and the history of the release are recorded in a C(Secret) of the same name.
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
      labels:
        description: Labels of the lock and of the record of the release beside its own, where a cluster demands some.
        type: dict
        default: {}
      annotations:
        description: Annotations of the lock and of the record of the release.
        type: dict
        default: {}
      complete:
        description:
          - Whether the objects are a whole release. If so, objects that have its labels and are not among them are
            deleted. Otherwise nothing is deleted, and the objects replace those of the same name in the record.
        type: bool
        default: true
      lock_duration:
        description:
          - Seconds without a renewal after which a lock counts as left behind by a dead run. The waiting run measures
            them with its own clock.
        type: int
        default: 60
      lock_timeout:
        description: Seconds to wait for another run that holds the lock. V(0) gives up at once.
        type: int
        default: 120
      on_failure:
        description:
          - What happens if a deploy fails. V(rollback) restores the last good release, V(keep) leaves everything as it
            is.
        type: str
        choices: [rollback, keep]
        default: rollback
      reason:
        description:
          - Why it is done, in words, for the history of the release. At most 300 characters are kept, and values of
            Secrets are masked.
          - The history also has the Git commit of the inventory's directory, if that is in a repository.
        type: str
        default: ''
"""

    DRAIN = r"""
options:
  drain:
    description:
      - Jobs of the Dispatcher to wait for before its pods or those of Redis are replaced, if the plan replaces them.
        Nothing has been written by then. Works only with O(transaction). The rollback of a failed run waits for no
        Jobs. Jobs that are older than every running Dispatcher are not waited for, because none listens to them.
    type: dict
    suboptions:
      deployment:
        description: Name of the Deployment of the Dispatcher.
        type: str
        required: true
      timeout:
        description:
          - Seconds to wait. If Jobs still run then, the task fails and changes nothing. V(0) does not wait, and names
            the Jobs in a warning.
        type: int
        default: 0
      redis:
        description:
          - Name of the Deployment of Redis. What Jobs report goes through it, and a new pod of it starts empty. Nobody
            waits for it to be replaced if this is empty.
        type: str
        default: ''
"""
