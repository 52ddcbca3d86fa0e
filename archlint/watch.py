"""Check again whenever something changes that the check before has looked at.

What a run opens, lists and looks up is recorded, and looked at anew every second: models and what
is beside them, configurations, also those that could appear, baselines, snapshots, folders. The
code of archlint and of plugins is loaded once.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from archlint.analyzer.errors import ArchlintError
from archlint.analyzer.text import plural
from archlint.discovery import shown_path
from archlint.memo import folders_of_cache
from archlint.output import EXIT_INTERRUPTED, complain, remark
from archlint.recording import recorded
from archlint.states import Thing, state_of

_PAUSE = 1.0  # seconds between two looks
_STILL = 0.3  # seconds in which what is being written does not stand still
_MOST_LOOKS = 200  # a minute, after which it is checked as it is
_SHOWN = 3  # changed files that are named

States = Mapping[Thing, str]


def watch(run: Callable[[], int], paths: Sequence[str], pause: float = _PAUSE) -> int:
    """Run, and run again after each change, until Ctrl-C: the exit code is then 130.

    A run that fails is told, and the next one may not. ``paths`` are what was asked for.
    """
    try:
        remark(f"watching {', '.join(map(shown_path, paths))}; Ctrl-C ends it")
        while True:
            before = _looked_at(run)
            while not (changed := _changed(before)):
                time.sleep(pause)
            _wait_until_still(changed)
            remark(_told(changed))
    except KeyboardInterrupt:
        pass
    return EXIT_INTERRUPTED


def _looked_at(run: Callable[[], int]) -> States:
    """What a run has looked at, as it was then."""
    with recorded(folders_of_cache()) as recording:
        try:
            run()
        except ArchlintError as error:
            complain(*str(error).split(": ", 1))
        except SystemExit:  # it has told why
            pass
    outputs = recording.outputs()
    python = tuple(os.path.join(folder, "") for folder in (sys.prefix, sys.base_prefix))
    return {
        thing: state
        for thing, state in recording.seen.items()
        if thing[1] not in outputs and not thing[1].startswith(python)
    }


def _changed(before: States) -> list[Thing]:
    return [thing for thing, state in before.items() if state_of(*thing) != state]


def _wait_until_still(changed: Sequence[Thing]) -> None:
    """Wait until nobody writes to what has changed: a model may take seconds to be written."""
    states = [state_of(*thing) for thing in changed]
    for _ in range(_MOST_LOOKS):
        time.sleep(_STILL)
        last, states = states, [state_of(*thing) for thing in changed]
        if last == states:
            return


def _told(changed: Sequence[Thing]) -> str:
    """The line between two reports."""
    names = sorted({shown_path(path) for _, path in changed})
    more = len(names) - _SHOWN
    listed = ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
    return f"{plural(len(names), 'change')}: {listed}"
