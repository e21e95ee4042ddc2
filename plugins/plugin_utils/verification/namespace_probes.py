# SPDX-License-Identifier: GPL-3.0-or-later
"""The namespace is asked: what it admits, and which calls its network lets pass."""

from ..objects.errors import ApiError
from ..objects.labels import labels_of
from . import network_policy, pod_security
from .job_admission_probes import job_admission
from .outcome import Outcome
from .probe import Asked, Probe, refusal_of


def ask_pod_security(asked: Asked) -> list[Outcome]:
    """Offer the API server a pod that it has to refuse."""
    refusal = refusal_of(asked, pod_security.violating_pod(asked.target.names.namespace))
    try:
        level = labels_of(asked.target.namespace or {}).get(pod_security.ENFORCE_LABEL)
    except ApiError:
        level = None  # the verdict counts, the label only explains it
    return [pod_security.check_refusal("pod_security", refusal, level)]


def ask_network_policy(asked: Asked) -> list[Outcome]:
    """Have Redis make a call that it may not make."""
    return [network_policy.ask_network_policy(asked.target, asked.require_network_policy, asked.lost_call)]


PROBES = (
    Probe(("pod_security",), "namespace", ask_pod_security),
    Probe(("job_admission",), "namespace", job_admission),
    Probe((network_policy.CHECK,), "namespace", ask_network_policy),
)
