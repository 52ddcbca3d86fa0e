"""The pages that are looked at in a browser, each written by a process when it is first needed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import archlint
from archlint.analyzer.report import html
from page_models import BUILDERS, HOSTILE
from page_times import timed

TIMED = frozenset({"timed", "deep"})
"""The pages of models with times made up."""
KINDS: dict[str, tuple[str, ...]] = {
    "googlenet": ("googlenet.onnx", "--base", "googlenet_base.onnx"),
    "timed": ("googlenet.onnx", "--base", "googlenet_base.onnx"),
    "resnet50": ("resnet50.onnx",),
    "vit": ("vit.onnx",),
    "quantised": ("quantised.onnx",),
    "deep": ("deep.onnx",),
    "unknown": ("unknown.onnx",),
    "hostile": (f"{HOSTILE[0]}.onnx",),
    "nothing": ("nothing.onnx",),
    "several": ("googlenet_base.onnx", "quantised.onnx", "nothing.onnx"),
}
"""The arguments that make each page."""
_BUILDERS = {**BUILDERS, HOSTILE[0]: BUILDERS["hostile"]}


class Pages:
    """Pages in a folder: each is there once it was asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, kind: str, *options: str) -> Path:
        """The file of a page of this kind, made with these options as well."""
        page = self._folder / "-".join([kind, *options]) / "page.html"
        if not page.exists():
            page.parent.mkdir(exist_ok=True)
            self.write(page, kind, *options)
        return page

    def write(self, page: Path, kind: str, *options: str) -> None:
        """Run archlint for this page, on models that are built where they are not there."""
        for argument in KINDS[kind]:
            model = self._folder / argument
            if model.stem in _BUILDERS and not model.exists():
                built = _BUILDERS[model.stem]()
                model.write_bytes(built.SerializeToString(deterministic=True))
        if kind in TIMED:
            model, *base = (self._folder / name for name in KINDS[kind] if name != "--base")
            report = archlint.lint(model, base=next(iter(base), None), isolated=True, cache=False)
            report = replace(report, models=tuple(map(timed, report.models)))
            page.write_text(html.render(report), encoding="utf-8")
            return
        always = ("--isolated", "--fail-on", "never", "--output", f"html={page}")
        ran = subprocess.run(
            [sys.executable, "-m", "archlint", "check", *KINDS[kind], *options, *always],
            cwd=self._folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
