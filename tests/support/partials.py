"""Sections of a page, rendered alone, and what of them a reader sees."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jinja2

from archlint.analyzer.report import html
from archlint.analyzer.report.html.numbers import tied

_TEMPLATES = Path(next(iter(html.__path__)))
_SILENT = {"title"}  # what a pointer shows


class Partial(HTMLParser):
    """A section: its text without that of pointers, its tags, ids, targets of links, attributes."""

    def __init__(self, template: str, section: object) -> None:
        """Render it with the template."""
        super().__init__()
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
        environment.filters["tied"] = tied
        self.source = environment.get_template(template).render(section=section, level=2)
        self.tags: Counter[str] = Counter()
        self.attributes: Counter[str] = Counter()
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.tips: list[str] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self.feed(self.source)
        self.text = " ".join("".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        """Count it and its attributes."""
        self.tags[tag] += 1
        self._open.append(tag)
        self._texts.append(" " if tag in {"td", "th", "li", "p", "dt", "dd", "text"} else "")
        for name, value in attrs:
            self.attributes[name] += 1
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.targets.append(value)

    def handle_endtag(self, tag: str) -> None:
        """It is open no more."""
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Keep what is seen."""
        kept = self.tips if self._open and self._open[-1] in _SILENT else self._texts
        kept.append(data)
