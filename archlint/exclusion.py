"""What is left out where a folder is searched, and with ``force-exclude`` even where it is named.

A file or folder is judged by the settings of the folder that it is in. What is named is searched
whatever it is called; only what is below it is judged. By force all is judged that is below the
folder of the configuration, or below the working directory where there is none.
"""

from __future__ import annotations

import os

from archlint.analyzer.errors import ConfigError
from archlint.configuration import Configuration


def is_excluded(configuration: Configuration, path: str) -> bool:
    """Whether the file or folder is left out by itself, not only a folder that it is in."""
    try:
        settings = configuration.settings(path)
    except ConfigError:  # told where a model has these settings
        return False
    patterns = (*settings.exclude, *settings.extend_exclude)
    return any(pattern.means(path) for pattern in patterns)


def is_excluded_below(configuration: Configuration, top: str, path: str) -> bool:
    """Whether the path is left out, or a folder between it and ``top``."""
    place, end = os.path.abspath(path), os.path.abspath(top)
    while place not in (end, os.path.dirname(place)):
        if is_excluded(configuration, place):
            return True
        place = os.path.dirname(place)
    return False


def is_forced_out(configuration: Configuration, path: str) -> bool:
    """Whether a path is left out although it is named; raises ConfigError for a file that cannot
    be used."""
    whole = os.path.abspath(path)
    if not configuration.settings(whole).force_exclude:
        return False
    file = configuration.file_for(whole)
    tops = [os.getcwd(), os.path.dirname(whole)]
    if file is not None:
        tops.insert(0, os.path.dirname(os.path.abspath(file)))
    top = next(top for top in tops if whole.startswith(os.path.join(top, "")))
    return is_excluded_below(configuration, top, whole)
