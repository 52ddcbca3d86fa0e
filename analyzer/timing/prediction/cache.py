"""The files in the user's cache that keep what is known of machines."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:  # a machine that was never measured does without
    from archlint.analyzer.timing.prediction.machine import MachineProfile

FOLDER_VARIABLE = "ARCHLINT_CACHE_DIR"
_FILE = "machine-"  # what the names of the files begin with
_READ = 4096  # bytes of /proc/cpuinfo: the first processor's
_AGAIN = "run 'archlint calibrate' again"


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
    from dataclasses import asdict

    from archlint.analyzer.timing.prediction.machine import SCHEMA

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
    try:
        with os.scandir(cache_folder()) as entries:
            files = [(e.stat().st_mtime_ns, e.path) for e in entries if e.name.startswith(_FILE)]
    except OSError:  # there is none
        return Stored()
    if not files:  # the usual case opens nothing
        return Stored()
    prefix = _prefix(cpu_name())
    found = [(age, path) for age, path in files if os.path.basename(path).startswith(prefix)]
    if not found:
        return Stored()
    from archlint.analyzer.timing.prediction.machine import from_json

    path = max(found)[1]
    try:
        with open(path, encoding="utf-8") as file:
            profile = from_json(json.load(file))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Stored(problem=f"the machine profile {path} cannot be read; {_AGAIN}")
    installed = runtime_version()
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
    import platform  # late: only who calibrates needs it

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
    return f"{_FILE}{crc32(cpu.encode()):08x}-"


def runtime_version() -> str | None:
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
