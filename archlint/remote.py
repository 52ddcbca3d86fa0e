"""Models by the URL of any file system that fsspec knows.

What a URL may hold to let somebody in is never shown.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Self

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=//)[^/]*@")
_WEB = ("http://", "https://")
_SUFFIX = ".onnx"
_MOST = 100_000  # models of a folder


class Address(str):
    """A URL as it is shown: without a login, and without the query that may hold a key.

    ``url`` is the whole of it.
    """

    __slots__ = ("url",)
    url: str

    def __new__(cls, url: str) -> Self:
        """The address of a URL."""
        shown = _LOGIN.sub("", url)
        if is_of_the_web(url):
            shown = re.split("[?#]", shown, maxsplit=1)[0]
        made = super().__new__(cls, shown)
        made.url = url
        return made

    def __reduce__(self) -> tuple[type[Address], tuple[str]]:
        return Address, (self.url,)


def is_remote(path: str) -> bool:
    """Whether it is a URL; no path of this machine has two slashes behind a colon."""
    return _SCHEME.match(path) is not None


def is_of_the_web(url: str) -> bool:
    """Whether a URL may have a query, and is a path as it is."""
    return url.lower().startswith(_WEB)


def find(url: str) -> tuple[Sequence[str], str]:
    """The models of a URL as addresses: itself, those that match, or those in the folder; why there
    are none, where that is a failure."""
    shown = Address(url)
    try:
        files, place = file_system(url)
        if url.endswith(_SUFFIX) and not glob.has_magic(place):
            return [shown], ""
        if glob.has_magic(place) and not is_of_the_web(url):
            names, why = files.glob(place), "nothing matches the pattern"
        elif url.endswith("/") or files.isdir(place):
            names = [name for name in files.find(place) if name.endswith(_SUFFIX)]
            why = f"the folder holds no {_SUFFIX} file"
        else:
            return [shown], ""
    except Exception as error:  # noqa: BLE001 - what drivers raise is their own
        return (), why_of(error)
    if len(names) > _MOST:
        return (), f"the folder holds more than {_MOST:,} models; give those that are meant"
    before = url.rstrip("/").removesuffix(place.rstrip("/"))
    return [Address(before + name) for name in sorted(names)], "" if names else why


def file_system(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it."""
    fsspec: Any = import_module("fsspec.core")  # late, and without types
    files, place = fsspec.url_to_fs(url)
    return files, str(place)


def why_of(error: Exception) -> str:
    """What is wrong, without the texts of drivers that repeat the URL."""
    if isinstance(error, ImportError):
        if (error.name or "").partition(".")[0] == "fsspec":
            return "paths by URL need fsspec; install it with: pip install 'archlint[remote]'"
        return f"its driver is not installed: {error}"  # what fsspec says then names no URL
    if isinstance(error, FileNotFoundError):
        return "there is no such file or folder"
    if isinstance(error, ValueError) and "rotocol not known" in str(error):
        return "fsspec knows no such kind of URL"
    told = getattr(error, "strerror", None) or getattr(error, "status", None)
    return f"{type(error).__name__}{f': {told}' if told else ''}"
