"""What a setting can be: how its value is checked, and the JSON Schema of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Generic, TypeVar

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.text import nearest
from archlint.rules import Rules

T = TypeVar("T")
MOST = 2**63 - 1  # of a dim of ONNX

_TYPES = {
    bool: "a truth value",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: in which file or option, under which key; paths are relative to
    ``folder``. ``rules`` are those that it may speak of; only a ``trusted`` place may name code to
    run."""

    source: str
    folder: str
    key: str = ""
    rules: Rules = ()
    trusted: bool = False

    def inside(self, key: str | int) -> Place:
        """The place of an entry of a table or list."""
        if isinstance(key, int):
            return replace(self, key=f"{self.key}[{key}]")
        return replace(self, key=f"{self.key}.{key}" if self.key else key)

    def wrong(self, why: str) -> ConfigError:
        """The error that tells of the value here."""
        return ConfigError(self.source, f"{self.key}: {why}" if self.key else why)

    @property
    def whole(self) -> str:
        """The source and the key, as an error names them."""
        return f"{self.source}: {self.key}" if self.key else self.source


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """``read`` checks a value of TOML, or raises ConfigError; ``schema`` says the same."""

    read: Callable[[Place, object], T]
    schema: Callable[[], Mapping[str, Any]]


def expect(place: Place, value: object, kind: type[T]) -> T:
    """The value, if it is of the type; raises ConfigError."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        got = next((text for known, text in _TYPES.items() if isinstance(value, known)), "a date")
        raise place.wrong(f"must be {_TYPES.get(kind, 'a date')}, not {got}")
    return value


def text() -> Kind[str]:
    """Text that is not empty."""

    def read(place: Place, value: object) -> str:
        found = expect(place, value, str)
        if not found.strip():
            raise place.wrong("must not be empty")
        return found

    return Kind(read, lambda: {"type": "string", "pattern": r"\S"})


def flag() -> Kind[bool]:
    """True or false."""
    return Kind(lambda place, value: expect(place, value, bool), lambda: {"type": "boolean"})


E_ = TypeVar("E_", bound=Enum)


def choice(options: type[E_]) -> Kind[E_]:
    """One of the words of an enumeration."""
    words = {str(option): option for option in options}

    def read(place: Place, value: object) -> E_:
        word = expect(place, value, str)
        if word not in words:
            near = nearest(word, words) or f"; it can be {', '.join(words)}"
            raise place.wrong(f"there is no '{word}'{near}")
        return words[word]

    return Kind(read, lambda: {"enum": list(words)})


def size() -> Kind[int]:
    """A positive number that a dim of ONNX may have."""

    def read(place: Place, value: object) -> int:
        number = expect(place, value, int)
        if not 0 < number <= MOST:
            raise place.wrong("must be a positive whole number of 63 bits")
        return number

    return Kind(read, lambda: {"type": "integer", "minimum": 1, "maximum": MOST})


def listed(kind: Kind[T], *, least: int = 0) -> Kind[tuple[T, ...]]:
    """A list of values of one kind, at least so many."""

    def read(place: Place, value: object) -> tuple[T, ...]:
        items: Sequence[object] = expect(place, value, list)
        if len(items) < least:
            raise place.wrong("must not be empty")
        return tuple(kind.read(place.inside(i), item) for i, item in enumerate(items))

    return Kind(read, lambda: {"type": "array", "items": kind.schema(), "minItems": least})


def table(
    kind: Kind[T],
    key: Callable[[Place, str], Any] = lambda _place, name: name,
    names: Callable[[], Mapping[str, Any]] | None = None,
) -> Kind[Mapping[Any, T]]:
    """A table of values of one kind; ``key`` reads its keys, whose schema is ``names``."""

    def read(place: Place, value: object) -> Mapping[Any, T]:
        entries: Mapping[str, object] = expect(place, value, dict)
        found: dict[Any, T] = {}
        for name, item in entries.items():
            here = place.inside(name)
            known = key(here, name)
            if known in found:
                raise here.wrong("says again what stands above it under another name")
            found[known] = kind.read(here, item)
        return found

    def schema() -> Mapping[str, Any]:
        held = {} if names is None else {"propertyNames": names()}
        return {"type": "object", "additionalProperties": kind.schema(), **held}

    return Kind(read, schema)


def unknown(place: Place, name: str, known: Sequence[str]) -> ConfigError:
    """The error of a key that there is not, with the nearest that there is."""
    near = nearest(name, known) or f"; there are {', '.join(known)}"
    return place.wrong(f"there is no key '{name}'{near}")
