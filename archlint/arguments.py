"""Arguments of Python callers: held to their types, and made into what options hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from numbers import Integral, Real
from typing import Any, TypedDict, TypeVar

from onnx import ModelProto

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.reader.memory import InMemory
from archlint.analyzer.text import nearest

Path = str | os.PathLike[str]
Texts = str | Sequence[str]  # as on the command line: one text may name several, with commas
Word = TypeVar("Word", bound=StrEnum)

_NO_PATHS = (bytes, bytearray, Mapping)  # though they can be iterated over
UNNAMED = "<model>"  # what a model in memory is called where it has no name; no file is
_RENAMED = {"--dim": "dims", "--input-shape": "input_shapes"}  # options whose arguments are plural


class Options(TypedDict, total=False):
    """The options of ``lint``, which ``lint_torch`` has too."""

    config: Path | Sequence[Path]
    isolated: bool
    select: Texts
    ignore: Texts
    extend_select: Texts
    set: Mapping[str, float | None]
    dims: Mapping[str, int]
    input_shapes: Mapping[str, Sequence[int]]
    target: Path | None
    execute: bool
    verify: bool
    ep: Texts
    threads: int
    budget: float
    timeout: float
    memory: float | None
    cpu_fallback: bool
    weights: bool
    fail_on: str | None
    base: Path | ModelProto | None
    baseline: Path | None
    jobs: int
    cache: bool


@contextmanager
def named_as_arguments() -> Iterator[None]:
    """What is raised of an option of the command line is raised of the argument that it was."""
    try:
        yield
    except ConfigError as error:
        option, blank, rest = error.source.partition(" ")
        if not option.startswith("--"):
            raise
        argument = _RENAMED.get(option) or option[2:].replace("-", "_")
        raise ConfigError(f"{argument}{blank}{rest}", error.why) from error


def path(argument: str, value: object) -> str:
    """The path as text; raises TypeError for what is none."""
    if isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        if text == "":
            raise ConfigError(argument, "is empty; name a file or a folder")
        if isinstance(text, str):
            return text
    raise TypeError(f"{argument} takes a path, not {_kind(value)}")


def paths(argument: str, value: object) -> list[str]:
    """One path or several."""
    listed = [value] if isinstance(value, str | os.PathLike) else _elements(argument, value)
    return [path(argument, one) for one in listed]


def texts(argument: str, value: object) -> list[str]:
    """One text or several; raises TypeError for anything else."""
    found: list[str] = []
    for one in [value] if isinstance(value, str) else _elements(argument, value):
        if not isinstance(one, str):
            raise TypeError(f"{argument} takes texts, not {_kind(one)}")
        found.append(one)
    return found


def items(argument: str, value: object) -> Iterable[tuple[str, object]]:
    """The entries of a mapping from names, which may not be there."""
    if value is None:
        return ()
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise TypeError(f"{argument} takes a mapping from names, not {_kind(value)}")
    return value.items()


def size(argument: str, value: object) -> str:
    """A size in elements as text; raises TypeError for what is no whole number."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{argument} takes whole numbers, not {_kind(value)}")
    return str(int(value))


def shape(argument: str, value: object) -> str:
    """Sizes of dims as text."""
    return ",".join(size(argument, one) for one in _elements(argument, value))


def setting(argument: str, value: object) -> str:
    """The value of a rule's option as text; None leaves it undecided."""
    if isinstance(value, bool) or not (value is None or isinstance(value, Real)):
        raise TypeError(f"{argument} takes numbers, not {_kind(value)}")
    return str(value).lower() if value is None else f"{value}"


def between(argument: str, value: float, low: float, high: float = float("inf")) -> float:
    """The number, within these bounds; raises ConfigError, or TypeError for what is none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} takes a number, not {_kind(value)}")
    if not low <= value <= high:
        bounds = f"at least {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
        raise ConfigError(argument, f"must be {bounds}, not {value}")
    return value


def whole(argument: str, value: int, low: int, high: int) -> int:
    """As ``between``, of whole numbers."""
    size(argument, value)
    return int(between(argument, value, low, high))


def word(argument: str, value: object, words: type[Word]) -> Word:
    """One of the words of an enumeration; raises ConfigError for another one."""
    if not isinstance(value, str):
        raise TypeError(f"{argument} takes a text ({', '.join(words)}), not {_kind(value)}")
    if value not in list(words):
        near = nearest(value, words) or f"; it can be {', '.join(words)}"
        raise ConfigError(argument, f"there is no '{value}'{near}")
    return words(value)


def models(value: object, name: object) -> tuple[list[str], dict[str, InMemory]]:
    """The paths, or the one model in memory by its name."""
    if isinstance(value, ModelProto | InMemory):
        called = UNNAMED if name is None else path("name", name)
        return [], {called: in_memory(value)}
    if name is not None:
        raise TypeError("name is for a ModelProto; a path is called as it is")
    if isinstance(value, str | os.PathLike):
        return [path("model", value)], {}
    if hasattr(value, "read") or not isinstance(value, Iterable) or isinstance(value, _NO_PATHS):
        raise TypeError(
            f"a model is a path, or an onnx.ModelProto, not {_kind(value)}{_hint(value)}"
        )
    listed = list(value)
    if any(isinstance(one, ModelProto | InMemory) for one in listed):
        raise TypeError("several models are paths; give each ModelProto to a call of its own")
    return [path("model", one) for one in listed], {}


def base(value: object) -> str | InMemory | None:
    """What models are compared with."""
    if value is None:
        return None
    return in_memory(value) if isinstance(value, ModelProto | InMemory) else path("base", value)


def in_memory(model: ModelProto | InMemory) -> InMemory:
    """A model in memory, with its weights in it unless it says otherwise."""
    return InMemory(model) if isinstance(model, ModelProto) else model


def _elements(argument: str, value: object) -> Iterable[Any]:
    if isinstance(value, _NO_PATHS) or not isinstance(value, Iterable):
        raise TypeError(f"{argument} takes one or several, not {_kind(value)}")
    return value


def _hint(value: object) -> str:
    """What to do with what could become a model."""
    if isinstance(value, bytes | bytearray):
        return "; parse it: onnx.load_model_from_string(…)"
    if hasattr(value, "read"):
        return "; give its path, or load it: onnx.load(…)"
    if hasattr(value, "model_proto"):
        return "; give its model_proto"
    if hasattr(value, "named_modules"):
        return "; for a torch module there is archlint.lint_torch(module, example_inputs)"
    return ""


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__
