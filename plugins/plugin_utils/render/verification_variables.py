# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the variables of the role `verify` are usable, asked before a playbook changes what it verifies later.

The role itself is asked when the change is made. A deploy would then be undone because of a typing error.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .part import ROLES, role_arguments
from .template_engine import RenderError, TemplateEngine, target_of
from .variable_checks import Check, variable_faults

SET_BY_PLAYBOOKS = (
    *("agentsmith_namespace", "verify_app", "verify_objects", "verify_only"),
    *("verify_transaction", "verify_lock_holder", "verify_lost_call"),
)
"""What the role gets from the playbook, which has checked it, or has it only then; `verify_only` with -e as well."""


def check_verification_variables(
    engine: TemplateEngine, checks: Callable[[], Sequence[str]], warn: Callable[[str], None]
) -> None:
    """Check them by the argument spec of the role and by its `__verify_checks`.

    :param checks: returns the names that `verify_only` may have. It is called only if that is set
    :raises RenderError: some are not usable; the message names all of these
    """
    described = role_arguments(ROLES / "verify", "main")
    arguments = {name: argument for name, argument in described.items() if name not in SET_BY_PLAYBOOKS}
    stated = [Check(**engine.value(check)) for check in engine.variables["__verify_checks"]]
    faults = variable_faults(engine, arguments, stated, warn)
    if only := engine.value(engine.variables["verify_only"]):
        faults += _unknown_checks(only, checks())
    if faults:
        target = target_of(engine)
        raise RenderError(
            f"The variables of the role verify are not usable for the target {target}; nothing was changed.\n"
            + "\n".join(f"- {fault}" for fault in faults)
        )


def _unknown_checks(only: Any, known: Sequence[str]) -> list[str]:
    """What a list of checks, or one text with commas, names beyond those that there are."""
    names = only.split(",") if isinstance(only, str) else only if isinstance(only, list) else [only]
    unknown = [str(name) for name in names if name not in known]
    return [f"verify_only has {', '.join(unknown)}. Allowed: {', '.join(known)}."] if unknown else []
