"""The comment of the action, at a server on this machine that stands in for GitHub's API."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runner_of_github import Ran, Runner

MARKER = "<!-- archlint:archlint -->"
GIVEN = "a-token-of-the-run"
COMMENTS = "/repos/o/r/issues/7/comments"
EVENT = {"pull_request": {"number": 7}}


@dataclass
class Forge:
    """The comments of a pull request, and what was asked of them."""

    address: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    denies: str = ""
    status: int = 403
    answer: bytes | None = None

    def write(self, body: str, author: object) -> None:
        """A comment is there."""
        self.comments.append({"id": len(self.comments) + 1, "body": body, "user": author})

    def take(self, method: str, path: str, content: Any) -> object:
        """What the API answers."""
        place, _, query = path.partition("?")
        if method == "GET":
            page = int(query.rpartition("page=")[2])
            return self.comments[100 * (page - 1) : 100 * page]
        if method == "POST":
            assert place == COMMENTS
            self.write(content["body"], {"type": "Bot"})
            return self.comments[-1]
        comment = self.comments[int(place.removeprefix("/repos/o/r/issues/comments/")) - 1]
        comment["body"] = content["body"]
        return comment


@pytest.fixture
def forge() -> Iterator[Forge]:
    """A server on the loopback interface."""
    made = Forge()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            made.asked.append((self.command, self.path))
            made.tokens.add(self.headers["Authorization"])
            length = int(self.headers.get("Content-Length") or 0)
            content = json.loads(self.rfile.read(length) or b"null")
            denied = self.command == made.denies
            found = {} if denied else made.take(self.command, self.path, content)
            self.send_response(made.status if denied else 200)
            if made.status == 302:
                self.send_header("Location", f"{made.address}/elsewhere?page=1")
            self.end_headers()
            self.wfile.write(made.answer or json.dumps(found).encode())

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 - as the server names them

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def comment(tmp_path: Path, forge: Forge, text: str, event: object = EVENT, key: str = "") -> Ran:
    """The step that comments."""
    report = tmp_path / "report.md"
    report.write_text(text, "utf-8")
    variables = {
        "MARKDOWN_FILE": str(report),
        "GITHUB_TOKEN": GIVEN,
        "GITHUB_API_URL": forge.address,
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_SERVER_URL": "https://github.localhost",
        "GITHUB_RUN_ID": "5",
        "no_proxy": "127.0.0.1",
    }
    runner = Runner(tmp_path, tmp_path)
    return runner.step("comment.py", {"COMMENT_KEY": key}, event=event, variables=variables)


def test_one_comment_is_kept_up_to_date(tmp_path: Path, forge: Forge) -> None:
    """Made by the first run, changed by the next."""
    for text in ("# first", "# second"):
        ran = comment(tmp_path, forge, text)
        assert (ran.code, ran.obeyed) == (0, [])
    link = "[The whole run](https://github.localhost/o/r/actions/runs/5)"
    assert [one["body"] for one in forge.comments] == [f"{MARKER}\n# second\n{link}\n"]
    assert [method for method, _ in forge.asked] == ["GET", "POST", "GET", "PATCH"]
    assert forge.tokens == {f"Bearer {GIVEN}"}


def test_only_an_own_comment_is_changed(tmp_path: Path, forge: Forge) -> None:
    """Not that of a person with the marker, of nobody, of another key, or that quotes it."""
    others = [
        (f"{MARKER}\nperson", {"type": "User"}), (f"{MARKER}\ngone", None),
        ("<!-- archlint:other -->\nbot", {"type": "Bot"}), (f"> {MARKER}", {"type": "Bot"}),
    ]  # fmt: skip
    for one in others:
        forge.write(*one)
    comment(tmp_path, forge, "# new")
    assert [one["body"] for one in forge.comments[:4]] == [body for body, _ in others]
    assert len(forge.comments) == 5
    comment(tmp_path, forge, "# other", key="other")
    assert "# other" in forge.comments[2]["body"]


def test_a_comment_of_a_later_page_is_found(tmp_path: Path, forge: Forge) -> None:
    """The API tells a hundred at a time."""
    for _ in range(200):
        forge.write("talk", {"type": "User"})
    forge.write(MARKER, {"type": "Bot"})
    comment(tmp_path, forge, "# new")
    assert len(forge.comments) == 201
    assert "# new" in forge.comments[200]["body"]


def test_a_long_report_is_cut(tmp_path: Path, forge: Forge) -> None:
    """GitHub takes 65,536 characters."""
    comment(tmp_path, forge, "é line\n" * 50_000)
    body = forge.comments[0]["body"]
    assert 58_000 < len(body.encode()) < 65_536
    assert "The rest is in the report." in body


@pytest.mark.parametrize(
    ("method", "status", "said"),
    [
        ("GET", 404, "from a fork never may"),
        ("POST", 403, "'pull-requests: write'"),
        ("POST", 401, "may not write comments"),
        ("GET", 502, "GitHub did not take it, HTTP 502"),
    ],
)
def test_what_github_refuses(
    method: str, status: int, said: str, tmp_path: Path, forge: Forge
) -> None:
    """Is a notice; the check passes and fails by what archlint found."""
    forge.denies, forge.status = method, status
    ran = comment(tmp_path, forge, "# text")
    assert ran.code == 0
    (notice,) = ran.told("notice")
    assert said in notice
    assert GIVEN not in ran.log


@pytest.mark.parametrize("answer", [b"<html>", b"[{}]", b"[3]"])
def test_an_api_that_answers_something_else(answer: bytes, tmp_path: Path, forge: Forge) -> None:
    """Is a warning."""
    forge.answer = answer
    ran = comment(tmp_path, forge, "# text")
    assert (ran.code, len(ran.told("warning"))) == (0, 1)


def test_an_api_that_is_not_there(tmp_path: Path, forge: Forge) -> None:
    """Is a warning too."""
    forge.address = "http://127.0.0.1:9"
    ran = comment(tmp_path, forge, "# text")
    assert (ran.code, len(ran.told("warning"))) == (0, 1)


def test_the_token_is_not_taken_elsewhere(tmp_path: Path, forge: Forge) -> None:
    """Where the API redirects to."""
    forge.denies, forge.status = "GET", 302
    comment(tmp_path, forge, "# text")
    places = [path.partition("?")[0] for _, path in forge.asked]
    assert places[:2] == [COMMENTS, "/elsewhere"]
    assert None in forge.tokens


def test_without_a_pull_request(tmp_path: Path, forge: Forge) -> None:
    """Nothing is asked."""
    ran = comment(tmp_path, forge, "# text", event={"ref": "refs/heads/main"})
    assert (ran.code, len(ran.told("notice")), forge.asked) == (0, 1, [])


@pytest.mark.parametrize("key", ["a b", "-->", "é", "a\nb", "x" * 61])
def test_a_key_that_ends_the_marker(key: str, tmp_path: Path, forge: Forge) -> None:
    """Is wrong use."""
    ran = comment(tmp_path, forge, "# text", key=key)
    assert (ran.code, len(ran.told("error")), forge.asked) == (2, 1, [])
