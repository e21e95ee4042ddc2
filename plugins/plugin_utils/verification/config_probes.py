# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration is looked at: the ConfigMap, and the file in the pods."""

import time

from ..api.pod_stream import output_of
from . import configuration
from .outcome import OK, Outcome
from .probe import Asked, Probe, intended_text, live_text, not_checked

MOUNTED_FILE = f"/app/config/{configuration.FILE}"
MOUNT_PAUSE = 2.0  # seconds between two looks at the file


def config_map(asked: Asked) -> list[Outcome]:
    """Compare the live ConfigMap with the release's."""
    name = asked.target.names.config_map
    return [configuration.check_config_map("config_map", name, asked.target.config_map, intended_text(asked))]


def mounted_config(asked: Asked) -> list[Outcome]:
    """Read the file in the pods of the Dispatcher, until it is that of the ConfigMap or the time is over."""
    pods, text = asked.target.ready_containers(asked.target.dispatcher), live_text(asked)
    if text is None or not pods:
        reason = "there is no ConfigMap" if text is None else "no pod of the Dispatcher is ready"
        return not_checked(("mounted_config",), reason)
    deadline = time.monotonic() + asked.timeout
    while True:
        found = [(pod.pod, output_of(asked.target.connection, pod, ["cat", MOUNTED_FILE])) for pod in pods]
        outcome = configuration.check_mounted("mounted_config", found, text)
        if outcome.result == OK or time.monotonic() > deadline:
            return [outcome]
        time.sleep(MOUNT_PAUSE)


PROBES = (
    Probe(("config_map",), "config", config_map),
    Probe(("mounted_config",), "config", mounted_config),
)
