# SPDX-License-Identifier: GPL-3.0-or-later
"""What the values of the Secret must look like, and the usual faults of pasting them.

The app checks none of it: a wrong token shows up as a 401 of the provider, an empty signing secret switches the check
of Slack's signatures off. No text from here quotes a value.
"""

import re

from ..agentsmith_config.schema import SECRET_KEYS
from .redis_configuration import EXAMPLE, RedisConfigurationError, check_configuration, configuration_of

SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET, REDIS_URL = "slack-bot-token", "slack-signing-secret", "redis-url"  # noqa: S105
REQUIRED_KEYS = (SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET, REDIS_URL)
"""Without these the Dispatcher does not start, or lets anybody in."""

KEYS = (*REQUIRED_KEYS, *SECRET_KEYS)
"""All keys of the Secret that the app knows. The role secrets has a variable for each."""

PLACEHOLDER = "PLACEHOLDER"
"""How the values of an inventory begin that somebody has yet to fill in."""

_ALLOWED = {
    SLACK_BOT_TOKEN: "the Bot User OAuth Token of the Slack app (xoxb-…), from its page OAuth & Permissions",
    SLACK_SIGNING_SECRET: (
        "the Signing Secret of the Slack app, 32 lower-case hexadecimal digits, from its page Basic Information (not "
        "the Client Secret on that page, which looks the same)"
    ),
    REDIS_URL: f"host:port and options as StackExchange.Redis reads them ({EXAMPLE}), or redis://[user:password@]host:port",
}
_ALLOWED_TOKEN = "one line of printable ASCII without white space, or nothing"  # noqa: S105
_WHY_REQUIRED = {
    SLACK_SIGNING_SECRET: "is empty, so the app would check no signature and anybody could start Jobs",
}
_SLACK_TOKENS = {
    "xapp-": "is the app-level token (xapp-…), which cannot write messages",
    "xoxp-": "is a user token (xoxp-…), which would write in a person's name",
    "xoxe": "is a token of Slack's token rotation (xoxe…), which the app cannot refresh: switch the rotation off",
}


def snake_case(key: str) -> str:
    """Return a key as variables have it in their names."""
    return key.replace("-", "_")


def vault_variable(key: str) -> str:
    """Return the Vault variable that the role secrets takes the value of a key from."""
    return "vault_" + snake_case(key)


def undecryptable(what: str, vault_id: str) -> str:
    """Say that no password that was given opens a value or a file of Ansible Vault."""
    return (
        f"{what} cannot be decrypted: its vault id is {vault_id}, and no password that was given opens it. "
        f"Give its password, as in --vault-id {vault_id}@prompt, or encrypt it again."
    )


def placeholder_fault(value: object) -> str:
    """Say that a value is one that somebody has yet to fill in; an empty text where it is not."""
    if isinstance(value, str) and value.startswith(PLACEHOLDER):
        return "is still the placeholder that the inventory came with: put the real value into the Vault file"
    return ""


def value_fault(key: str, value: object, convertible: bool = True) -> str:
    """Say what is wrong with the value of a key: "is empty. Allowed: …"; an empty text where nothing is.

    With `convertible`, a URL of Redis is right, because the role converts it; in a Secret that others made it is wrong.
    """
    reason = _reason(key, value, convertible)
    return f"{reason}. Allowed: {_ALLOWED.get(key, _ALLOWED_TOKEN)}." if reason else ""


def _reason(key: str, value: object, convertible: bool) -> str:
    if value is None or value == "":
        return _WHY_REQUIRED.get(key, "is empty") if key in REQUIRED_KEYS else ""
    if not isinstance(value, str):
        return "is not a string: YAML reads digits, true and dates as other types. Put it in quotes"
    if fault := placeholder_fault(value) or _paste_fault(value):
        return fault
    if key == REDIS_URL:
        return _redis_fault(value, convertible)
    if not value.isascii():
        return "contains a character that no token has (an invisible space, a curly quote, an ellipsis): copy it again"
    if key == SLACK_BOT_TOKEN:
        return _bot_token_fault(value)
    if key == SLACK_SIGNING_SECRET:
        return _signing_secret_fault(value)
    return ""


def _paste_fault(value: str) -> str:
    if value.splitlines()[0] != value:
        end = value.rstrip()
        where = "ends with a line end" if len(end.splitlines()) == 1 else "has several lines"
        return (
            f"{where}; a YAML block (| or >), `echo` or a copied file adds line ends. Write the value on one line, in "
            "quotes"
        )
    if any(character.isspace() for character in value):
        inside = value.strip() == value
        return f"has white space {'in it' if inside else 'at its beginning or end'}: copy the value alone"
    if value[0] in "\"'`" or value[-1] in "\"'`":
        return "begins or ends with a quotation mark of its own: the pair that YAML needs around it is enough"
    if not value.isprintable():
        return "contains a control or invisible character: copy it again"
    return ""


def _redis_fault(value: str, convertible: bool) -> str:
    try:
        if convertible:
            configuration_of(value)
        else:
            check_configuration(value)
    except RedisConfigurationError as error:
        return str(error)
    return ""


def _bot_token_fault(value: str) -> str:
    if re.fullmatch(r"xoxb-.+", value):
        return ""
    return next(
        (fault for prefix, fault in _SLACK_TOKENS.items() if value.startswith(prefix)), "does not begin with xoxb-"
    )


def _signing_secret_fault(value: str) -> str:
    if re.fullmatch(r"[0-9a-f]{32}", value):
        return ""
    if re.fullmatch(r"[0-9a-fA-F]{32}", value):
        return "contains upper-case letters; Slack's secrets are lower-case: copy it as Slack shows it"
    if value.startswith(("xox", "xapp-")):
        return "is a Slack token, not a signing secret"
    return "contains characters other than hexadecimal digits" if len(value) == 32 else "does not have 32 characters"
