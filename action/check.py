"""Run archlint over the checkout: log, annotations, summary and outputs; leave with its code."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from base import base_of
from runner import (
    EXIT_USAGE,
    cut,
    event,
    flag_of,
    no_commands,
    output,
    run,
    summarise,
    tell,
    text_of,
    words_of,
)

_SUMMARY = 1 << 20  # bytes; GitHub drops a longer one
_ANNOTATION = re.compile(r"::(error|warning|notice)[ :]")
_LFS = (
    "a model is a Git LFS pointer: give actions/checkout 'lfs: true', or commit snapshots and give "
    "the input args '--on-lfs-pointer snapshot'"
)


def files(folder: Path) -> dict[str, Path]:
    """Where each format is written that the inputs ask for."""
    wanted = {"json": folder / "archlint.json"}
    if flag_of("annotations"):
        wanted["github"] = folder / "annotations.txt"
    if flag_of("summary") | flag_of("comment"):
        wanted["markdown"] = folder / "archlint.md"
    if text_of("sarif"):
        wanted["sarif"] = Path(text_of("sarif")).absolute()
    elif flag_of("upload-sarif"):
        wanted["sarif"] = folder / "archlint.sarif"
    return wanted


def command(written: dict[str, Path]) -> list[str]:
    """The run of archlint. Options of the workflow come behind those of the action, and nothing
    that an input names as a path or a base can be an option."""
    base, fail_on = base_of(text_of("base"), event()), text_of("fail-on")
    return [
        os.environ["PROGRAM"], "check", "--output-format=concise",
        *(f"--output={name}={path}" for name, path in written.items()),
        *([f"--base={base}"] if base else []),
        *([f"--fail-on={fail_on}"] if fail_on else []),
        *words_of("args"), "--", *(words_of("paths") or ["."]),
    ]  # fmt: skip


def lint(words: list[str]) -> int:
    """The exit code of archlint, whose text the runner does not obey."""
    own = {**os.environ, "PYTHONUTF8": "1"}
    with no_commands():
        try:
            ran = subprocess.run(words, check=False, stderr=subprocess.STDOUT, env=own)
        except OSError as error:
            print(f"archlint cannot be started: {error}")
            return EXIT_USAGE
    return ran.returncode if ran.returncode >= 0 else EXIT_USAGE


def publish(written: dict[str, Path], code: int) -> None:
    """Outputs, annotations and summary, of what archlint has written."""
    there = {name: path for name, path in written.items() if path.is_file()}
    output("exit-code", code)
    names = {"json": "report-file", "sarif": "sarif-file", "markdown": "markdown-file"}
    for name, path in there.items():
        if name in names:
            output(names[name], path)
    if "json" in there:
        count(json.loads(there["json"].read_text(encoding="utf-8")))
    if "github" in there:
        annotate(there["github"].read_text(encoding="utf-8"))
    if "markdown" in there and flag_of("summary"):
        summarise(cut(there["markdown"].read_text(encoding="utf-8"), _SUMMARY))
    if code == EXIT_USAGE:
        tell("error", "archlint could not do what it was asked for; the log says why")


def count(report: dict[str, Any]) -> None:
    """The numbers of findings; what to do about pointers."""
    found = [finding for model in report["models"] for finding in model["findings"]]
    output("findings", len(found))
    output("new-findings", sum(finding.get("state") != "unchanged" for finding in found))
    if any("Git LFS pointer" in failure["why"] for failure in report["failures"]):
        tell("notice", _LFS)


def annotate(text: str) -> None:
    """Print the commands for annotations, and nothing that is none."""
    for line in text.splitlines():
        if _ANNOTATION.match(line):
            print(line)


def main() -> int:
    """Check, and tell what came out."""
    written = files(Path(tempfile.mkdtemp(prefix="archlint-", dir=os.environ["RUNNER_TEMP"])))
    code = lint(command(written))
    publish(written, code)
    return code


if __name__ == "__main__":
    run(main)
