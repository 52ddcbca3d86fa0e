"""What a pull request is compared with, and its commit where the clone lacks it."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

from runner import InputError

_GIT = shutil.which("git") or "git"
_SECONDS = 300  # for a fetch


def base_of(wanted: str, event: dict[str, Any]) -> str | None:
    """The base that the workflow wants; None where there is none. Raises InputError where its
    commit cannot be had."""
    if wanted != "auto":
        return None if wanted in ("", "none") else wanted
    if "pull_request" in event:
        merged = _merged_into()
        commit = merged or str(event["pull_request"]["base"]["sha"])
    elif "merge_group" in event:
        merged, commit = None, str(event["merge_group"]["base_sha"])
    else:
        return None
    if not _is_known(commit):
        # The parents of the merge commit that GitHub makes are all the history that is needed.
        if merged is not None:
            _git("fetch", "--quiet", "--no-tags", "--depth=2", "origin", _git("rev-parse", "HEAD"))
        if not _is_known(commit):
            raise InputError(
                f"the history that leads to the base {commit[:12]} is not in the clone; give "
                "actions/checkout 'fetch-depth: 0'"
            )
    return commit


def _merged_into() -> str | None:
    """The first parent of the commit that GitHub has merged to run this, also in a shallow clone;
    None where something else is checked out.

    It is newer than the base of the event, which is that of the last push.
    """
    if _git("rev-parse", "HEAD") != os.environ.get("GITHUB_SHA"):
        return None
    head = _git("cat-file", "commit", "HEAD").partition("\n\n")[0]
    parents = [line[7:] for line in head.splitlines() if line.startswith("parent ")]
    return parents[0] if len(parents) > 1 else None


def _is_known(commit: str) -> bool:
    """Whether the clone has the commit, and the history between it and what is checked out."""
    return bool(_git("merge-base", "HEAD", commit))


def _git(*arguments: str) -> str:
    """What git prints; nothing where it fails."""
    try:
        ran = subprocess.run(
            [_GIT, *arguments], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            encoding="utf-8", errors="replace", timeout=_SECONDS,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""
