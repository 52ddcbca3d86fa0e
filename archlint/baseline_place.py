"""Which file of accepted findings holds for a model, and what the model is called in it."""

from __future__ import annotations

import os
from collections.abc import Collection

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.configuration import Configuration
from archlint.discovery import shown_path

NAME = ".archlint-baseline.json"


def file_for(configuration: Configuration, option: str | None, path: str) -> str | None:
    """The file that holds for a model, whether or not it is there: that of the option, of the
    setting, or beside the configuration file.

    None of standard input, and with ``--isolated`` where neither option nor setting names one.
    """
    if path == STANDARD_INPUT:
        return None
    if option is not None:
        return os.path.abspath(option)
    if (own := configuration.settings(path).baseline) is not None:
        return own.path
    if configuration.isolated:
        return None
    file = configuration.file_for(path)
    folder = os.getcwd() if file is None else os.path.dirname(os.path.abspath(file))
    return os.path.join(folder, NAME)


def check_there(configuration: Configuration, option: str | None, path: str) -> None:
    """Raise ConfigError where a file is named for a model, and not there."""
    file = file_for(configuration, option, path)
    if file is None or os.path.exists(file):
        return
    why = "there is no such file; --write-baseline makes it"
    if option is not None:
        raise ConfigError(f"--baseline {option}", why)
    settings, sources = configuration.combined(path)
    if settings.baseline is not None:
        raise ConfigError(sources["baseline"], f"baseline: '{settings.baseline}': {why}")


def key_of(path: str, file: str) -> str:
    """The path of a model from the folder of a baseline; raises ConfigError on another drive."""
    if "://" in path:
        return path
    try:
        return os.path.relpath(path, os.path.dirname(file)).replace(os.sep, "/")
    except ValueError as error:
        why = f"{path} is on another drive than {shown_path(file)}"
        raise ConfigError("--baseline", why) from error


def exists(key: str, file: str) -> bool:
    """Whether a model that has entries is there, as far as one can know."""
    return "://" in key or os.path.exists(os.path.join(os.path.dirname(file), key))


def is_wanted(configuration: Configuration, option: str | None, paths: Collection[str]) -> bool:
    """Whether a file of accepted findings is there for some of the models, or is named."""
    if option is not None:
        return True
    files = {file_for(configuration, option, path) for path in paths}
    named = any(configuration.settings(path).baseline is not None for path in paths)
    return named or any(file is not None and os.path.exists(file) for file in files)
