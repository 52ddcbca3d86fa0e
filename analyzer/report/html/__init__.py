"""The report as one page of HTML: no request leaves it, and it can do without its script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from archlint.analyzer.report import ModelReport, Report
from archlint.analyzer.report.html import findings
from archlint.analyzer.report.html.cards import Card
from archlint.analyzer.report.html.head import head as top_of
from archlint.analyzer.report.html.ids import Ids
from archlint.analyzer.report.html.node_numbers import BAR_STEPS
from archlint.analyzer.report.html.numbers import tied
from archlint.analyzer.report.html.page import page as page_of
from archlint.analyzer.report.html.palette import PALETTE, Tone, palette_css
from archlint.analyzer.report.sentences import failed, more
from archlint.analyzer.text import plural, safe

if TYPE_CHECKING:
    from jinja2 import Template

_FOLDER = Path(__file__).parent
_MODELS_SHOWN, _CARDS_SHOWN = 10, 8  # of a summary
_NOTHING_ELSE = "default-src 'none'; base-uri 'none'; form-action 'none'"


def render(report: Report, stem: str | None = None) -> str:
    """The page of a report. Its style and its script are within it or, where there is a ``stem``,
    in the files of that name beside it (see ``asset_files``)."""
    style, script = _style(), _script()
    text = _template("page.html.j2").render(
        page=page_of(report),
        stem=stem,
        style=Markup(style),  # noqa: S704 - they are files of this package
        script=Markup(script),  # noqa: S704 - as above
        policy=_policy(None if stem else (style, script)),
    )
    return f"{text}\n"


def asset_files(stem: str) -> Mapping[str, str]:
    """The files beside a page by their names, with what is in them."""
    return {f"{stem}.css": _style(), f"{stem}.js": _script()}


def summary(report: Report) -> str:
    """The tops of the pages of the first models, as a part of another page, such as a notebook."""
    tops = [(top_of(model), *_found(model)) for model in report.models[:_MODELS_SHOWN]]
    rest = len(report.models) - len(tops)
    failures = [f"{safe(one.path)}: {failed(one.why)}" for one in report.failures]
    return _template("summary.html.j2").render(
        tops=tops,
        left=more(rest, "model", "in the report") if rest else "",
        failures=failures,
    )


def _found(model: ModelReport) -> tuple[tuple[Card, ...], str]:
    """The first cards of a model, and how many more there are."""
    cards = findings.section(model, Ids()).cards
    rest = len(cards) - _CARDS_SHOWN
    return cards[:_CARDS_SHOWN], f"and {plural(rest, 'more rule')}" if rest > 0 else ""


def _policy(inside: tuple[str, str] | None) -> str:
    """The content security policy: the style and script that are ``inside``, or those beside."""
    if inside is None:
        return f"{_NOTHING_ELSE}; style-src 'self' file:; script-src 'self' file:"
    style, script = map(_hash, inside)
    return f"{_NOTHING_ELSE}; style-src {style}; script-src {script}"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _style() -> str:
    bars = "".join(f".b{step}{{--b:{step}}}" for step in range(1, BAR_STEPS + 1))
    own = (_FOLDER / "style.css").read_text(encoding="utf-8")
    return f"{palette_css()}\n{own}{bars}"


@cache
def _script() -> str:
    return (_FOLDER / "script.js").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["tied"] = tied
    environment.globals["palette"] = {str(tone): PALETTE[tone] for tone in Tone}
    return environment


def _template(name: str) -> Template:
    return _environment().get_template(name)
