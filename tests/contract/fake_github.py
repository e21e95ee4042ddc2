# SPDX-License-Identifier: GPL-3.0-or-later
"""A GitHub with one private repository: its REST API as Octokit calls it, and git over smart HTTP by git itself."""

from __future__ import annotations

import base64
import binascii
import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest
from local_http_server import LocalHttpServer, Request, Response, json_response

OWNER, REPOSITORY = "example", "agent-smith-test"
API_HOST, GIT_HOST = "api.github.com", "github.com"
_API_PATH = re.compile(rf"/repos/{OWNER}/{REPOSITORY}(?P<rest>/.*)?")


@dataclass
class Issue:
    """A ticket."""

    number: int
    title: str
    body: str
    state: str = "open"
    comments: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def as_node(self) -> dict[str, object]:
        return {
            "id": 1000 + self.number,
            "number": self.number,
            "state": self.state,
            "title": self.title,
            "body": self.body,
            "comments": len(self.comments),
            "labels": [{"name": name} for name in self.labels],
            "url": f"https://{API_HOST}/repos/{OWNER}/{REPOSITORY}/issues/{self.number}",
            "html_url": f"https://{GIT_HOST}/{OWNER}/{REPOSITORY}/issues/{self.number}",
            "created_at": "2026-01-02T12:00:00Z",
            "user": {"login": OWNER, "id": 1},
        }


class FakeGitHub:
    """Serves until close(). `api` and `git` are the ports of its two hosts."""

    def __init__(self, directory: Path, token: str) -> None:
        """Make the repository below a directory; `token` is the only one that may do anything."""
        self.issues: dict[int, Issue] = {}
        self.pull_requests: list[dict[str, object]] = []
        self.repository = directory / OWNER / f"{REPOSITORY}.git"
        self._root = directory
        self._token = token
        _make_repository(self.repository)
        self._servers = [LocalHttpServer(self._respond_api), LocalHttpServer(self._respond_git)]
        self.api, self.git = (server.port for server in self._servers)

    def close(self) -> None:
        """Stop serving."""
        for server in self._servers:
            server.close()

    def open_issue(self, number: int, title: str, body: str) -> Issue:
        """Make a ticket."""
        self.issues[number] = Issue(number, title, body)
        return self.issues[number]

    def file(self, branch: str, path: str) -> str:
        """Return a file's content on a branch. Raises subprocess.CalledProcessError where it is not there."""
        return _git(self.repository, "show", f"{branch}:{path}")

    def branches(self) -> list[str]:
        """Return the names of all branches."""
        return _git(self.repository, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()

    def _respond_api(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() not in ("token", "bearer") or token != self._token:
            return json_response(HTTPStatus.UNAUTHORIZED, {"message": "Bad credentials"})
        path = _API_PATH.fullmatch(request.path)
        node = json.loads(request.body) if request.body else {}
        return self._repository_call(request.method, path["rest"] or "", node) if path else _not_found()

    def _repository_call(self, method: str, path: str, node: object) -> Response:
        if (method, path) == ("GET", ""):
            return json_response(
                HTTPStatus.OK, {"id": 1, "name": REPOSITORY, "private": True, "default_branch": "main"}
            )
        if (method, path) == ("GET", "/issues"):
            found = [issue.as_node() for issue in self.issues.values() if issue.state == "open"]
            return json_response(HTTPStatus.OK, found)
        if (method, path) == ("POST", "/pulls"):
            return self._open_pull_request(node)
        match = re.fullmatch(r"/issues/(\d+)(/comments|/labels)?", path)
        issue = self.issues.get(int(match[1])) if match else None
        return self._issue_call(method, issue, match[2], node) if issue else _not_found()

    def _issue_call(self, method: str, issue: Issue, part: str | None, node: object) -> Response:
        if (method, part) == ("POST", "/comments"):
            issue.comments.append(node["body"])
            return json_response(HTTPStatus.CREATED, {"id": len(issue.comments), "body": node["body"]})
        if (method, part) == ("GET", "/comments"):
            found = [{"id": number, "body": body} for number, body in enumerate(issue.comments, start=1)]
            return json_response(HTTPStatus.OK, found)
        if (method, part) == ("POST", "/labels"):
            issue.labels += node["labels"] if isinstance(node, dict) else node
            return json_response(HTTPStatus.OK, [{"name": name} for name in issue.labels])
        if method == "PATCH" and part is None:
            for name in ("title", "body", "state"):
                if node.get(name) is not None:
                    setattr(issue, name, node[name])
        elif method != "GET" or part is not None:
            return _not_found()
        return json_response(HTTPStatus.OK, issue.as_node())

    def _open_pull_request(self, node: dict[str, object]) -> Response:
        head, base = node.get("head"), node.get("base")
        if not {head, base} <= set(self.branches()):
            return _unprocessable("field head or base is invalid")
        if _git(self.repository, "rev-list", "--count", f"{base}..{head}").strip() == "0":
            return _unprocessable(f"No commits between {base} and {head}")
        if head in [pull_request["head"]["ref"] for pull_request in self.pull_requests]:
            return _unprocessable(f"A pull request already exists for {OWNER}:{head}.")
        number = 2000 + len(self.pull_requests)
        pull_request = {
            "id": number,
            "number": number,
            "state": "open",
            "title": node["title"],
            "body": node.get("body"),
            "head": {"ref": head, "label": f"{OWNER}:{head}"},
            "base": {"ref": base, "label": f"{OWNER}:{base}"},
            "url": f"https://{API_HOST}/repos/{OWNER}/{REPOSITORY}/pulls/{number}",
            "html_url": f"https://{GIT_HOST}/{OWNER}/{REPOSITORY}/pull/{number}",
        }
        self.pull_requests.append(pull_request)
        return json_response(HTTPStatus.CREATED, pull_request)

    def _respond_git(self, request: Request) -> Response:
        if not self._may_use_git(request.headers.get("Authorization", "")):
            challenge = {"WWW-Authenticate": 'Basic realm="GitHub"', "Content-Type": "text/plain"}
            return Response(HTTPStatus.UNAUTHORIZED, b"Authentication failed", challenge)
        # GitHub knows a repository with and without the suffix.
        path = re.sub(rf"^/{OWNER}/{REPOSITORY}(\.git)?/", f"/{OWNER}/{REPOSITORY}.git/", request.path)
        variables = {
            "GIT_PROJECT_ROOT": str(self._root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH_INFO": path,
            "QUERY_STRING": request.query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(request.body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
            # A known user may push.
            "REMOTE_USER": OWNER,
        }
        command = [_git_program(), "http-backend"]
        answer = subprocess.run(command, env=variables, input=request.body, capture_output=True, check=True).stdout
        return _from_cgi(answer)

    def _may_use_git(self, authorization: str) -> bool:
        """Whether the token is the name or the password: libgit2 in the app sends it as the name."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            name, _, password = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and self._token in (name, password)


def _from_cgi(output: bytes) -> Response:
    head, _, body = output.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    status = int(headers.pop("Status", "200").split()[0])
    return Response(status, body, headers)


def _not_found() -> Response:
    return json_response(HTTPStatus.NOT_FOUND, {"message": "Not Found"})


def _unprocessable(message: str) -> Response:
    errors = [{"resource": "PullRequest", "code": "custom", "message": message}]
    return json_response(HTTPStatus.UNPROCESSABLE_ENTITY, {"message": "Validation Failed", "errors": errors})


def _make_repository(directory: Path) -> None:
    directory.mkdir(parents=True)
    _git(directory, "init", "--quiet", "--bare", "--initial-branch=main")
    blob = _git(directory, "hash-object", "-w", "--stdin", stdin="# agent-smith-test\n").strip()
    tree = _git(directory, "mktree", stdin=f"100644 blob {blob}\tREADME.md\n").strip()
    person = ("-c", f"user.name={OWNER}", "-c", "user.email=example@example.org")
    commit = _git(directory, *person, "commit-tree", tree, "-m", "First commit").strip()
    _git(directory, "update-ref", "refs/heads/main", commit)


def _git(repository: Path, *arguments: str, stdin: str = "") -> str:
    command = [_git_program(), "-C", str(repository), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=True, text=True, encoding="utf-8").stdout


def _git_program() -> str:
    program = shutil.which("git")
    if program is None:
        pytest.fail("git is not on PATH: install it, on Debian with 'apt-get install git'.")
    return program
