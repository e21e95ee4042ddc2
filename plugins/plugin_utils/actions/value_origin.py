# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Ansible read a value: the file, line and column that it keeps with it."""

from pathlib import Path

from ..agentsmith_config.document import Origin

try:
    # Internal to ansible-core, so everything works without it.
    from ansible._internal._datatag._tags import Origin as AnsibleOrigin
except ImportError:  # pragma: no cover
    AnsibleOrigin = None


def origin_of(value: object) -> Origin | None:
    """Return the file and line in which a value was written, if Ansible knows them."""
    origin = AnsibleOrigin.get_tag(value) if AnsibleOrigin is not None else None
    return None if origin is None or origin.path is None else Origin(origin.path, origin.line_num, origin.col_num)


def shown(origin: Origin) -> Origin:
    """Return an origin as people name it: below the current directory without that."""
    path = Path(origin.file or "")
    return origin._replace(file=str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path))
