"""What is known of the speed of a machine, and the files in the user's cache that keep it."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from itertools import pairwise
from math import isfinite, log
from typing import Any

SCHEMA = 1  # of the files; another number is another meaning
FOLDER_VARIABLE = "ARCHLINT_CACHE_DIR"
_READ = 4096  # bytes of /proc/cpuinfo: the first processor's
_AGAIN = "run 'archlint calibrate' again"


@dataclass(frozen=True, slots=True)
class Curve:
    """A number that depends on a size: points in ascending order of it, at least one."""

    points: tuple[tuple[float, float], ...]

    def at(self, size: float) -> float:
        """The number at a size: linear in its logarithm, that of the nearest end beyond the
        points."""
        before = self.points[0]
        for point in self.points:
            if size <= point[0]:
                if point is before:
                    break
                share = log(size / before[0]) / log(point[0] / before[0])
                return before[1] + share * (point[1] - before[1])
            before = point
        return before[1]


@dataclass(frozen=True, slots=True)
class Tiles:
    """Nanoseconds of the steps of convolutions in onnxruntime's blocked layout (NCHWc).

    A step adds one tap of one input channel to a tile of outputs: ``multiply`` is a product of
    vectors of ``block`` channels, ``latency`` the least that a step takes, ``load`` a vector of
    weights on its way to it. ``store`` is a vector of outputs, read and written for each sum,
    ``line`` a row of outputs for each sum; ``depthwise`` a row of a depthwise convolution or a
    pooling, and ``depthwise_step`` how many times a step that theirs takes. ``enter`` and ``leave``
    are an element's way into the layout and out of it, by the number of elements.
    """

    block: int
    multiply: float
    latency: float
    load: float
    store: float
    line: float
    depthwise: float
    depthwise_step: float
    enter: Curve
    leave: Curve

    def step(self, outputs: int, filters: int) -> float:
        """One tap of one input channel for a tile of outputs and some blocks of filters."""
        return max(outputs * filters * self.multiply, self.latency, filters * self.load)


@dataclass(frozen=True, slots=True)
class MachineProfile:
    """How fast an execution provider of onnxruntime is on a machine, as it was measured there.

    All numbers are nanoseconds: of a ``run`` and of a ``node`` beside their work; of a convolution
    beside that (``call``); of a ``product``, a multiply-accumulate of 32-bit floats in a matrix
    product, and of one of 8-bit ``integer``s; of an element that a convolution or a product hands
    to an ``activation`` other than Relu; of an element that a convolution outside of the blocked
    layout lays out for its matrix product (``expand``, by the width of the output), and how many
    times that it takes with strides (``strided``); of a byte that is moved (``memory``, by the
    bytes that are moved together); and of an element of the larger of input and output that
    ``operators`` take beside moving it. ``tiles`` are absent where the provider has no blocked
    layout.
    """

    cpu: str
    provider: str
    threads: int
    clock: str
    runtime: str
    run: float
    node: float
    call: float
    product: float
    integer: float
    activation: float
    expand: Curve
    strided: float
    memory: Curve
    tiles: Tiles | None
    operators: Mapping[str, float] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The provider and the threads, as they stand beside a predicted time."""
        short = self.provider.removesuffix("ExecutionProvider").lower()
        return f"{short}, {self.threads} thread{'s' if self.threads > 1 else ''}"


@dataclass(frozen=True, slots=True)
class Stored:
    """The profile that the cache holds for this machine, if any; a problem is one that it holds in
    vain, in a sentence."""

    profile: MachineProfile | None = None
    problem: str = ""


def store(profile: MachineProfile) -> str:
    """Write a profile in place of an older one of its machine, provider and threads; its path.

    Raises OSError where the folder cannot be written.
    """
    import tempfile

    folder = cache_folder()
    os.makedirs(folder, exist_ok=True)
    short = re.sub(r"\W+", "", profile.provider.removesuffix("ExecutionProvider")).lower()
    name = f"{_prefix(profile.cpu)}{short}-{profile.threads}.json"
    path = os.path.join(folder, name)
    handle, draft = tempfile.mkstemp(dir=folder, prefix=".draft-", suffix=".json")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            json.dump({"schema": SCHEMA, **asdict(profile)}, file, indent=1)
        os.replace(draft, path)  # readers see the old file or the new one
    except BaseException:
        os.unlink(draft)
        raise
    return path


def stored() -> Stored:
    """The profile of this machine that was written last."""
    folder = cache_folder()
    try:
        entries = os.scandir(folder)
    except OSError:
        return Stored()
    prefix = _prefix(cpu_name())
    with entries:
        found = [(e.stat().st_mtime_ns, e.path) for e in entries if e.name.startswith(prefix)]
    if not found:
        return Stored()
    path = max(found)[1]
    try:
        with open(path, encoding="utf-8") as file:
            profile = _profile(json.load(file))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Stored(problem=f"the machine profile {path} cannot be read; {_AGAIN}")
    installed = _runtime()
    if installed not in (None, profile.runtime):
        versions = f"onnxruntime {profile.runtime}, and {installed} is installed"
        return Stored(problem=f"the machine profile was made with {versions}; {_AGAIN}")
    return Stored(profile)


def cache_folder() -> str:
    """Where the files are: ARCHLINT_CACHE_DIR, or archlint's part of the user's cache."""
    if given := os.environ.get(FOLDER_VARIABLE):
        return given
    from platformdirs import user_cache_dir

    return user_cache_dir("archlint", appauthor=False)


def cpu_name() -> str:
    """The model of this machine's processor, as the system calls it."""
    if sys.platform == "linux":
        try:
            with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
                text = file.read(_READ)
        except OSError:
            text = ""
        named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
        if named:
            return named[1].strip()
        parts = re.findall(r"^CPU (?:implementer|part)\s*:\s*(\S+)$", text, re.MULTILINE)
        if parts:
            return " ".join([platform.machine(), *parts[:2]])
    return platform.processor() or platform.machine() or "unknown processor"


def _prefix(cpu: str) -> str:
    return f"machine-{sha256(cpu.encode()).hexdigest()[:12]}-"


def _runtime() -> str | None:
    """The version of the installed onnxruntime, which is not loaded; None where it cannot tell."""
    spec = find_spec("onnxruntime")
    for folder in (spec and spec.submodule_search_locations) or ():
        try:
            path = os.path.join(folder, "capi", "build_and_package_info.py")
            with open(path, encoding="utf-8") as file:
                version = re.search(r"__version__ = '([^']+)'", file.read())
        except (OSError, ValueError):
            continue
        if version:
            return version[1]
    return None


def _profile(document: Mapping[str, Any]) -> MachineProfile:
    """A profile from its JSON; raises ValueError, TypeError or KeyError where it is none."""
    content = dict(document)
    if content.pop("schema", None) != SCHEMA:
        raise ValueError("another schema")
    tiles = content.pop("tiles")
    content["expand"], content["memory"] = _curve(content["expand"]), _curve(content["memory"])
    if tiles is not None:
        tiles = Tiles(**tiles | {key: _curve(tiles[key]) for key in ("enter", "leave")})
        _check(tiles)
    profile = MachineProfile(**content, tiles=tiles)
    _check(profile)
    if not all(_is_time(number) for number in profile.operators.values()):
        raise ValueError("a time that is none")
    return profile


def _curve(content: Mapping[str, Any]) -> Curve:
    points = tuple((float(size), float(number)) for size, number in content["points"])
    rising = all(0 < a[0] < b[0] for a, b in pairwise(points))
    if not (points and points[0][0] > 0 and rising and all(_is_time(n) for _, n in points)):
        raise ValueError("no curve")
    return Curve(points)


def _check(record: MachineProfile | Tiles) -> None:
    """Raise ValueError unless every number is one that a time can be."""
    for name, kind in type(record).__annotations__.items():
        number = getattr(record, name)
        if kind == "float" and not _is_time(number):
            raise ValueError(f"{name} is no time")
        if kind == "int" and not (isinstance(number, int) and number > 0):
            raise ValueError(f"{name} is no number")
        if kind == "str" and not isinstance(number, str):
            raise ValueError(f"{name} is no text")


def _is_time(number: Any) -> bool:
    return isinstance(number, int | float) and isfinite(number) and number >= 0
