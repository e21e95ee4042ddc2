# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of an installation: which there are, how each gets what it judges, and all of them at the same time."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.agentsmith.platform.plugins.plugin_utils.agentsmith_config.check import examine
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.connection import CONCURRENCY
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.http_over_socket import Answer, send_request
from ansible_collections.agentsmith.platform.plugins.plugin_utils.api.pod_stream import (
    CommandMissing,
    StreamFailed,
    forwarded_port,
    output_of,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.labels import labels_of
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.diagnosis import describe_pod
from ansible_collections.agentsmith.platform.plugins.plugin_utils.pods.pod import is_ready
from ansible_collections.agentsmith.platform.plugins.plugin_utils.slack.slack_payload import url_verification
from ansible_collections.agentsmith.platform.plugins.plugin_utils.slack.slack_signature import signature_headers

from . import (
    access,
    configuration,
    dispatcher,
    job_policy,
    jobs,
    network_policy,
    pod_security,
    pods_ready,
    redis,
    secret,
)
from .access_review import review
from .app_release import APPS, DEFAULT_APP
from .outcome import FAILED, NOT_CHECKED, OK, Outcome
from .public_address import check_public
from .reachability import check_reachable
from .redis_client import redis_client
from .spawned_job import admitted, pod_of, spawned_job, with_image
from .target import DISPATCHER, REDIS, Target, dispatcher_port

POD_TIMEOUT = 10.0  # seconds for an answer of a pod: longer than any that is in time
MOUNTED_FILE = f"/app/config/{configuration.FILE}"
MOUNT_PAUSE = 2.0  # seconds between two looks at the file
NO_POLICIES = "this release has no policies for Jobs (agentsmith_job_policy)"
POLICY_TIMEOUT = 20.0  # seconds: an API server sees a new admission policy within a second or two
POLICY_PAUSE = 0.2  # seconds between two dry runs


@dataclass(frozen=True)
class Probe:
    """Some checks that are made together. `part` is the part of the stack that they belong to."""

    checks: tuple[str, ...]
    part: str
    ask: Callable[[Verification], list[Outcome]]


class Verification:
    """One run of the checks.

    :param signing_secret: with which events are signed; empty means that of the live Secret.
    :param url: where the Dispatcher answers from outside, without a path; empty where it does not.
    :param timeout: seconds to wait for a changed ConfigMap to arrive in the pods, and for an answer at the addresses.
    :param public_url: where Slack reaches it, without a path; empty where it does not.
    :param public_ca_file: certificates that the answer there is to be trusted by; empty for the system's.
    :param require_network_policy: whether it is a failure that the network enforces no NetworkPolicy.
    :param app: which of APPS runs.
    """

    def __init__(
        self,
        target: Target,
        signing_secret: str,
        url: str,
        timeout: float,
        public_url: str = "",
        public_ca_file: str = "",
        require_network_policy: bool = False,
        app: str = DEFAULT_APP,
    ) -> None:
        self.target = target
        self._signing_secret = signing_secret
        self._url = url
        self._timeout = timeout
        self._public_url = public_url
        self._public_ca_file = public_ca_file
        self._require_network_policy = require_network_policy
        self._app = APPS[app]

    def run(self, only: Collection[str]) -> list[Outcome]:
        """Make the checks whose name or part is in *only*, all where it is empty.

        :raises ConnectionFailed: when the API server stays away.
        """
        chosen = [probe for probe in PROBES if not only or probe.part in only or set(probe.checks) & set(only)]
        with ThreadPoolExecutor(CONCURRENCY) as executor:
            results = [outcome for found in executor.map(self._ask, chosen) for outcome in found]
        return [outcome for outcome in results if not only or outcome.check in only or _part(outcome.check) in only]

    def _ask(self, probe: Probe) -> list[Outcome]:
        try:
            return probe.ask(self)
        except ApiError as error:
            hint = "Whoever verifies needs that right." if error.status == 403 else ""
            return [Outcome(check, NOT_CHECKED, str(error), hint) for check in probe.checks]
        except CommandMissing as error:
            return _not_checked(probe.checks, str(error))
        except StreamFailed as error:
            hint = "Look at that pod: kubectl describe pod, kubectl logs."
            return [Outcome(check, FAILED, str(error), hint) for check in probe.checks]

    def dispatcher_rollout(self) -> list[Outcome]:
        """Ask for the Deployment of the Dispatcher."""
        return [self._rollout("dispatcher_rollout", DISPATCHER, self.target.dispatcher, wanted=True)]

    def redis_rollout(self) -> list[Outcome]:
        """Ask for the Deployment of Redis."""
        wanted = self.target.intended("Deployment", REDIS) is not None
        return [self._rollout("redis_rollout", REDIS, self.target.redis, wanted)]

    def _rollout(self, check: str, name: str, deployment: Any, wanted: bool) -> Outcome:
        outcome = pods_ready.check_rollout(check, name, deployment, wanted)
        if outcome.result != FAILED or deployment is None:
            return outcome
        broken = [pod for pod in self.target.pods_of(deployment) if not is_ready(pod)]
        newest = max(broken, key=lambda pod: pod["metadata"].get("creationTimestamp") or "", default=None)
        diagnosis = describe_pod(self.target.connection, newest) if newest else ""
        return pods_ready.check_rollout(check, name, deployment, wanted, diagnosis)

    def dispatcher_answers(self) -> list[Outcome]:
        """Ask every ready Dispatcher for its health, and with a right and a wrong signature."""
        checks = ("health", "challenge", "wrong_signature")
        pods = self.target.ready_pods(self.target.dispatcher)
        if not pods:
            return _not_checked(checks, "no pod of the Dispatcher is ready")
        answers = [self._dispatcher_answers(checks, pod) for pod in pods]
        return [_worst(found) for found in zip(*answers, strict=True)]

    def _dispatcher_answers(self, checks: Sequence[str], pod: Mapping[str, Any]) -> list[Outcome]:
        health = dispatcher.check_health(checks[0], self._send(pod, "GET", "/health"))
        signing_secret = self._known_signing_secret()
        challenge = uuid.uuid4().hex
        # Signed with what nobody else knows.
        wrong = dispatcher.check_wrong_signature(checks[2], self._challenge(pod, challenge, uuid.uuid4().hex))
        if not signing_secret:
            (right,) = _not_checked(checks[1:2], "the signing secret is not known")
        else:
            right = dispatcher.check_challenge(checks[1], challenge, self._challenge(pod, challenge, signing_secret))
        return [health, right, wrong]

    def _known_signing_secret(self) -> str:
        live = ((self.target.secret or {}).get("data") or {}).get("slack-signing-secret", "")
        return self._signing_secret or secret.value_of(live)

    def _challenge(self, pod: Mapping[str, Any], challenge: str, signing_secret: str) -> Answer:
        payload = url_verification(challenge)
        headers = signature_headers(signing_secret, payload.body, int(time.time()))
        return self._send(pod, "POST", "/slack/events", payload.body, {"Content-Type": payload.content_type, **headers})

    def _send(self, pod: Mapping[str, Any], method: str, path: str, body: bytes = b"", headers: Any = None) -> Answer:
        container, port = self.target.first_container(pod), dispatcher_port(pod)
        with forwarded_port(self.target.connection, container, port, POD_TIMEOUT) as connected:
            return send_request(connected, method, path, body, headers)

    def reachable(self) -> list[Outcome]:
        """Ask for the Dispatcher's health from here."""
        return [check_reachable("reachable", self._url, self._timeout)]

    def public(self) -> list[Outcome]:
        """Ask as Slack does, where Slack does."""
        checks = ("public_challenge", "public_signature")
        return check_public(checks, self._public_url, self._public_ca_file, self._known_signing_secret(), self._timeout)

    def redis_answers(self) -> list[Outcome]:
        """Ask Redis what it runs with."""
        checks = ("redis_ping", "redis_maxmemory", "redis_policy", "redis_persistence")
        deployment = self.target.redis
        pods = self.target.ready_containers(deployment)
        if deployment is None or not pods:
            return _not_checked(checks, "no pod of Redis is ready" if deployment else "no Redis in this namespace")
        with redis_client(self.target, pods[0], POD_TIMEOUT) as client:
            pong = client.command("PING")
            settings = {}
            for name in redis.SETTINGS:
                (_name, settings[name]) = client.command("CONFIG", "GET", name)
        intended = self.target.intended("Deployment", REDIS) or deployment
        arguments = redis.arguments_of(intended["spec"]["template"]["spec"]["containers"][0].get("args") or [])
        return [
            redis.check_ping(checks[0], pong),
            redis.check_maxmemory(checks[1], settings, arguments),
            redis.check_policy(checks[2], settings, arguments),
            redis.check_persistence(checks[3], settings, arguments),
        ]

    def access_of_jobs(self) -> list[Outcome]:
        """Ask what has to be allowed."""
        questions = access.questions_for_jobs(self.target.names.namespace, self._app.verbs)
        return [access.check_allowed("access_jobs", review(self.target, questions))]

    def access_elsewhere(self) -> list[Outcome]:
        """Ask what must not be allowed outside the namespace."""
        questions = access.questions_elsewhere(self.target.names.namespace)
        return [access.check_refused("access_elsewhere", review(self.target, questions))]

    def access_to_secrets(self) -> list[Outcome]:
        """Ask what must not be allowed anywhere."""
        questions = access.questions_for_secrets(self.target.names.namespace)
        return [access.check_refused("access_secrets", review(self.target, questions))]

    def secret_keys(self) -> list[Outcome]:
        """Look at the keys of the live Secret."""
        name = self.target.names.secret
        intended = (self.target.intended("Secret", name) or {}).get("data") or {}
        return [secret.check_secret_keys("secret_keys", name, self.target.secret, list(intended))]

    def provider_tokens(self) -> list[Outcome]:
        """Compare them with what the configuration uses."""
        text = self._intended_text() or self._live_text()
        required = None if text is None else [entry.as_dict() for entry in examine(text).required_secrets]
        return [secret.check_provider_tokens("provider_tokens", self.target.secret, required)]

    def config_map(self) -> list[Outcome]:
        """Compare the live ConfigMap with the release's."""
        name = self.target.names.config_map
        return [configuration.check_config_map("config_map", name, self.target.config_map, self._intended_text())]

    def mounted_config(self) -> list[Outcome]:
        """Read the file in the pods of the Dispatcher, until it is that of the ConfigMap or the time is over."""
        pods, text = self.target.ready_containers(self.target.dispatcher), self._live_text()
        if text is None or not pods:
            reason = "there is no ConfigMap" if text is None else "no pod of the Dispatcher is ready"
            return _not_checked(("mounted_config",), reason)
        deadline = time.monotonic() + self._timeout
        while True:
            found = [(pod.pod, output_of(self.target.connection, pod, ["cat", MOUNTED_FILE])) for pod in pods]
            outcome = configuration.check_mounted("mounted_config", found, text)
            if outcome.result == OK or time.monotonic() > deadline:
                return [outcome]
            time.sleep(MOUNT_PAUSE)

    def job_ttl(self) -> list[Outcome]:
        """Look at the Jobs."""
        return [jobs.check_job_ttl("job_ttl", self.target.read_jobs(), datetime.now(UTC))]

    def pod_security(self) -> list[Outcome]:
        """Offer the API server a pod that it has to refuse."""
        refusal = self._refusal(pod_security.violating_pod(self.target.names.namespace))
        try:
            level = labels_of(self.target.namespace or {}).get(pod_security.ENFORCE_LABEL)
        except ApiError:
            level = None  # the verdict counts, the label only explains it
        return [pod_security.check_refusal("pod_security", refusal, level)]

    def network_policy(self) -> list[Outcome]:
        """Have Redis make a call that it may not make."""
        return [network_policy.ask_network_policy(self.target, self._require_network_policy)]

    def job_admission(self) -> list[Outcome]:
        """Offer the API server the pod of a Job, with what the policies give it."""
        deployment = self.target.dispatcher
        if deployment is None:
            return _not_checked(("job_admission",), "there is no Dispatcher to spawn it")
        job = spawned_job(self.target.names.namespace, deployment, self._app)
        if not self.target.intended_of("MutatingAdmissionPolicy"):
            return [pod_security.check_admission("job_admission", self._refusal(pod_of(job)))]
        if self._completed("job_admission", job).result != OK:
            return _not_checked(("job_admission",), "its Job is not completed: see job_policy_completes")
        return [pod_security.check_admission("job_admission", self._refusal(pod_of(admitted(self.target, job))))]

    def job_policy_installed(self) -> list[Outcome]:
        """Look for the policies and their bindings."""
        bodies = [body for kind in job_policy.KINDS for body in self.target.intended_of(kind)]
        if not bodies:
            return _not_checked(("job_policy_installed",), NO_POLICIES)
        paths = {
            f"{body['kind']} {body['metadata']['name']}": "/".join(
                ("/apis", body["apiVersion"], job_policy.KINDS[body["kind"]], body["metadata"]["name"])
            )
            for body in bodies
        }
        missing = [name for name, path in paths.items() if self.target.connection.find(path) is None]
        return [job_policy.check_installed("job_policy_installed", missing)]

    def job_policy_completes(self) -> list[Outcome]:
        """Offer the API server a Job of the Dispatcher, and look at what it makes of it."""
        job = self._policed_job()
        if isinstance(job, str):
            return _not_checked(("job_policy_completes",), job)
        return [self._completed("job_policy_completes", job)]

    def job_policy_refuses(self) -> list[Outcome]:
        """Offer it a forged one."""
        job = self._policed_job()
        if isinstance(job, str):
            return _not_checked(("job_policy_refuses",), job)
        forged = with_image(job, job_policy.FORGED_IMAGE)

        def offer() -> Outcome:
            answer = self._admitted(forged)
            return job_policy.check_refused("job_policy_refuses", answer if isinstance(answer, ApiError) else None)

        return [_awaited(offer)]

    def _policed_job(self) -> dict[str, Any] | str:
        """Return the Job that the policies have to do with, or why there is none."""
        if not self.target.intended_of("ValidatingAdmissionPolicy"):
            return NO_POLICIES
        if self.target.dispatcher is None:
            return "there is no Dispatcher to spawn a Job"
        return spawned_job(self.target.names.namespace, self.target.dispatcher, self._app)

    def _completed(self, check: str, job: dict[str, Any]) -> Outcome:
        config_map = self.target.names.config_map
        return _awaited(lambda: job_policy.check_completed(check, config_map, self._admitted(job)))

    def _admitted(self, job: dict[str, Any]) -> dict[str, Any] | ApiError:
        try:
            return admitted(self.target, job)
        except ApiError as error:
            return error

    def _refusal(self, pod: Any) -> ApiError | None:
        path = f"/api/v1/namespaces/{self.target.names.namespace}/pods"
        try:
            self.target.connection.request("POST", path, query={"dryRun": "All"}, body=pod)
        except ApiError as error:
            return error
        return None

    def _intended_text(self) -> str | None:
        intended = self.target.intended("ConfigMap", self.target.names.config_map)
        return intended["data"][configuration.FILE] if intended else None

    def _live_text(self) -> str | None:
        return ((self.target.config_map or {}).get("data") or {}).get(configuration.FILE)


PROBES = (
    Probe(("dispatcher_rollout",), "dispatcher", Verification.dispatcher_rollout),
    Probe(("health", "challenge", "wrong_signature"), "dispatcher", Verification.dispatcher_answers),
    Probe(("reachable",), "dispatcher", Verification.reachable),
    Probe(("redis_rollout",), "redis", Verification.redis_rollout),
    Probe(("redis_ping", "redis_maxmemory", "redis_policy", "redis_persistence"), "redis", Verification.redis_answers),
    Probe(("secret_keys",), "secrets", Verification.secret_keys),
    Probe(("provider_tokens",), "secrets", Verification.provider_tokens),
    Probe(("config_map",), "config", Verification.config_map),
    Probe(("mounted_config",), "config", Verification.mounted_config),
    Probe(("access_jobs",), "rbac", Verification.access_of_jobs),
    Probe(("access_elsewhere",), "rbac", Verification.access_elsewhere),
    Probe(("access_secrets",), "rbac", Verification.access_to_secrets),
    Probe(("pod_security",), "namespace", Verification.pod_security),
    Probe(("job_admission",), "namespace", Verification.job_admission),
    Probe((network_policy.CHECK,), "namespace", Verification.network_policy),
    Probe(("job_policy_installed",), "job_policy", Verification.job_policy_installed),
    Probe(("job_policy_completes",), "job_policy", Verification.job_policy_completes),
    Probe(("job_policy_refuses",), "job_policy", Verification.job_policy_refuses),
    Probe(("job_ttl",), "jobs", Verification.job_ttl),
    Probe(("public_challenge", "public_signature"), "public", Verification.public),
)
CHECKS = tuple(check for probe in PROBES for check in probe.checks)
PARTS = tuple(dict.fromkeys(probe.part for probe in PROBES))


def _part(check: str) -> str:
    return next(probe.part for probe in PROBES if check in probe.checks)


def _not_checked(checks: Sequence[str], reason: str) -> list[Outcome]:
    return [Outcome(check, NOT_CHECKED, reason) for check in checks]


def _awaited(look: Callable[[], Outcome]) -> Outcome:
    """Look until nothing has failed, as long as a new policy takes to be seen."""
    deadline = time.monotonic() + POLICY_TIMEOUT
    while (outcome := look()).result == FAILED and time.monotonic() < deadline:
        time.sleep(POLICY_PAUSE)
    return outcome


def _worst(found: Sequence[Outcome]) -> Outcome:
    """Return one outcome for several pods: the first that failed, else the first."""
    return next((outcome for outcome in found if outcome.result == FAILED), found[0])
