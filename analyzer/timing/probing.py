"""In the child process: what onnxruntime is here, and what a provider really does."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from archlint.analyzer.timing.harness import (
    Runner,
    Setup,
    end_profiling,
    fed,
    made_up_values,
    open_session,
    placement,
)  # fmt: skip

# What CUDA's libraries talk to the device through: of NVIDIA's driver, of no package.
DRIVERS = ("libcuda.so.1", "nvcuda.dll")
_MISSING = re.compile(r"^\s*(\S+) => not found", re.MULTILINE)
_FIRST_MISSING = re.compile(r"^(\S+): cannot open shared object file")
_LDD_SECONDS = 20


def describe() -> dict[str, Any]:
    """Version, build and providers of onnxruntime, and whether NVIDIA's driver is here."""
    import onnxruntime

    return {
        "version": onnxruntime.__version__,
        "build": onnxruntime.get_build_info(),
        "providers": onnxruntime.get_available_providers(),
        "driver": any(map(_loads, DRIVERS)),
    }


def probe(subjects: Mapping[str, Mapping[str, Any]], setup: Mapping[str, Any]) -> dict[str, Any]:
    """Where a provider ran the kernels of each subject, or why it failed; its devices, and the
    libraries that it lacks."""
    chosen = Setup(**setup)
    tries = {name: _tried(subject, chosen) for name, subject in subjects.items()}
    return {
        "tries": tries,
        "devices": _devices(chosen.provider),
        "missing": _missing(_library(chosen)) if any(one["why"] for one in tries.values()) else [],
    }


def _tried(subject: Mapping[str, Any], setup: Setup) -> dict[str, Any]:
    def profiled(options: Any) -> None:
        options.enable_profiling = True

    try:
        values = made_up_values(subject)  # a session refers to them as long as it runs
        session = open_session(subject, setup, values, profiled)
        if setup.provider not in session.get_providers():
            return {"kernels": {}, "copies": 0, "why": "onnxruntime leaves it out of a session"}
        Runner(session, fed(subject), setup.device).run()
        return {**asdict(placement(end_profiling(session))), "why": ""}
    except Exception as error:  # noqa: BLE001 - of whatever kind, it is the answer
        return {"kernels": {}, "copies": 0, "why": str(error) or type(error).__name__}


def _devices(provider: str) -> list[str]:
    """What the devices of a provider are called, where onnxruntime tells."""
    import onnxruntime

    if not hasattr(onnxruntime, "get_ep_devices"):  # before 1.22
        return []
    devices = [d for d in onnxruntime.get_ep_devices() if d.ep_name == provider]
    return [f"{device.device.type.name} ({device.device.vendor})" for device in devices]


def _library(setup: Setup) -> str:
    """Where the library of a provider would be that onnxruntime loads when it is asked for."""
    import onnxruntime

    from archlint.analyzer.timing.plugins import path_of

    if setup.library is not None:
        return path_of(setup.library)
    name = f"onnxruntime_providers_{setup.provider.removesuffix('ExecutionProvider').lower()}"
    file = {"win32": f"{name}.dll", "darwin": f"lib{name}.dylib"}.get(sys.platform, f"lib{name}.so")
    return os.path.join(os.path.dirname(onnxruntime.__file__), "capi", file)


def _missing(library: str) -> list[str]:
    """Names of libraries that one needs, or those that it needs, and that are not to be found."""
    if not os.path.exists(library):
        return []
    if (ldd := shutil.which("ldd")) is not None:
        said = subprocess.run(  # noqa: S603 - the system's own, on a library that was loaded before
            [ldd, library], capture_output=True, text=True, timeout=_LDD_SECONDS, check=False
        )
        names = _MISSING.findall(said.stdout)
        # What was loaded from elsewhere, as from a Python package, is found by its name.
        return sorted({name for name in names if not _loads(name)})
    try:
        ctypes.CDLL(library)
    except OSError as error:
        return _FIRST_MISSING.findall(str(error))
    return []


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
