"""Why there are no times, in one line that says what to do."""

from __future__ import annotations

from collections.abc import Mapping

from archlint.analyzer.errors import TimingError
from archlint.analyzer.runtime.child import Failure, Kind
from archlint.analyzer.runtime.messages import plain
from archlint.analyzer.timing.providers import Provider

GARBLED = "its process answered with something else than times"
_REMEDIES = {Kind.TIMED_OUT: "--timeout", Kind.OUT_OF_MEMORY: "--memory"}


def refused(path: str, provider: Provider, why: str) -> TimingError:
    """The error of a model that has no times on a provider."""
    return TimingError(path, f"cannot be timed on {provider.label}: {why}")


def check_used(path: str, provider: Provider, kernels: Mapping[str, int]) -> None:
    """Raises TimingError where another provider ran every kernel."""
    if not kernels.get(provider.full_name):
        why = f"{provider.full_name} took no node of it; onnxruntime ran it elsewhere"
        raise refused(path, provider, why)


def explained(failure: Failure) -> str:
    """Why a child process gave no times, and what to do about it."""
    why = plain(failure.why)
    option = _REMEDIES.get(failure.kind)
    return why if option is None else f"{why}; allow more with {option}"
