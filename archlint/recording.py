"""What a run of archlint looks at and what it tells, so that it need not be run again.

Every file that Python opens and every folder that it lists is seen by an audit hook, every look-up
of a path by ``os.stat`` and ``os.lstat``. What cannot be seen through these is doubtful, and a
doubtful run is not remembered.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from archlint.states import (
    COMPILED,
    FILE,
    FOLDER,
    LINK,
    Thing,
    lstat_of,
    stat_of,
    state_of,
    whole_path,
)

_TICK = 2.0  # seconds: what was written within them may be written again and look the same
_STREAMS = "stdout", "stderr"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# What other processes and machines see is not seen here. The process that forks others of its kind
# starts without such an event, and what those read is known: see ``batch``.
_DOUBTFUL = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.chdir")
_PROCESSOR = "/proc/cpuinfo"  # who uses the same cache on another machine has another name for it
_CHANGING = ("/proc/", "/sys/", "/dev/")
_COMPILED = os.path.join(os.sep, COMPILED, "")


class Recording:
    """One run: the state of each thing when it was first looked at, what was told, and what was
    written."""

    def __init__(self, left_out: Iterable[str]) -> None:  # how paths begin that do not count
        self.seen: dict[Thing, str] = {}
        self.told: list[tuple[str, str]] = []  # the name of a stream, and a text
        self.written: set[str] = set()
        self.moved: set[str] = set()  # to where
        self.made: set[str] = set()  # folders, all of which are for a while
        self.is_doubtful = False
        self.is_plain = False
        self.begin = time.time()
        self._hearing: set[int] = set()  # the threads that take note of something
        self._left_out = tuple(left_out)

    def look(self, kind: str, path: Any, state: str | None = None) -> None:
        """Remember the state of a thing, unless it was looked at before."""
        if isinstance(path, int):
            if kind != FOLDER:  # of a file that was opened
                return
            path = _named(path)
        whole = whole_path(path)
        if (kind, whole) in self.seen or whole == _PROCESSOR or self._is_left_out(whole):
            return
        self.is_doubtful |= whole.startswith(_CHANGING)
        self.seen[kind, whole] = state_of(kind, whole) if state is None else state

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of an audit event, but for those of taking note."""
        thread = threading.get_ident()
        if thread in self._hearing:
            return
        self._hearing.add(thread)
        try:
            self._hear(event, arguments)
        except (OSError, TypeError, ValueError):
            self.is_doubtful = True
        finally:
            self._hearing.discard(thread)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & _WRITES and not isinstance(path, int):
                self.written.add(whole_path(path))
            else:
                self.look(FILE, path)
        elif event in ("os.listdir", "os.scandir"):
            self.look(FOLDER, os.curdir if arguments[0] is None else arguments[0])
        elif event == "os.rename":
            self.moved.add(whole_path(arguments[1]))
        elif event == "os.mkdir":
            self.made.add(whole_path(arguments[0]))
        elif event.startswith(_DOUBTFUL):
            self.is_doubtful = True
        elif event == "socket.connect":  # a path leads to a process that this one has started
            self.is_doubtful |= not isinstance(arguments[1], str | bytes)

    def outputs(self) -> list[str]:
        """The files that the run has left behind, apart from what it keeps for itself; it is
        doubtful if some were not written whole before they got their names."""
        kept = sorted(path for path in self.moved if not self._is_left_out(path))
        made, self.made = self.made, set()
        for path in made | self.written:
            if not self._is_left_out(path) and path not in kept and os.path.lexists(path):
                self.is_doubtful = True
        return kept

    def is_settled(self, outputs: Iterable[str]) -> bool:
        """Whether all is as it was when it was looked at, and a change would show."""
        changed = set(outputs)
        for (kind, path), state in self.seen.items():
            if path in changed:
                continue
            if state_of(kind, path) != state or (kind != FOLDER and self._is_fresh(path)):
                return False
        return True

    def _is_left_out(self, path: str) -> bool:
        inside = os.path.join(path, "")
        if inside.startswith(self._left_out) or _COMPILED in inside:
            return True
        return any(inside.startswith(os.path.join(folder, "")) for folder in self.made)

    def _is_fresh(self, path: str) -> bool:
        try:
            status = lstat_of(path), stat_of(path)
        except (OSError, ValueError):
            return False
        return any(
            max(one.st_mtime, one.st_ctime) > self.begin - _TICK
            for one in status
            if not stat.S_ISDIR(one.st_mode)
        )


def _named(descriptor: int) -> str:
    """The path of an open folder; one that cannot be told is one that changes all the time."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return "/dev/fd"


_current: list[Recording] = []  # the run of this process: an audit hook is there for good
_hooked: list[bool] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for recording in _current:
        recording.hear(event, arguments)


def doubt() -> None:
    """Tell that what this run does could not be seen."""
    for recording in _current:
        recording.is_doubtful = True


def plain() -> None:
    """Tell that this run does nothing but to look at models."""
    for recording in _current:
        recording.is_plain = True


@contextmanager
def recorded(left_out: Iterable[str]) -> Iterator[Recording]:
    """Record what happens; what is in the folders that are left out does not count."""
    from tempfile import gettempdir

    sockets = os.path.join(os.path.abspath(gettempdir()), "pymp-")  # of the processes of a pool
    recording = Recording([*(os.path.join(folder, "") for folder in left_out), sockets])
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked.append(True)
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (
        _Heard(recording, *one) for one in zip(_STREAMS, streams, strict=True)
    )
    os.stat, os.lstat = _seeing(recording, FILE, stat_of), _seeing(recording, LINK, lstat_of)
    _current.append(recording)
    recording.is_doubtful = not _sees_all(recording)
    try:
        yield recording
    finally:
        _current.clear()
        os.stat, os.lstat = stat_of, lstat_of
        sys.stdout, sys.stderr = streams


def _seeing(recording: Recording, kind: str, look: Callable[..., Any]) -> Callable[..., Any]:
    """The function of ``os``, which also tells what it is asked."""

    def seen(path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> Any:
        folder = "" if dir_fd is None else _named(dir_fd)
        if not isinstance(path, int):
            whole = os.path.join(folder, os.fsdecode(path))
            recording.look(kind if follow_symlinks else LINK, whole)
        if kind == LINK:
            return look(path, dir_fd=dir_fd)
        return look(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    return seen


def _sees_all(recording: Recording) -> bool:
    """Whether the ways in which Python looks a path up lead through what is watched here."""
    asked = os.path.exists, os.path.isfile, os.path.isdir, os.path.lexists, os.path.islink
    paths = [os.path.join(os.curdir, f".archlint-{number}") for number in range(len(asked))]
    for ask, path in zip(asked, paths, strict=True):
        ask(path)
    wanted = {whole_path(path) for path in paths}
    return wanted <= {path for _, path in recording.seen}


class _Heard:
    """A stream of which it is remembered what is written to it."""

    def __init__(self, recording: Recording, name: str, stream: Any) -> None:
        self._recording = recording
        self._name = name
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text; what a display of progress paints is not what a run tells."""
        if self._name == "stdout" or not any(sign in text for sign in "\x1b\r"):
            self._recording.told.append((self._name, text))
        written: int = self._stream.write(text)
        return written

    def __getattr__(self, name: str) -> Any:
        self._recording.is_doubtful |= name == "buffer"
        return getattr(self._stream, name)
