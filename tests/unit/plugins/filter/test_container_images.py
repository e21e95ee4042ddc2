# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that objects need, wherever they stand in them."""

from __future__ import annotations

from ansible_collections.agentsmith.platform.plugins.filter.container_images import container_images


def test_images_of_every_kind_of_object_once_each() -> None:
    pod = {"containers": [{"image": "b"}, {"image": "a"}], "initContainers": [{"image": "init"}], "volumes": None}
    agent = {"name": "AGENTSMITH_IMAGE", "value": "agent"}
    objects = [
        {"kind": "ConfigMap", "data": {"containers": "no"}},
        {"kind": "Service", "spec": {"ports": [80]}},
        {"kind": "Deployment", "spec": {"template": {"spec": pod}}},
        {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}},
        {"kind": "Pod", "spec": {"containers": [{"image": "c", "env": [agent, {"name": "OTHER", "value": "x"}]}]}},
        {"kind": "Pod", "spec": {"containers": [{"image": "c", "env": [{"name": "AGENTSMITH_IMAGE"}]}]}},
    ]
    assert container_images(objects) == ["a", "agent", "b", "c", "init"]
