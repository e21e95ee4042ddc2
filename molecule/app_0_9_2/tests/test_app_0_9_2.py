# SPDX-License-Identifier: GPL-3.0-or-later
"""The app's release 0.9.2: from the deploy to the teardown, with a stand-in that insists on what that release needs."""

from __future__ import annotations

import re

RELEASE = ["-e", "@molecule/app_0_9_2/vars/release.yml"]
DISPATCHER = "deployment/agentsmith-dispatcher"


def container_of(workload):
    (only,) = workload["spec"]["template"]["spec"]["containers"]
    return only


def test_without_the_policies_for_jobs_it_is_refused_and_nothing_is_written(playbook, get):
    before = get(DISPATCHER)["metadata"]["resourceVersion"]
    run = playbook("playbooks/deploy.yml", *RELEASE, "-e", "agentsmith_job_policy=false")
    assert run.returncode != 0
    message = " ".join(run.output.split())
    assert "dispatcher_app does not fit. Allowed: 0.9.2 with agentsmith_job_policy: true only" in message
    assert get(DISPATCHER)["metadata"]["resourceVersion"] == before


def test_what_the_release_needs_is_there(get):
    environment = {entry["name"]: entry.get("value", "") for entry in container_of(get(DISPATCHER))["env"]}
    assert environment["ANTHROPIC_API_KEY"] == ""
    role = get("role/agentsmith-job-manager")
    assert role["rules"] == [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get"]}]


def test_a_conversation_ends_well_and_the_job_needs_no_root(playbook, get):
    # Its Job stays long enough to be looked at: the removal is not waited for
    talk = ["-e", "verify_end_to_end=true", "-e", "verify_end_to_end_cleanup_timeout=1"]
    verified = playbook("playbooks/verify.yml", *RELEASE, *talk)
    assert verified.returncode == 0, verified.output
    ends = {"e2e_delivery", "e2e_job", "e2e_progress", "e2e_completion"}
    policies = {"job_policy_installed", "job_policy_completes", "job_policy_refuses", "job_admission"}
    assert verified.checks("ok") >= ends | policies | {"access_jobs"}, verified.output

    (job,) = [container_of(job) for job in get("jobs")]
    assert job["command"] == ["dotnet", "AgentSmith.Host.dll"]
    assert job["args"][0] == "run"
    assert job["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_the_channel_of_a_job_that_is_gone_is_freed(person, add_channel, job_of, kubectl):
    """What the right to get Jobs is for."""
    channel = add_channel()
    person.say("fix #104 in my-project", channel)
    person.await_message(r"\*\[[1-7]/", channel, timeout=60)
    kubectl("-n agentsmith delete job %s --ignore-not-found", job_of(channel)["metadata"]["name"])
    person.await_message("appears to have crashed", channel, timeout=60)


def test_no_text_of_a_message_is_logged(person, add_channel, kubectl):
    channel = add_channel()
    person.say("MARKED-4711 is no request", channel)
    person.await_message(":shrug:", channel, timeout=30)
    log = kubectl("-n agentsmith logs deployment/agentsmith-dispatcher")
    assert log
    assert "MARKED-4711" not in log


def test_a_deploy_that_fails_is_undone(playbook, get):
    before = get(DISPATCHER)["spec"]["template"]["spec"]
    run = playbook("playbooks/deploy.yml", *RELEASE, "-e", "dispatcher_image=localhost/there-is-none:1")
    assert run.returncode != 0
    assert "ErrImageNeverPull" in run.output, run.output
    assert get(DISPATCHER)["spec"]["template"]["spec"] == before


def test_a_teardown_leaves_nothing(playbook, kubectl):
    removed = playbook(
        "playbooks/teardown.yml", *RELEASE, "-e", "teardown_confirm=agentsmith", "-e", "teardown_jobs=kill"
    )
    assert removed.returncode == 0, removed.output
    assert re.search(r"Pods left: 0", removed.output)
    kinds = "mutatingadmissionpolicies,mutatingadmissionpolicybindings"
    kinds += ",validatingadmissionpolicies,validatingadmissionpolicybindings"
    assert kubectl(f"get {kinds} -l app.kubernetes.io/managed-by=agentsmith.platform -o name") == ""
    assert "namespace/agentsmith" not in kubectl("get namespaces -o name").split()
