"""What the environment says in place of options: above files, below the command line."""

from __future__ import annotations

import os

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.text import nearest
from archlint.choices import Format
from archlint.settings import Layer, settings_of

CONFIG = "ARCHLINT_CONFIG"
OUTPUT_FORMAT = "ARCHLINT_OUTPUT_FORMAT"
OUTPUT_FILE = "ARCHLINT_OUTPUT_FILE"


def settings_file() -> str | None:
    """The configuration file for all models; raises ConfigError where there is none of the name."""
    file = os.environ.get(CONFIG) or None
    if file is not None and not os.path.isfile(file):
        raise ConfigError(CONFIG, f"there is no file '{file}'")
    return file


def layers() -> tuple[Layer, ...]:
    """The settings that variables make; raises ConfigError for a wrong value."""
    word = os.environ.get(OUTPUT_FORMAT)
    if not word:
        return ()
    if word not in list(Format):
        near = nearest(word, Format) or f"; it can be {', '.join(Format)}"
        raise ConfigError(OUTPUT_FORMAT, f"there is no format '{word}'{near}")
    return (Layer(OUTPUT_FORMAT, settings_of(output_format=Format(word))),)


def output_target(option: str | None) -> tuple[str | None, str]:
    """Where findings are written, and what has named it."""
    if option is None and (file := os.environ.get(OUTPUT_FILE)):
        return file, OUTPUT_FILE
    return option, "-o"
