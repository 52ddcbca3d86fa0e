"""A model as tests speak of it: assertions about its costs and findings, in a chain."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec, Self, TypeVar

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import FindingReport, ModelReport, Report, concise
from archlint.analyzer.text import Paint, safe
from archlint.budget_kinds import BUDGET, Budget
from archlint.budgets import broken
from archlint.check_run import Ends, judged
from archlint.checking import Wanted, check
from archlint.choices import FailOn
from archlint.kinds import Place, choice
from archlint.work import Prepared, Request

Amount = str | int | float
Growth = str | int | float
P = ParamSpec("P")
T = TypeVar("T")
_UNGROWN = "+0%"  # what costs may grow by where nothing is said


def _told(method: Callable[P, T]) -> Callable[P, T]:
    """The method; what it raises for its caller shows no line of archlint."""

    @wraps(method)
    def called(*arguments: P.args, **options: P.kwargs) -> T:
        __tracebackhide__ = True
        try:
            return method(*arguments, **options)
        except (AssertionError, ConfigError) as error:
            raise error.with_traceback(None) from None

    return called


class CheckedModel:
    """What a path names, as ``archlint check`` sees it from the folder ``root``.

    Each method returns the model itself, or raises AssertionError with what is wrong; ConfigError,
    which is a ValueError, for arguments and settings that cannot be used.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        root: str | os.PathLike[str],
        *,
        config: str | os.PathLike[str] | None = None,
        dims: Mapping[str, int],
    ) -> None:
        self._root = os.fspath(root)
        self._path = _beneath(os.fspath(path), self._root)
        self._options: dict[str, Any] = {
            "config": [] if config is None else [os.fspath(config)],
            "dims": [f"{name}={size}" for name, size in dims.items()],
            "force_exclude": False,  # what a test names it means
        }

    @_told
    def within(
        self,
        *,
        macs: Amount | None = None,
        params: Amount | None = None,
        file_size: Amount | None = None,
        peak_activation: Amount | None = None,
    ) -> Self:
        """It takes no more than this; what of it is unknown is not taken for nothing."""
        budget = self._budget("within", _given(macs, params, file_size, peak_activation))
        report = self._analysed(Wanted(), FailOn.NEVER)
        _refuse(report, ((model, broken(model, [budget])) for model in report.models))
        return self

    @_told
    def clean(
        self,
        *,
        fail_on: str | None = None,
        select: Sequence[str] = (),
        ignore: Sequence[str] = (),
    ) -> Self:
        """Nothing is found in it at or above a severity (by default that of the configuration);
        ``select`` and ``ignore`` are codes, prefixes or names of rules."""
        report = self._analysed(Wanted(), fail_on, select=[*select], ignore=[*ignore])
        _refuse(report, self._failing(report, fail_on))
        return self

    @_told
    def no_worse_than(
        self,
        base: str | os.PathLike[str],
        *,
        macs: Growth | None = None,
        params: Growth | None = None,
        file_size: Growth | None = None,
        peak_activation: Growth | None = None,
        fail_on: str | None = None,
    ) -> Self:
        """Beside a model, a folder of models or a revision of git: no finding is new or worse, and
        nothing has grown by more than this; where nothing is said, not MACs and not parameters."""
        growths = _given(macs, params, file_size, peak_activation)
        growths = growths or dict.fromkeys(("macs", "params"), _UNGROWN)
        budget = self._budget("no_worse_than", {"regression": growths})
        wanted = Wanted(base=_beneath(os.fspath(base), self._root))
        report = self._analysed(wanted, fail_on)
        for model in report.models:
            if reason := _not_compared(model):
                raise AssertionError(f"{safe(model.path)}: {reason}")
        grown = ((model, broken(model, [budget])) for model in report.models)
        _refuse(report, (*grown, *self._failing(report, fail_on)))
        return self

    def _budget(self, method: str, limits: Mapping[str, object]) -> Budget:
        return BUDGET.read(Place(method, self._root), dict(limits))

    def _request(self, fail_on: str | None, **options: Any) -> Request:
        place = Place("archlint_model", self._root, "fail_on")
        given = None if fail_on is None else choice(FailOn).read(place, fail_on)
        return Request.of({**self._options, "fail_on": given, **options})

    def _analysed(self, wanted: Wanted, fail_on: str | None, **options: Any) -> Report:
        """The report of a check; raises AssertionError for what could not be analysed."""
        request = self._request(fail_on, **options)
        with chdir(self._root):
            configuration = request.configuration()
            report = check([self._path], request, Prepared(configuration), wanted)
            if report.failures:
                told = (f"{safe(one.path)}: {safe(one.why, 600)}" for one in report.failures)
                raise AssertionError("\n".join(told))
            return judged(report, configuration, Ends(), timed=False)

    def _failing(
        self, report: Report, fail_on: str | None
    ) -> Iterator[tuple[ModelReport, Sequence[FindingReport]]]:
        with chdir(self._root):
            configuration = self._request(fail_on).configuration()
            least = {model.path: configuration.fail_on(model.path) for model in report.models}
        for model in report.models:
            if (level := least[model.path]) is not FailOn.NEVER:
                severity = Severity[level.name]
                yield model, [one for one in model.told if one.severity >= severity]


def _beneath(path: str, root: str) -> str:
    """The path from the root where it is beneath, otherwise as it is."""
    folder = os.path.join(os.path.abspath(root), "")
    return path.removeprefix(folder)


def _given(
    macs: Amount | None,
    params: Amount | None,
    file_size: Amount | None,
    peak_activation: Amount | None,
) -> Mapping[str, Amount]:
    """The quantities that are limited, by their names in budgets."""
    named = {
        "macs": macs,
        "params": params,
        "file-size": file_size,
        "peak-activation": peak_activation,
    }
    return {name: value for name, value in named.items() if value is not None}


def _not_compared(model: ModelReport) -> str:
    """Why a model that the base has was not compared with it; nothing where it was."""
    if model.change is None or not model.change.is_new:
        return ""
    return next((safe(note, 600) for note in model.notes if note.startswith("the base ")), "")


def _refuse(report: Report, found: Iterable[tuple[ModelReport, Sequence[FindingReport]]]) -> None:
    """Raises AssertionError with the findings, if there are any."""
    models = tuple(
        replace(model, findings=tuple(findings), ignored=(), change=None, unknown_nodes=0)
        for model, findings in found
        if findings
    )
    if models:
        only = replace(report, models=models, base="", skipped=())
        raise AssertionError(concise.render(only, Paint()).rstrip("\n"))
