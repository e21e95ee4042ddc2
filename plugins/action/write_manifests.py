# SPDX-License-Identifier: GPL-3.0-or-later
"""The action behind agentsmith.platform.write_manifests, documented in plugins/modules/write_manifests.py."""

import json
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ..plugin_utils.actions.control_node_action import ControlNodeAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.render.manifest_files import HEADER, KUSTOMIZATION, SECRETS, FilesError, file_texts
from ..plugin_utils.render.overlay_files import BASE, OVERLAYS, overlay_texts

OPTIONS = documented_options(__name__)
FILE_MODE = 0o644
RULES = {"mutually_exclusive": [("objects", "targets")], "required_one_of": [("objects", "targets")]}


class ActionModule(ControlNodeAction):
    """Writes objects to files on the control node."""

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what became of each file.

        Raises AnsibleActionFail before the first write where a file is in the way that is not ours to overwrite.
        """
        options = self.checked_options(tmp, task_vars, OPTIONS, **RULES)
        dest = Path(options["dest"]).absolute()
        try:
            present = _present(dest)
            ours = {path: text for path, text in present.items() if text.startswith(HEADER)}
            # JSON there and back: plain values instead of Ansible's tagged ones, which YAML cannot write
            objects = json.loads(json.dumps(options["objects"] or options["targets"] or []))
            if options["targets"]:
                wanted = overlay_texts(objects)
            else:
                wanted = file_texts(objects, kept=() if options["complete"] else ours)
            foreign = sorted(present.keys() & wanted.keys() - ours.keys())
            if foreign:
                raise AnsibleActionFail(
                    f"{dest} contains files that agentsmith.platform.write_manifests did not write and will not "
                    f"overwrite: {', '.join(foreign)}. Nothing was written. Move the files away, or choose another "
                    "dest."
                )
            results = {path: _result(dest / path, text, ours.get(path)) for path, text in wanted.items()}
            if options["complete"]:
                results |= dict.fromkeys(ours.keys() - wanted.keys(), "removed")
            if not self._task.check_mode:
                _write(dest, wanted, results)
        except FilesError as error:
            raise AnsibleActionFail(str(error)) from None
        except OSError as error:
            raise AnsibleActionFail(f"dest cannot be used: {error.strerror}: {error.filename}.") from None
        files = [{"path": path, "result": result} for path, result in sorted(results.items())]
        changes = [file["path"] for file in files if file["result"] != "unchanged"]
        return {
            "changed": bool(changes),
            "dest": str(dest),
            "files": files,
            "diff": [_diff(dest / path, ours.get(path, ""), wanted.get(path, "")) for path in changes],
        }


def _present(dest: Path) -> dict[str, str]:
    """The text of every file in `dest` that might be ours, by its path relative to `dest`."""
    roots = [dest, dest / BASE, *dest.glob(f"{OVERLAYS}/*")]
    paths = [
        path for root in roots for path in (*root.glob("*.yaml"), *root.glob(f"{SECRETS}/*.yaml"), root / KUSTOMIZATION)
    ]
    return {
        str(path.relative_to(dest)): path.read_text(encoding="utf-8", errors="replace")
        for path in paths
        if path.is_file()
    }


def _result(path: Path, text: str, present: str | None) -> str:
    if present is None:
        return "created"
    return "unchanged" if present == text and path.stat().st_mode & 0o777 == FILE_MODE else "updated"


def _write(dest: Path, wanted: dict[str, str], results: dict[str, str]) -> None:
    for relative, result in results.items():
        path = dest / relative
        if result == "removed":
            path.unlink()
        elif result != "unchanged":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[relative], encoding="utf-8")
            path.chmod(FILE_MODE)


def _diff(path: Path, before: str, after: str) -> dict[str, str]:
    if before and path.parent.name == SECRETS:
        before = "(not shown: somebody may have filled in values)\n"
    return {"before_header": str(path), "after_header": str(path), "before": before, "after": after}
