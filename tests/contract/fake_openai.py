# SPDX-License-Identifier: GPL-3.0-or-later
"""An OpenAI API whose model plans one file and writes it: which one, it reads out of the ticket.

A ticket's description has to say so: "Write `<path>`: <content>".
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from http import HTTPStatus

from local_http_server import LocalHttpServer, Request, Response, json_response

HOST = "api.openai.com"
LONG = 60.0
"""Seconds that a long ticket takes."""
_TASK = re.compile(r"Write `(?P<path>[^`]+)`: (?P<content>[^\n]+)")
_STEP = re.compile(r"^\s*1\. \[\w+\] (?P<description>[^\n]*?) \u2192 (?P<path>.+?)\s*$", re.MULTILINE)
_TICKET = re.compile(r"\bfix/(?P<number>\d+)\b")


class FakeOpenAi:
    """Serves until close()."""

    def __init__(self, key: str, refused_ticket: int, long_ticket: int) -> None:
        """`key` is the only one that is accepted. Carrying out a plan is refused, or takes long, for two tickets."""
        self.models: list[str] = []
        """The model that each request asked for."""
        self._key = key
        self._refused_ticket = refused_ticket
        self._long_ticket = long_ticket
        self._closing = threading.Event()
        self._server = LocalHttpServer(self._respond)
        self.port = self._server.port

    def close(self) -> None:
        """Stop serving."""
        self._closing.set()
        self._server.close()

    def _respond(self, request: Request) -> Response:
        if request.headers.get("Authorization") != f"Bearer {self._key}":
            return _error(HTTPStatus.UNAUTHORIZED, "Incorrect API key provided.", "invalid_api_key")
        if (request.method, request.path) != ("POST", "/v1/chat/completions"):
            return _error(HTTPStatus.NOT_FOUND, f"Unknown request URL: {request.method} {request.path}", "unknown_url")
        body = json.loads(request.body)
        self.models.append(body["model"])
        messages = body["messages"]
        asked = "\n".join(_text(message) for message in messages if message["role"] == "user")
        if messages[-1]["role"] == "tool":
            return self._after_a_tool(body)
        if not body.get("tools"):
            return self._plan(body, asked)
        return self._carry_out(body, asked)

    def _plan(self, body: dict[str, object], asked: str) -> Response:
        task = _TASK.search(asked)
        if task is None:
            return _error(HTTPStatus.BAD_REQUEST, "no file to write in the ticket", "no_task")
        step = {"order": 1, "description": task[0], "target_file": task["path"], "change_type": "Create"}
        return _completion(body, {"content": json.dumps({"summary": f"Write {task['path']}", "steps": [step]})})

    def _carry_out(self, body: dict[str, object], asked: str) -> Response:
        step, ticket = _STEP.search(asked), _TICKET.search(asked)
        task = _TASK.fullmatch(step["description"]) if step else None
        if task is None or ticket is None:
            return _error(HTTPStatus.BAD_REQUEST, "no step of a plan, or no branch fix/<ticket>", "no_step")
        if int(ticket["number"]) == self._refused_ticket:
            return _error(HTTPStatus.UNAUTHORIZED, f"Ticket {ticket['number']} is not for this key.", "invalid_api_key")
        if int(ticket["number"]) == self._long_ticket:
            self._closing.wait(LONG)
        if "write_file" not in [tool["function"]["name"] for tool in body["tools"]]:
            return _error(HTTPStatus.BAD_REQUEST, "no tool write_file", "no_tool")
        function = {"name": "write_file", "arguments": json.dumps(task.groupdict())}
        call = {"id": f"call_{secrets.token_hex(8)}", "type": "function", "function": function}
        return _completion(body, {"content": None, "tool_calls": [call]}, "tool_calls")

    def _after_a_tool(self, body: dict[str, object]) -> Response:
        before, result = body["messages"][-2:]
        if result["tool_call_id"] not in [call["id"] for call in before.get("tool_calls", [])]:
            return _error(HTTPStatus.BAD_REQUEST, "'tool_call_id' is of no tool call in the message before", "no_call")
        return _completion(body, {"content": f"The tool said: {_text(result)}"})


def _text(message: dict[str, object]) -> str:
    """Return a message's content, which is a text or a list of parts."""
    content = message["content"]
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content)


def _completion(body: dict[str, object], message: dict[str, object], finish_reason: str = "stop") -> Response:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    choice = {"index": 0, "message": {"role": "assistant", "refusal": None, **message}, "finish_reason": finish_reason}
    node = {"id": f"chatcmpl-{secrets.token_hex(8)}", "object": "chat.completion", "created": 1767355200}
    return json_response(
        HTTPStatus.OK, node | {"model": body["model"], "choices": [choice | {"logprobs": None}], "usage": usage}
    )


def _error(status: int, message: str, code: str) -> Response:
    return json_response(
        status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}
    )
