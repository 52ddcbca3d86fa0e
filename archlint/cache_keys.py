"""What an answer depends on beside the model: the settings, the machine's profile, the code.

All of it becomes a digest. A value of a kind that is not known here has none, so that what cannot
be told apart is never taken for the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from archlint import __version__
from archlint.analyzer.rule import Rule
from archlint.code_files import content_digest, files_of, own_digest
from archlint.config import Chosen
from archlint.entry_points import entry_points
from archlint.plugins import GROUP as COSTS

if TYPE_CHECKING:
    from archlint.analyzer.timing.prediction.machine import MachineProfile


_PACKAGES = ("networkx", "numpy", "onnx", "protobuf")  # what an answer is computed with


class NoDigestError(TypeError):
    """A value that cannot be told apart from others by a digest."""


def environment_digest(profile: MachineProfile | None) -> str:
    """The digest of all that is the same for every model of a run: code, versions, machine."""
    from importlib.metadata import version

    versions = [version(name) for name in _PACKAGES]  # which are not imported for it
    formulas = [
        (point.name, point.value, _code_of(point.value.partition(":")[0].partition(".")[0]))
        for point in entry_points(COSTS)
    ]
    system = sys.version_info[:2], sys.platform, sys.byteorder
    return digest((__version__, own_digest(), versions, system, formulas, profile))


def settings_digest(chosen: Chosen) -> str:
    """The digest of what a model is checked with."""
    held = {entry.name: getattr(chosen, entry.name) for entry in dataclasses.fields(chosen)}
    rules = {name: _digest_of(tuple(held[name])) for name in ("rules", "alternatives", "known")}
    return digest({**held, **rules, "ignores": [_said(ignore) for ignore in chosen.ignores]})


def reads_weights(chosen: Chosen) -> bool:
    """Whether anything looks at the numbers in the weights."""
    rules = (*chosen.rules, *chosen.alternatives)
    return chosen.weights or any(rule.reads_weights for rule in rules)


def digest(value: object) -> str:
    """The digest of a value; raises NoDigestError for one of an unknown kind."""
    return hashlib.sha256("\0".join(_words(value)).encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=64)  # most models of a run have the same rules
def _digest_of(rules: tuple[object, ...]) -> str:
    return digest(rules)


def _said(ignore: Any) -> tuple[object, ...]:
    """An entry about findings, which counts for a model or not: not the folder of its file, that
    two checkouts have in different places."""
    from archlint.ignore_entries import has_expired  # late: few configurations have entries

    where = None if ignore.path is None else ignore.path.text
    kept = ignore.rule, where, ignore.node, ignore.op, ignore.reason, ignore.place
    return (*kept, str(ignore.expires), has_expired(ignore))


def _words(value: object) -> Iterator[str]:
    """The value as text that no other value has."""
    if value is None or type(value) in (bool, int, float, str):
        yield f"{type(value).__name__} {value!r}"
    elif isinstance(value, Enum):
        yield f"{type(value).__name__} {value.name}"
    elif isinstance(value, type):
        yield from _class(value)
    elif dataclasses.is_dataclass(value):
        yield from _class(type(value))
        for entry in dataclasses.fields(value):
            yield entry.name
            yield from _words(getattr(value, entry.name))
    elif isinstance(value, Mapping):
        yield from _all("table", [(str(k), (k, v)) for k, v in value.items()], in_order=False)
    elif isinstance(value, AbstractSet):
        yield from _all("set", [(str(item), item) for item in value], in_order=False)
    elif isinstance(value, tuple | list):
        yield from _all("list", [("", item) for item in value], in_order=True)
    else:
        raise NoDigestError(f"a {type(value).__name__} has no digest")


def _all(kind: str, items: Iterable[tuple[str, object]], *, in_order: bool) -> Iterator[str]:
    held = list(items) if in_order else sorted(items, key=lambda item: item[0])
    yield f"{kind} {len(held)}"
    for _, item in held:
        yield from _words(item)


def _class(kind: type) -> Iterator[str]:
    """A class by its name; one that is not archlint's also by the code of its module."""
    yield f"class {kind.__qualname__}"
    if kind.__module__.split(".")[0] == "archlint":
        yield kind.__module__
    elif issubclass(kind, Rule):
        yield kind.code
        yield _code_of(kind.__module__.split(".")[0])
    else:
        raise NoDigestError(f"the class {kind.__qualname__} has no digest")


@lru_cache(maxsize=256)  # a plugin's code is read once, as it is imported once
def _code_of(module: str) -> str:
    """The digest of a module's code, with that of the whole package that it is in."""
    files = list(files_of(module))
    if not files:
        raise NoDigestError(f"the files of the module {module} are not known")
    try:
        return content_digest(files)
    except OSError as error:
        raise NoDigestError(f"the files of the module {module} cannot be read") from error
