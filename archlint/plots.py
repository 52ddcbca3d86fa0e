"""Pictures of what a model costs, as files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from archlint.analyzer.analysis import Analyses, Analysis
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.report import ModelReport
from archlint.analyzer.report.reporting import reported
from archlint.analyzer.text import nearest
from archlint.choices import PlotKind
from archlint.output import write
from archlint.work import architecture_of

_OPTION = "--plot"
_SUFFIX = ".svg"


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture and the file that it goes to."""

    kind: PlotKind
    file: str


def parse_plots(texts: Sequence[str]) -> tuple[Plot, ...]:
    """What ``--plot`` asks for: a file that is called as the picture, or ``KIND=FILE``.

    Raises ConfigError for what names no picture, and for a file that is named twice.
    """
    plots = tuple(map(_parsed, texts))
    files = [os.path.realpath(plot.file) for plot in plots]
    for plot, file in zip(plots, files, strict=True):
        if files.count(file) > 1:
            raise ConfigError(_OPTION, f"two pictures would be written to {plot.file}")
    return plots


def _parsed(text: str) -> Plot:
    word, sign, file = text.partition("=")
    if not sign:
        word, file = os.path.basename(text).removesuffix(_SUFFIX), text
    source = f"{_OPTION} {text}"
    if word not in list(PlotKind):
        near = nearest(word, PlotKind) or f"; it can be {', '.join(PlotKind)}"
        raise ConfigError(source, f"there is no picture '{word}'{near}")
    if not file.endswith(_SUFFIX):
        example = f"{word}=FILE.svg" if sign else f"{word}.svg"
        raise ConfigError(source, f"a picture is an SVG file; write {example}")
    return Plot(PlotKind(word), file)


def write_plots(report: Analyses, plots: Sequence[Plot]) -> None:
    """Write the pictures of the one model of a report; where it could not be analysed there are
    none. Raises ConfigError for a picture that cannot be drawn, and for several models."""
    if len(report.models) + len(report.failures) > 1:
        raise ConfigError(_OPTION, "draws one model; give one path")
    from archlint.analyzer.report.html.charts.plot import plot  # late: few runs draw

    for model in map(_drawn, report.models):
        pictures = []
        for wanted in plots:
            try:
                pictures.append((plot(model, wanted.kind), wanted.file))
            except ValueError as error:
                raise ConfigError(f"{_OPTION} {wanted.file}", str(error)) from error
        for picture, file in pictures:
            write(picture, file, _OPTION)


def _drawn(analysis: Analysis) -> ModelReport:
    from archlint.analyzer.report.layering import layers  # late: few runs draw

    drawn = layers(analysis, architecture_of(analysis))
    return replace(reported(analysis), layers=drawn)
