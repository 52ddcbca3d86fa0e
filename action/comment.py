"""Keep one comment at the pull request up to date.

https://docs.github.com/en/rest/issues/comments"""

from __future__ import annotations

import json
import os
import re
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from runner import InputError, cut, event, run, tell, text_of

_LONGEST = 60_000  # bytes; GitHub takes 65,536 characters
_PAGE, _PAGES = 100, 30
_DENIED = (401, 403, 404)
_KEY = re.compile(r"[\w.-]{1,60}", re.ASCII)


def ask(method: str, path: str, content: object = None) -> Any:
    """What the API answers."""
    address = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}"
    data = None if content is None else json.dumps(content).encode()
    request = Request(address, data, method=method)  # noqa: S310 - the runner says where the API is
    request.add_header("Accept", "application/vnd.github+json")
    request.add_header("Content-Type", "application/json")
    # Unredirected: nobody else gets the token.
    request.add_unredirected_header("Authorization", f"Bearer {os.environ['GITHUB_TOKEN']}")
    with urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
        return json.load(answer)


def own_comment(number: int, marker: str) -> int | None:
    """The comment of an earlier run: one of a bot, for anybody can write the marker."""
    for page in range(1, _PAGES + 1):
        found = ask("GET", f"issues/{number}/comments?per_page={_PAGE}&page={page}")
        for one in found:
            author = one["user"] or {}  # nobody, where the account is gone
            if one["body"].startswith(marker) and author.get("type") == "Bot":
                return int(one["id"])
        if len(found) < _PAGE:
            return None
    return None


def body(marker: str) -> str:
    """The report behind its marker, and the run that it is from."""
    text = Path(os.environ["MARKDOWN_FILE"]).read_text(encoding="utf-8")
    where = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}"
    link = where.format_map(os.environ)
    return f"{marker}\n{cut(text, _LONGEST)}\n[The whole run]({link})\n"


def put(number: int, marker: str) -> None:
    """The comment says what this run found."""
    content = {"body": body(marker)}
    comment = own_comment(number, marker)
    if comment is None:
        ask("POST", f"issues/{number}/comments", content)
    else:
        ask("PATCH", f"issues/comments/{comment}", content)


def main() -> int:
    """Comment where that is possible; where it is not, the check is none the worse."""
    key = text_of("comment-key") or "archlint"
    if _KEY.fullmatch(key) is None:
        raise InputError(f"comment-key must be letters, digits, '.', '_' and '-', and is '{key}'")
    request = event().get("pull_request")
    if request is None:
        tell("notice", "no comment: the run is of no pull request; the summary has the report")
        return 0
    try:
        put(int(request["number"]), f"<!-- archlint:{key} -->")
    except HTTPError as error:
        denied = (
            "the token may not write comments (that of a pull request from a fork never may, "
            "others need 'pull-requests: write')"
        )
        why = denied if error.code in _DENIED else "GitHub did not take it"
        tell("notice", f"no comment: {why}, HTTP {error.code}; the summary has the report")
    except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
        tell("warning", f"no comment: GitHub's API gave no answer that can be used: {error}")
    return 0


if __name__ == "__main__":
    run(main)
