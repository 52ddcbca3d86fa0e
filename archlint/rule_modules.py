"""The rules of code that is not archlint's: of a file, of a folder, of an installed module.

A local file is imported under a private name that its path gives, so that two files of one name
keep apart and ``sys.path`` stays as it is. A folder is a package under such a name: its files may
import each other relatively (``from ._sizes import area``).
"""

from __future__ import annotations

import hashlib
import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from glob import escape, glob
from importlib.util import module_from_spec, spec_from_file_location
from traceback import extract_tb
from types import ModuleType
from typing import TYPE_CHECKING

from archlint.analyzer.rule import Rule
from archlint.rules import Rules, rules_in

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_SUFFIX = ".py"
_OURS = (__file__, importlib.__file__)  # lines that lead to every import
_NO_RULES = ("_", "test_")  # how the names of files begin that hold helpers and tests


class UnusableError(ValueError):
    """Code that gives no rules, and why: where it stops, or what it lacks."""


def rules_at(path: str) -> Rules:
    """The rules of a file, or of the files of a folder; imported once.

    Raises UnusableError where there are none.
    """
    return _rules_at(os.path.realpath(path))


@cache
def _rules_at(path: str) -> Rules:
    name = f"_archlint_plugin_{hashlib.sha256(path.encode()).hexdigest()[:16]}"
    importlib.invalidate_caches()
    try:
        with _told(path):
            modules = _import_all(name, path)
    except UnusableError:
        for module in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
            del sys.modules[module]
        raise
    return _some((rule for module in modules for rule in rules_in(module)), _inner_hint(path))


def _inner_hint(path: str) -> str:
    """Which folders within a folder may have been meant."""
    if not os.path.isdir(path):
        return ""
    inner = [
        name
        for name in sorted(os.listdir(path))
        if glob(os.path.join(escape(path), escape(name), "*.py"))
    ]
    return f"; folders within it are not looked into: give {' or '.join(inner)}" if inner else ""


def file_of(rule: type[Rule], path: str) -> str:
    """The file of a rule, where ``path`` is that or its folder, as the path begins."""
    file = os.path.basename(str(sys.modules[rule.__module__].__file__))
    return path if os.path.basename(path) == file else os.path.join(path, file)


def rules_of_point(point: EntryPoint) -> Rules:
    """The rules of an entry point: a rule, or those of a module or package."""
    with _told():
        loaded = point.load()
    if isinstance(loaded, type) and issubclass(loaded, Rule):
        return (loaded,)
    if not isinstance(loaded, ModuleType):
        raise UnusableError(f"'{point.value}' is no rule, module or package")
    return _rules_of(loaded)


def rules_of_module(name: str) -> Rules:
    """The rules of a module or package that can be imported; raises UnusableError."""
    with _told():
        module = importlib.import_module(name)
    return _rules_of(module)


def _rules_of(module: ModuleType) -> Rules:
    with _told():
        inner = [
            importlib.import_module(f"{module.__name__}.{found.name}")
            for found in pkgutil.iter_modules(getattr(module, "__path__", ()))
            if not found.name.startswith(_NO_RULES)
        ]
    return _some(rule for each in (module, *inner) for rule in rules_in(each))


def _some(found: Iterator[type[Rule]], hint: str = "") -> Rules:
    rules = tuple(dict.fromkeys(found))
    if not rules:
        raise UnusableError(f"defines no rule: no subclass of archlint.analyzer.rule.Rule{hint}")
    return rules


def _import_all(name: str, path: str) -> list[ModuleType]:
    """A file as a module; a folder as a package, whose __init__.py is run where it has one, and its
    files."""
    if not os.path.exists(path):
        raise UnusableError("there is no such file or folder")
    if not os.path.isdir(path):
        if not path.endswith(_SUFFIX):
            raise UnusableError(f"is no folder, and no file '*{_SUFFIX}'")
        return [_import_file(name, path)]
    init = os.path.join(path, f"__init__{_SUFFIX}")
    if os.path.isfile(init):
        _import_file(name, init, path)
    else:
        package = sys.modules[name] = ModuleType(name)
        package.__path__ = [path]
    names = sorted(n for n in os.listdir(path) if n.endswith(_SUFFIX))
    files = [os.path.join(path, n) for n in names if not n.startswith(_NO_RULES)]
    return [sys.modules[name], *(_import_file(f"{name}.{_stem(file)}", file) for file in files)]


def _stem(file: str) -> str:
    return os.path.basename(file).removesuffix(_SUFFIX).replace(".", "_")


def _import_file(name: str, file: str, folder: str | None = None) -> ModuleType:
    """The file as a module of this name, which another of its folder may have imported already."""
    if name in sys.modules:
        return sys.modules[name]
    inner = None if folder is None else [folder]
    spec = spec_from_file_location(name, file, submodule_search_locations=inner)
    if spec is None or spec.loader is None:
        raise UnusableError(f"{file} cannot be imported")
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _told(root: str = "") -> Iterator[None]:
    """What goes wrong in an import is an UnusableError that names the place below ``root``."""
    try:
        yield
    except UnusableError:
        raise
    except SyntaxError as error:
        where = _at(error.filename or "", error.lineno)
        raise UnusableError(f"{where}{type(error).__name__}: {error.msg}") from error
    except (Exception, SystemExit) as error:
        frames = [f for f in extract_tb(error.__traceback__) if f.filename.startswith(root)]
        theirs = [f for f in frames if f.filename not in _OURS and not f.filename.startswith("<")]
        where = _at(theirs[-1].filename, theirs[-1].lineno) if theirs else ""
        raise UnusableError(f"{where}{type(error).__name__}: {error}") from error


def _at(file: str, line: int | None) -> str:
    return f"{os.path.basename(file)}, line {line}: " if file else ""
