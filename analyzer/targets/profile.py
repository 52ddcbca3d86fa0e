"""What is known of a device, as far as the shape of a network decides how well it runs there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, Literal, get_args

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.text import nearest

DEFAULT = "generic-avx512"
_SUFFIX = ".toml"
_FOLDER = os.path.dirname(__file__)
_MOST_BYTES = 1 << 20  # of a file that the user names
_MOST = 1 << 16  # channels, taps or steps that a profile may tell

Kind = Literal["cpu", "gpu", "npu"]


@dataclass(frozen=True, slots=True)
class Target:
    """A device with the runtime that it is used by.

    ``block`` are the channels that a convolution computes at once, and ``entry`` the multiple that
    input channels must be to be read in such blocks at all; 1 where there is no such layout.
    ``grid`` is the multiple to which the hardware fills up channels, by data type in ONNX's words;
    ``fast_types`` are those that it is built for. ``fused`` are the activations that cost a
    convolution nothing; none are named where that is unknown. Kernels larger than ``max_kernel``
    (elements of its height, dilated) or ``max_taps`` (of all sides together), and strides above
    ``max_stride``, run elsewhere; None is no limit.
    """

    name: str
    title: str
    kind: Kind
    source: str
    block: int = 1
    entry: int = 1
    grid: Mapping[str, int] = field(default_factory=dict, hash=False)
    fast_types: tuple[str, ...] = ()
    fused: tuple[str, ...] = ()
    max_kernel: int | None = None
    max_taps: int | None = None
    max_stride: int | None = None


_TEXTS = ("title", "kind", "source")
_NUMBERS = ("block", "entry", "max_kernel", "max_taps", "max_stride")
_LISTS = ("fast_types", "fused")
_KEYS = tuple(entry.name for entry in fields(Target) if entry.name != "name")
_REQUIRED = tuple(e.name for e in fields(Target) if e.default is e.default_factory is MISSING)


def names() -> tuple[str, ...]:
    """The profiles that archlint has, sorted."""
    found = (entry.removesuffix(_SUFFIX) for entry in os.listdir(_FOLDER) if _is_profile(entry))
    return tuple(sorted(found))


@cache
def default_target() -> Target:
    """The profile that holds where none is chosen."""
    return load_target(DEFAULT)


def load_target(name_or_path: str) -> Target:
    """The profile of a name, or of a file that ends in .toml.

    Raises ConfigError for a name that is none, and for a file that cannot be read, is no TOML, or
    has a key or a value that no profile has.
    """
    source = f"target {name_or_path}"
    if _is_profile(name_or_path):
        path, name = name_or_path, os.path.basename(name_or_path).removesuffix(_SUFFIX)
    elif name_or_path in names():
        path, name = os.path.join(_FOLDER, name_or_path + _SUFFIX), name_or_path
    else:
        near = nearest(name_or_path, names()) or f"; there are {', '.join(names())}"
        raise ConfigError(source, f"there is no target '{name_or_path}'{near}")
    return _target(source, name, _content(source, path))


def _is_profile(file: str) -> bool:
    return file.endswith(_SUFFIX)


def _content(source: str, path: str) -> dict[str, Any]:
    import tomllib  # late: few runs read more than the default

    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigError(source, f"cannot be read: {why}") from error
    if len(data) > _MOST_BYTES:
        raise ConfigError(source, f"is larger than {_MOST_BYTES:,} bytes: no profile of a target")
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:  # TOMLDecodeError and UnicodeDecodeError are both
        raise ConfigError(source, f"is no TOML: {error}") from error


def _target(source: str, name: str, content: Mapping[str, Any]) -> Target:
    for key in content:
        if key not in _KEYS:
            near = nearest(key, _KEYS) or f"; its keys are {', '.join(_KEYS)}"
            raise ConfigError(source, f"a target has no key '{key}'{near}")
    for key in _REQUIRED:
        if key not in (*content, "name"):
            raise ConfigError(source, f"the key '{key}' is missing")
    return Target(name, **{key: _value(source, key, value) for key, value in content.items()})


def _value(source: str, key: str, value: Any) -> Any:
    """The value as its field holds it; raises ConfigError for one of another kind."""
    if key == "kind" and value not in get_args(Kind):
        raise ConfigError(source, f"kind must be one of {', '.join(get_args(Kind))}")
    if key in _TEXTS and not isinstance(value, str):
        raise ConfigError(source, f"{key} must be a text")
    if key in _NUMBERS and not _is_number(value):
        raise ConfigError(source, f"{key} must be a whole number from 1 to {_MOST:,}")
    if key in _LISTS:
        if not (isinstance(value, list) and all(isinstance(entry, str) for entry in value)):
            raise ConfigError(source, f"{key} must be a list of texts")
        return tuple(value)
    if key == "grid" and not (isinstance(value, dict) and all(map(_is_number, value.values()))):
        raise ConfigError(source, f"grid must give each data type a number from 1 to {_MOST:,}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST
