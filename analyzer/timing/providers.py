"""Execution providers as the user names them, and how a session uses each."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.text import nearest
from archlint.analyzer.timing.harness import Setup
from archlint.analyzer.timing.known import KNOWN, Known, find

# NAME, =PATH and :KEY=VALUE;…; a colon before anything else is part of the path, as in C:\.
_TEXT = re.compile(
    r"(?P<name>[^=:]*)(=(?P<path>.*?))?(:(?P<options>[A-Za-z]\w*([.]\w+)*=.*))?", re.DOTALL
)
_THREADS = "{threads}"  # stands for their number in an option
_FEW_RUNS = 3  # after which the kernels of a CPU take no longer than ever after
_MANY_RUNS = 10  # in which a device searches its algorithms and raises its clock


@dataclass(frozen=True, slots=True)
class Provider:
    """An execution provider with its options, those of the user over those that timing needs.

    ``device`` is where inputs and outputs lie, with the number of the device if it is not the
    first; ``library`` is the path of the plugin that brings it, or the module that knows that path.
    One that ``compiles`` gives no times of nodes. On the ``host``, CPU time over all threads is
    what a run takes; elsewhere only wall time is. ``pool`` are the options of its own threads, with
    ``{threads}`` for their number.
    """

    name: str
    full_name: str
    options: Mapping[str, str] = field(default_factory=dict)
    device: str = "cpu"
    library: str | None = None
    compiles: bool = False
    host: bool = False
    pool: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name, and the options that the user changed."""
        known = find(self.full_name)
        usual = {} if known is None else {**known.options, **(known.plugin_options or {})}
        changed = [f"{k}={v}" for k, v in sorted(self.options.items()) if usual.get(k) != v]
        return f"{self.name}:{';'.join(changed)}" if changed else self.name

    @property
    def warm_ups(self) -> int:
        """Runs after which times are steady."""
        return _FEW_RUNS if self.host else _MANY_RUNS

    @property
    def notes(self) -> tuple[str, ...]:
        """What must be said beside its times, in a few words each."""
        stated = [f"{key}={value}" for key, value in sorted(self.options.items())]
        # One that says more than the number of threads.
        told = {key: value for key, value in self.pool.items() if value != _THREADS}
        stated += [f"{key}={value.replace(_THREADS, 'threads')}" for key, value in told.items()]
        known = find(self.full_name)
        if known is not None and known.remark:
            stated.append(known.remark)
        if not self.host and self.device == "cpu":
            stated.append("times include copies to the device and back")
        return tuple(stated)

    def setup(self, *, threads: int = 1, fallback: bool = True, synthetic: bool = False) -> Setup:
        """How a session uses it; the threads are also those of the provider's own pool."""
        pool = {key: value.replace(_THREADS, str(threads)) for key, value in self.pool.items()}
        return Setup(
            provider=self.full_name,
            options={**self.options, **pool},
            threads=threads,
            device=self.device,
            library=self.library,
            fallback=fallback,
            synthetic=synthetic,
        )


def parse_providers(texts: Sequence[str]) -> tuple[Provider, ...]:
    """The providers of ``cpu,cuda``, ``cuda:use_tf32=1;device_id=1`` and ``NAME=LIBRARY``.

    A comma parts names; where options or a library are given it belongs to those, as they are given
    to one provider at a time. The CPU's alone by default. Raises ConfigError for a name that no
    provider has, for options that are none, a library that is no file, and a provider given twice.
    """
    parts = [part for text in texts for part in _parted(text)]
    found: list[Provider] = []
    for part in parts or ["cpu"]:
        provider = _parsed(part)
        if provider in found:
            raise ConfigError(f"--ep {part}", "is given twice")
        found.append(provider)
    return tuple(found)


def _parted(text: str) -> list[str]:
    return [text] if ":" in text or "=" in text else text.split(",")


def _parsed(text: str) -> Provider:
    source = f"--ep {text}"
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        why = "write options as name:key=value;key=value, as in cuda:use_tf32=1;device_id=0"
        raise ConfigError(source, why)
    name, path = match["name"].strip(), match["path"]
    if "," in name:
        raise ConfigError(source, "options are given to one provider at a time; repeat --ep")
    given = _options(source, match["options"] or "")
    if path is not None:
        return _of_library(source, name, path, given)
    known = find(name)
    if known is None:
        raise ConfigError(source, _unknown(name))
    return _of_known(known, given)


def _unknown(name: str) -> str:
    known = [word for entry in KNOWN for word in (*entry.names, entry.full_name)]
    short = ", ".join(entry.names[0] for entry in KNOWN)
    near = nearest(name, known) or f"; there are {short}, and NAME=LIBRARY for a plugin's"
    return f"there is no execution provider '{name}'{near}"


def _options(source: str, text: str) -> dict[str, str]:
    """``key=value;key=value``."""
    options: dict[str, str] = {}
    for part in filter(None, map(str.strip, text.split(";"))):
        key, equals, value = part.partition("=")
        if not (equals and key.strip()):
            raise ConfigError(source, f"'{part}' is no option: write it as key=value")
        if key.strip() in options:
            raise ConfigError(source, f"the option '{key.strip()}' is given twice")
        options[key.strip()] = value.strip()
    return options


def _of_library(source: str, name: str, path: str, given: Mapping[str, str]) -> Provider:
    """A provider of a plugin; where it works is known if its name is, or if the user says so."""
    if not name:
        raise ConfigError(source, "write it as NAME=LIBRARY, with the provider's name")
    if not os.path.isfile(path):
        raise ConfigError(source, f"there is no library {path}")
    library = os.path.abspath(path)
    if (known := find(name)) is not None:
        return _of_known(known, given, library)
    host = given.get("device_type", "").upper() == "CPU"
    return Provider(name, name, dict(given), library=library, compiles=True, host=host)


def _of_known(known: Known, given: Mapping[str, str], library: str | None = None) -> Provider:
    if library is None and known.module is not None and find_spec(known.module) is not None:
        library = known.module
    usual = known.options
    if library is not None and known.plugin_options is not None:
        usual = known.plugin_options
    fixed = {key: value for key, value in usual.items() if _THREADS not in value}
    options = {**fixed, **given}
    host = known.host
    if known.host_by is not None:
        option, value = known.host_by
        host = options.get(option, "").upper().startswith(value.upper())
    number = options.get("device_id", "0") if known.device != "cpu" else "0"
    return Provider(
        name=known.names[0],
        full_name=known.full_name,
        options=options,
        device=known.device if number == "0" else f"{known.device}:{number}",
        library=library,
        compiles=known.compiles,
        host=host,
        pool={k: v for k, v in usual.items() if _THREADS in v and k not in given},
    )
