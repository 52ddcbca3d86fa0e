"""Measure this machine, and keep what predicts times on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.report.machine import render
from archlint.analyzer.timing.prediction.cache import FOLDER_VARIABLE, cache_folder, store
from archlint.analyzer.timing.prediction.survey import survey
from archlint.output import terminal
from archlint.providers import working_providers


def calibrations(asked: Sequence[str], threads: int) -> Iterator[str]:
    """Calibrate each provider of ``--ep`` in turn; what was measured of it, as text.

    Raises ConfigError for a provider that does not work here and where nothing can be written,
    TimingError where a provider cannot run what is measured.
    """
    for provider in working_providers(asked):
        found = survey(provider, threads)
        try:
            path = store(found.profile)
        except OSError as error:
            why = f"cannot be written: {error.strerror}; set {FOLDER_VARIABLE} to another folder"
            raise ConfigError(cache_folder(), why) from error
        yield render(found, path, *terminal(None))
