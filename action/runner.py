"""What the scripts of the action have from GitHub's runner: inputs, outputs, commands.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

EXIT_USAGE = 2


class InputError(Exception):
    """What the workflow asks for cannot be done; the text says why."""


def text_of(name: str) -> str:
    """An input as it is written."""
    return os.environ.get(f"INPUT_{name.replace('-', '_').upper()}", "").strip()


def flag_of(name: str) -> bool:
    """An input that is true or false; raises InputError for another."""
    text = text_of(name) or "false"
    if text not in ("true", "false"):
        raise InputError(f"{name} must be true or false, and is '{text}'")
    return text == "true"


def words_of(name: str) -> list[str]:
    """The words of an input, separated and quoted as in a shell; raises InputError."""
    try:
        return shlex.split(text_of(name))
    except ValueError as error:
        raise InputError(f"{name} cannot be split into words: {error}") from error


def event() -> dict[str, Any]:
    """What has started the workflow; nothing where the runner does not say."""
    path = os.environ.get("GITHUB_EVENT_PATH", "")
    if not os.path.isfile(path):
        return {}
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def output(name: str, value: object) -> None:
    """The step has this output."""
    end = secrets.token_hex(16)
    _append("GITHUB_OUTPUT", f"{name}<<{end}\n{value}\n{end}\n")


def summarise(text: str) -> None:
    """The summary of the step has this text."""
    _append("GITHUB_STEP_SUMMARY", text)


def tell(kind: str, text: str) -> None:
    """An annotation of the run: an error, a warning or a notice."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::{kind} title=archlint::{escaped}", flush=True)


@contextmanager
def no_commands() -> Iterator[None]:
    """The runner takes nothing that is printed here for a command."""
    token = secrets.token_hex(16)
    print(f"::stop-commands::{token}", flush=True)
    try:
        yield
    finally:
        print(f"\n::{token}::", flush=True)


def cut(text: str, limit: int) -> str:
    """The text in at most ``limit`` bytes of UTF-8, cut between lines."""
    if len(text.encode()) <= limit:
        return text
    note = "\n\nThe rest is in the report.\n"
    whole = text.encode()[: limit - len(note) - _SPARE].decode(errors="ignore")
    kept = whole[: whole.rfind("\n") + 1]
    opened = kept.count("<details") - kept.count("</details>")
    return kept + "\n</details>\n" * min(opened, _SPARE // 12) + note


def run(main: Callable[[], int]) -> NoReturn:
    """Leaves with what ``main`` returns; what the workflow has wrong is annotated."""
    try:
        code = main()
    except InputError as error:
        tell("error", str(error))
        code = EXIT_USAGE
    sys.exit(code)


_SPARE = 1200  # bytes for what closes the blocks of a text that is cut


def _append(variable: str, text: str) -> None:
    if path := os.environ.get(variable):
        with open(path, "a", encoding="utf-8", newline="\n") as file:
            file.write(text)
