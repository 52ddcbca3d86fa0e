"""Answers about models, which are fetched for it where they are named by a URL."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from archlint.analyzer.errors import ModelError, ModelReadError
from archlint.analyzer.reader.locations import external_files
from archlint.analyzer.report import Failure
from archlint.remote import Address, file_system, is_of_the_web, is_remote, why_of
from archlint.work import Answer, Prepared, Request, Task, answer

_LARGEST = 4 << 30  # bytes of a model, with the external data that is fetched
_CHUNK = 1 << 22


def answer_for(request: Request, task: Task, prepared: Prepared) -> Answer:
    """The answer to a task, whose model is fetched for it where its path is a URL."""
    if not is_remote(task.path) or task.content is not None or task.memory is not None:
        return answer(request, task, prepared)
    from archlint.cache_keys import reads_weights  # late: most models are here

    chosen = prepared.configuration.chosen(task.path)
    try:
        with _fetched(task.path, whole=reads_weights(chosen)) as content:
            return answer(request, Task(task.path, content), prepared)
    except ModelError as error:
        return Answer(failures=(Failure(task.path, error.why),))


@contextmanager
def _fetched(path: str, *, whole: bool) -> Iterator[str]:
    """A file with the content of a model, as long as it is looked at; raises ModelReadError.

    The files of its external data are beside it: their content where they are wanted ``whole``,
    otherwise holes of their size.
    """
    from tempfile import TemporaryDirectory  # late: paths of this machine do without

    url = path.url if isinstance(path, Address) else path
    with TemporaryDirectory(prefix="archlint-", ignore_cleanup_errors=True) as folder:
        content = os.path.join(folder, "model.onnx")
        try:
            files, place = file_system(url)
            if is_of_the_web(url):
                place = url
            left = _LARGEST - _copy(files, place, content, _LARGEST)
            above = posixpath.dirname(re.split("[?#]", place, maxsplit=1)[0])
            for location in external_files(content):
                there, here = posixpath.join(above, location), os.path.join(folder, location)
                if files.exists(there):
                    os.makedirs(os.path.dirname(here), exist_ok=True)
                    left -= _copy(files, there, here, left) if whole else _hole(files, there, here)
        except ModelError as error:
            raise ModelReadError(path, error.why) from error
        except Exception as error:
            raise ModelReadError(path, f"cannot be fetched: {why_of(error)}") from error
        yield content


def _copy(files: Any, place: str, target: str, most: int) -> int:
    """Fetch a file; its bytes. Raises ModelReadError for one of more than ``most``."""
    taken = 0
    with files.open(place, "rb") as source, open(target, "wb") as file:
        while part := source.read(_CHUNK):
            taken += len(part)
            if taken > most:
                why = f"is larger than the {_LARGEST >> 30} GiB that are fetched; copy it here"
                raise ModelReadError(place, why)
            file.write(part)
    return taken


def _hole(files: Any, place: str, target: str) -> int:
    """Make a file of the size of another one with nothing in it, which takes no room: 0 bytes."""
    with open(target, "wb") as file:
        file.truncate(files.size(place) or 0)
    return 0
