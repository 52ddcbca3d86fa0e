"""In the child process: libraries that must be loaded before a session can use a provider."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

_DEVICE_TYPE = "device_type"  # the option that chooses among the devices of a plugin


def load_libraries(device: str) -> None:
    """Load those of CUDA and cuDNN that are installed as Python packages, as a loader would not
    find them; where one is missing, the provider says so itself."""
    import onnxruntime

    if device.startswith("cuda") and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()


def use_plugin(provider: str, library: str, options: Any, given: Mapping[str, str]) -> None:
    """Let a session use a provider of a plugin, on the first of its devices.

    ``library`` is a path, or the module that knows it. The option ``device_type`` (CPU, GPU or NPU)
    chooses a device of this type; the others are the provider's own. Raises RuntimeError where
    there is no such device.
    """
    devices = _devices(provider, library)
    wanted = given.get(_DEVICE_TYPE, "").upper()
    chosen = [d for d in devices if wanted in ("", d.device.type.name)]
    if not chosen:
        raise RuntimeError(f"{provider} finds no {wanted or 'device that it can use'} here")
    own = {key: value for key, value in given.items() if key != _DEVICE_TYPE}
    options.add_provider_for_devices(chosen[:1], own)


def _devices(provider: str, library: str) -> list[Any]:
    """The devices of a provider, whose library is registered then."""
    if found := _of(provider):
        return found
    brought = _register(provider, library)
    found = _of(provider)
    if brought and not found:
        names = ", ".join(brought)
        raise RuntimeError(f"{os.path.basename(path_of(library))} brings {names}, not {provider}")
    return found


@cache  # onnxruntime refuses to register a library again
def _register(provider: str, library: str) -> tuple[str, ...]:
    """The providers that a library brings devices of."""
    import onnxruntime

    before = {device.ep_name for device in onnxruntime.get_ep_devices()}
    onnxruntime.register_execution_provider_library(provider, path_of(library))
    return tuple(sorted({device.ep_name for device in onnxruntime.get_ep_devices()} - before))


def _of(provider: str) -> list[Any]:
    import onnxruntime

    return [device for device in onnxruntime.get_ep_devices() if device.ep_name == provider]


def path_of(library: str) -> str:
    """Where the library of a plugin is, which its module may know."""
    if os.path.isabs(library):
        return library
    module = importlib.import_module(library)
    # The name that onnxruntime's guide to packages of plugins gives it, and one before that.
    locate = getattr(module, "get_library_path", None) or module.library_path
    return str(locate())
