"""Runs of ``check`` that are remembered: where nothing has changed, their words are said again.

Nothing is imported for it but what tells that nothing has changed: the arguments, the environment,
the terminal, the day, and every file and folder that the run has looked at, with those of archlint,
of its plugins and of Python. Where one differs, archlint runs as if there were no memo.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from archlint import __version__
from archlint.analyzer.timing.prediction.cache import cache_folder
from archlint.cache_folder import Kept, is_switched_off
from archlint.output import EXIT_FINDINGS, replace_file
from archlint.states import FILE, FOLDER, Thing, state_of

if TYPE_CHECKING:
    from archlint.recording import Recording

KEPT = Kept("runs", 50_000_000)
_KEPT = (KEPT.name, "answers", "contents")
_LARGEST = 10_000_000  # characters that a run tells
_FORM = 1  # of a memo; another one is not read
_UNTOLD = ("_", "OLDPWD", "PWD", "SHLVL")  # variables that every shell changes and nothing reads
# Options of runs that write more than they tell, that run something, or look elsewhere.
_NEVER = frozenset({
    "-", "-h", "--help", "--execute", "--verify", "--base", "--write-baseline", "--prune-baseline",
    "--add-ignore", "--watch", "--no-cache",
})  # fmt: skip


def remembered(arguments: Sequence[str], run: Callable[[], int]) -> int:
    """The exit code of the run of these arguments, which has told what it has to tell: again, or
    for the first time."""
    if not _may_be_remembered(arguments):
        return run()
    try:
        key = _key(arguments)
    except (OSError, ValueError):  # no working directory, or no text
        return run()
    if (memo := _known(key)) is not None:
        return _told_again(memo)
    from archlint.recording import recorded  # late: what is said again is not heard

    folders = folders_of_cache()
    try:
        for folder in folders:  # so that the run finds the cache as the next one does
            os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError:
        return run()
    with recorded(folders) as recording:
        code = run()
    if code in (0, EXIT_FINDINGS) and recording.is_plain and not recording.is_doubtful:
        _remember(key, recording, code)
    return code


def folders_of_cache() -> list[str]:
    """Where what is kept from run to run is; no run tells anything else for it."""
    return [os.path.join(os.path.abspath(cache_folder()), name) for name in _KEPT]


def _may_be_remembered(arguments: Sequence[str]) -> bool:
    """Whether nothing in the arguments speaks against it."""
    if os.name != "posix" or is_switched_off() or not arguments:
        return False
    return not any(
        argument.partition("=")[0] in _NEVER or "://" in argument for argument in arguments
    )


def _key(arguments: Sequence[str]) -> str:
    """The digest of all but files that decides what a run tells."""
    variables = sorted(pair for pair in os.environ.items() if pair[0] not in _UNTOLD)
    streams = [
        (stream.isatty(), stream.encoding, stream.errors) for stream in (sys.stdout, sys.stderr)
    ]
    columns = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 0
    python = sys.version, sys.executable, sys.path, list(sys.flags), sys.warnoptions
    person = os.getuid(), os.geteuid(), os.getgid(), os.getgroups(), os.uname().nodename
    day = time.strftime("%Y-%m-%d")
    parts = (
        _FORM, __version__, list(arguments), os.getcwd(), variables, streams, columns, python,
        person, day,
    )  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _known(key: str) -> dict[str, Any] | None:
    """The memo of this key, if all that it depends on is as it was."""
    content = KEPT.read(f"{key}.json")
    if content is None or not _is_ours(os.path.join(KEPT.folder, f"{key}.json")):
        return None
    try:
        stated, _, text = content.partition(b"\n")
        if stated != hashlib.sha256(text).hexdigest().encode():
            return None
        memo: dict[str, Any] = json.loads(text)
        same = memo["state"] == _state([(kind, path) for kind, path in memo["things"]])
        same = same and all(_is_plain(path) for path, _ in memo["outputs"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return memo if same else None


def _is_ours(path: str) -> bool:
    """Whether nobody else can have written a memo: it says what is written where."""
    try:
        states = os.lstat(path), os.stat(os.path.dirname(path))
    except OSError:
        return False
    user = os.geteuid()
    return all(s.st_uid == user and not s.st_mode & (stat.S_IWGRP | stat.S_IWOTH) for s in states)


def _is_plain(path: str) -> bool:
    """Whether a file can be written there, and leads nowhere else: to a model, say."""
    return os.path.realpath(path) == path and (os.path.isfile(path) or not os.path.exists(path))


def _told_again(memo: dict[str, Any]) -> int:
    from archlint.analyzer.errors import ConfigError

    for path, text in memo["outputs"]:
        try:
            replace_file(path, text)
        except OSError as error:
            raise ConfigError(path, f"cannot be written: {error.strerror}") from error
    for name, text in memo["told"]:
        stream = sys.stdout if name == "stdout" else sys.stderr
        stream.write(text)
        stream.flush()
    code: int = memo["code"]
    return code


def _remember(key: str, recording: Recording, code: int) -> None:
    """Keep what a run has told, if nothing has changed meanwhile."""
    outputs = recording.outputs()
    for kind, path in _surroundings():
        recording.look(kind, path)
    if recording.is_doubtful or not recording.is_settled(outputs):
        return
    things = sorted(thing for thing in recording.seen if thing[1] not in outputs)
    try:
        written = [(path, _text(path)) for path in outputs]
        if sum(len(text) for _, text in (*written, *recording.told)) > _LARGEST:
            return
        memo = {
            "state": _state(things), "things": things, "told": recording.told, "outputs": written,
            "code": code,
        }  # fmt: skip
        text = json.dumps(memo).encode()
    except (OSError, ValueError):
        return
    KEPT.write(f"{key}.json", hashlib.sha256(text).hexdigest().encode() + b"\n" + text)


def _text(path: str) -> str:
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def _state(things: Sequence[Thing]) -> str:
    found = hashlib.sha256()
    for kind, path in things:
        found.update(f"{state_of(kind, path)}\n".encode())
    return found.hexdigest()


def _surroundings() -> Iterator[Thing]:
    """The code that a run may have run, where there could be other, and what is known of
    machines."""
    from archlint.code_files import own_files

    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            yield FILE, file
    for path in own_files():
        yield FILE, path
    for place in sys.path:
        yield FOLDER, place or os.curdir
        for name in _names(place or os.curdir):
            if name.endswith(".pth"):
                yield FILE, os.path.join(place, name)
    for name in _names(cache_folder()):
        if name.startswith("machine-"):
            yield FILE, os.path.join(cache_folder(), name)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
