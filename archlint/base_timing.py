"""What a model takes beside its base, each run next to one of the other."""

from __future__ import annotations

from collections.abc import Iterator

from archlint.analyzer.errors import ModelError, TimingError
from archlint.analyzer.inputs import Bindings
from archlint.analyzer.load import load
from archlint.analyzer.reader import STANDARD_INPUT, read
from archlint.analyzer.reader.external import refuse_unsafe
from archlint.analyzer.reader.memory import InMemory, hold
from archlint.analyzer.report import Failure
from archlint.analyzer.timing.compare import WHOLE_MODEL, compare
from archlint.analyzer.timing.measurement import Measured
from archlint.analyzer.timing.providers import Provider
from archlint.analyzer.timing.subject import Subject, whole
from archlint.bases import Counterpart
from archlint.pipeline import Stopwatch

_UNREAD = "the model cannot be read again; give a path"
_HOLES = "the weights of the base are not here"


def timed_beside(
    path: str,
    base: Counterpart,
    bindings: Bindings,
    stopwatch: Stopwatch,
    failures: list[Failure],
    memory: InMemory | None = None,
) -> tuple[Measured, ...]:
    """The base against the model at the path or in memory, one verdict a provider; a run that fails
    is added to the failures."""
    providers = stopwatch.providers
    why = _UNREAD if path == STANDARD_INPUT else _HOLES if base.has_holes else ""
    if why or not (base.content or base.memory):
        return tuple(Measured(provider, why=why or _HOLES) for provider in providers)
    try:
        before = _subject(base.content or path, base.memory, bindings)
        after = _subject(path, memory, bindings)
    except ModelError as error:
        return tuple(Measured(provider, why=error.why) for provider in providers)
    return tuple(_verdicts(path, (before, after), stopwatch, failures))


def _verdicts(
    path: str, pair: tuple[Subject, Subject], stopwatch: Stopwatch, failures: list[Failure]
) -> Iterator[Measured]:
    for provider in stopwatch.providers:
        stopwatch.progress(f"timing it against its base on {provider.name}")
        yield _verdict(path, pair, provider, stopwatch, failures)


def _verdict(
    path: str,
    pair: tuple[Subject, Subject],
    provider: Provider,
    stopwatch: Stopwatch,
    failures: list[Failure],
) -> Measured:
    effort = stopwatch.effort
    try:
        return Measured(provider, compare(path, *pair, provider, effort, WHOLE_MODEL))
    except TimingError as error:
        failure = Failure(path, error.why)
        if failure not in failures:
            failures.append(failure)
        return Measured(provider, why=error.why)


def _subject(path: str, memory: InMemory | None, bindings: Bindings) -> Subject:
    model = read(path) if memory is None else hold(path, memory)
    refuse_unsafe(model)
    return whole(model, load(model, bindings))
