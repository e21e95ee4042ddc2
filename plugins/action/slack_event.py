# SPDX-License-Identifier: GPL-3.0-or-later
"""Control-node half of agentsmith.platform.slack_event; the documentation is in plugins/modules/slack_event.py.

An action plugin because of the signing secret: an ordinary module writes its arguments to a temporary file.
"""

import base64
import time
import uuid
from typing import Any
from urllib.error import HTTPError, URLError

from ansible.errors import AnsibleActionFail
from ansible.module_utils.urls import ConnectionError as UrlConnectionError
from ansible.module_utils.urls import open_url

from ..plugin_utils.actions.control_node_action import ControlNodeAction
from ..plugin_utils.actions.documented_options import documented_options
from ..plugin_utils.secrets.redaction import Redactor
from ..plugin_utils.slack import slack_payload
from ..plugin_utils.slack.slack_payload import Payload
from ..plugin_utils.slack.slack_signature import signature_headers

LARGEST_BODY = 64 * 1024  # bytes of an answer that are read

OPTIONS = documented_options(__name__, unquoted=["signing_secret"])

HINTS = {
    401: (
        "The app refuses the signature: its signing secret is a different one, or its clock differs by more than 300 s."
    ),
    404: "The app has no such path: events go to /slack/events, pressed buttons to /slack/interact.",
}


class ActionModule(ControlNodeAction):
    """Sends one signed request as Slack would."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task."""
        options = self.checked_options(
            tmp,
            task_vars,
            OPTIONS,
            required_if=[
                ("type", "message", ("text", "channel")),
                ("type", "app_mention", ("text", "channel")),
                ("type", "block_actions", ("action_id", "channel")),
            ],
        )
        secret = options["signing_secret"]
        if not isinstance(secret, str) or not secret.strip():
            raise AnsibleActionFail(
                "signing_secret is empty or not a string. Give the signing secret of the Slack app (Basic "
                "Information, App Credentials). Put it in quotes, in case it has only digits."
            )
        if not options["url"].startswith(("http://", "https://")):
            raise AnsibleActionFail(
                "url must be an http:// or https:// address, such as https://bot.example.com/slack/events"
            )
        if self._task.check_mode:
            return {"changed": False, "skipped": True, "msg": "Nothing is sent in check mode."}
        redactor = Redactor()
        redactor.learn([{"kind": "Secret", "data": {"": base64.b64encode(secret.encode()).decode()}}])
        result = redactor.tree(_send(options, secret))
        result["changed"] = options["type"] != "url_verification"
        if result["status"] not in options["status"]:
            wanted = " or ".join(map(str, options["status"]))
            result["failed"] = True
            result["msg"] = f"{options['type']}: the answer is {result['status']}, not {wanted}. " + HINTS.get(
                result["status"], ""
            )
        return result


def _payload(options: dict[str, Any]) -> Payload:
    kind, now = options["type"], time.time()
    if kind == "url_verification":
        return slack_payload.url_verification(options["challenge"] or uuid.uuid4().hex)
    if kind == "block_actions":
        action = {name: options[name] for name in ("action_id", "block_id", "value")}
        return slack_payload.block_actions(action, options["channel"], options["user"], options["message_ts"], now)
    return slack_payload.message(kind, options["text"], options["channel"], options["user"], now)


def _send(options: dict[str, Any], secret: str) -> dict[str, Any]:
    """Send the request; an answer of any status is returned."""
    payload = _payload(options)
    headers = signature_headers(secret, payload.body, int(time.time()) + options["timestamp_offset"])
    started = time.monotonic()
    try:
        with open_url(
            options["url"],
            method="POST",
            data=payload.body,
            headers={"Content-Type": payload.content_type, **headers},
            timeout=options["timeout"],
            validate_certs=options["validate_certs"],
            # Slack follows none, and an account in ~/.netrc is none of its either.
            follow_redirects="none",
            use_netrc=False,
            http_agent="agentsmith.platform",
        ) as answer:
            status, body = answer.status, answer.read(LARGEST_BODY)
    except HTTPError as error:
        status, body = error.code, error.read(LARGEST_BODY)
    except TimeoutError:
        raise AnsibleActionFail(_unanswered(options, f"no answer within {options['timeout']:g} s")) from None
    except (URLError, UrlConnectionError, OSError) as error:
        raise AnsibleActionFail(_unanswered(options, str(getattr(error, "reason", error)))) from None
    elapsed = time.monotonic() - started
    return {"status": status, "elapsed": round(elapsed, 3), "body": body.decode("utf-8", "replace")}


def _unanswered(options: dict[str, Any], cause: str) -> str:
    return f"{options['type']}: {options['url']} cannot be reached: {cause}. Check the url, and that the app runs."
