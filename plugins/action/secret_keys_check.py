# SPDX-License-Identifier: GPL-3.0-or-later
"""Control-node half of agentsmith.platform.secret_keys_check; the documentation is in plugins/modules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.agentsmith.platform.plugins.plugin_utils.actions.cluster_action import ClusterAction
from ansible_collections.agentsmith.platform.plugins.plugin_utils.objects.errors import ApiError, ApplyError
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_keys import (
    existing_faults,
    missing_keys,
    reasons_of,
    unused_keys,
)
from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets.secret_values import (
    REQUIRED_KEYS,
    vault_variable,
)

OPTIONS: dict[str, dict[str, Any]] = {
    "namespace": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "required": {"type": "list", "elements": "dict", "required": True},
    "keys": {"type": "list", "elements": "str", "no_log": False},
    "report_unused": {"type": "bool", "default": True},
    # The name of an object, no secret
    "tls_secret": {"type": "str", "default": "", "no_log": False},
    "tls_host": {"type": "str", "default": ""},
}


class ActionModule(ClusterAction):
    """Compares the keys of a Secret with what the configuration needs; changes nothing."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        options = self.checked_options(tmp, task_vars, OPTIONS)
        secret, required, keys = f"{options['namespace']}/{options['name']}", options["required"], options["keys"]
        if keys is None:
            keys, faults = self._examine(options, secret)
            advice = "Correct it where it is made"
        else:
            faults = [
                f"it has no {entry['key']}: set {vault_variable(entry['key'])}. {reasons_of(entry)}"
                for entry in missing_keys(required, keys)
            ]
            advice = "Correct the Vault file of the inventory (docs/how-to/secrets.md), or the configuration"
        if faults:
            raise AnsibleActionFail(
                f"The Secret {secret} does not fit the configuration. {advice}; nothing was applied.\n"
                + "\n".join(f"- {fault}" for fault in faults)
            )
        warnings = self._check_certificate(options) if options["tls_secret"] else []
        unused = unused_keys(required, keys)
        if unused and options["report_unused"]:
            warnings.append(
                f"Nothing in the configuration uses these keys of the Secret {secret}: {', '.join(unused)}. "
                "Leave them out, or set preflight_report_unused_keys to false."
            )
        return {"changed": False, "unused": unused, "warnings": warnings}

    def _check_certificate(self, options: dict[str, Any]) -> list[str]:
        """Refuse a Secret that gives the host no certificate; return the warnings about one that soon will not."""
        # Imported here: it costs 30 ms, and most releases have no such Secret
        from ansible_collections.agentsmith.platform.plugins.plugin_utils.secrets import tls_secret

        secret = f"{options['namespace']}/{options['tls_secret']}"
        try:
            with self.connection(options) as connection:
                live = connection.find(f"/api/v1/namespaces/{options['namespace']}/secrets/{options['tls_secret']}")
        except ApiError as error:
            return [f"The certificate in the Secret {secret} is not checked, as it cannot be read: {error}"]
        except ApplyError as error:
            raise AnsibleActionFail(str(error)) from None
        if live is None:
            raise AnsibleActionFail(
                f"The Secret {secret}, which dispatcher_tls_secret_name names, does not exist. Make it first (kubectl "
                "create secret tls), or set dispatcher_tls to issuer or certificate. Nothing was applied."
            )
        faults, warnings = tls_secret.examine(live, options["tls_host"], datetime.now(UTC))
        if faults:
            raise AnsibleActionFail(
                f"The Secret {secret}, which dispatcher_tls_secret_name names, gives {options['tls_host']} no "
                "certificate. Correct it where it is made; nothing was applied.\n"
                + "\n".join(f"- {fault}" for fault in faults)
            )
        return [f"The Secret {secret}: {warning}." for warning in warnings]

    def _examine(self, options: dict[str, Any], secret: str) -> tuple[list[str], list[str]]:
        """The keys of the live Secret and what is wrong with it. Its values stay in here."""
        try:
            with self.connection(options) as connection:
                live = connection.find(f"/api/v1/namespaces/{options['namespace']}/secrets/{options['name']}")
                host = connection.host
        except ApiError as error:
            raise AnsibleActionFail(
                f"The Secret {secret}, which secrets_existing_name names, cannot be read: {error}. Whoever deploys "
                "must be allowed to get it, as its keys are checked. Nothing was applied."
            ) from None
        except ApplyError as error:
            raise AnsibleActionFail(str(error)) from None
        if live is None:
            needed = ", ".join([*REQUIRED_KEYS, *(entry["key"] for entry in options["required"])])
            raise AnsibleActionFail(
                f"The Secret {secret}, which secrets_existing_name names, does not exist on {host}. Make it first, "
                f"with the keys {needed}; or leave secrets_existing_name empty, and the role secrets makes one. "
                "Nothing was applied."
            )
        data = live.get("data") or {}
        return list(data), existing_faults(options["required"], data)
