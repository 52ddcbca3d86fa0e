"""GitHub's runner, as far as the scripts of the action know it."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from this_repository import ROOT

_BASH = shutil.which("bash") or "bash"
_COMMAND = re.compile(r"::([\w-]+)(?: [^:]*)?::(.*)")
_FINDINGS = [{"state": "new"}, {"state": "worse"}, {"state": "unchanged"}]
REPORT = {"models": [{"findings": _FINDINGS}, {"findings": []}], "failures": []}
# Writes what the test has put beside it, and the words that it was started with.
ARCHLINT = """\
#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
(here / "words").write_text(json.dumps(sys.argv[1:]))
for word in sys.argv[1:]:
    option, _, target = word.partition("=")
    name, _, path = target.partition("=")
    source = here / f"out.{{name}}"
    if option == "--output" and source.exists():
        pathlib.Path(path).write_bytes(source.read_bytes())
print((here / "said").read_text())
print("on stderr", file=sys.stderr)
sys.exit(int((here / "code").read_text()))
"""
_OUTPUT = re.compile(r"([\w-]+)<<(\w+)\n(.*?)\n\2\n", re.DOTALL)


@dataclass(frozen=True)
class Ran:
    """One step: its exit code, its log, its outputs and its summary."""

    code: int
    log: str
    outputs: Mapping[str, str]
    summary: str

    @property
    def obeyed(self) -> list[tuple[str, str]]:
        """The commands of the log that the runner takes, unescaped."""
        found, stopped = [], ""
        for line in self.log.splitlines():
            command = _COMMAND.match(line)
            if stopped:
                stopped = "" if line == f"::{stopped}::" else stopped
            elif command and command[1] == "stop-commands":
                stopped = command[2]
            elif command:
                text = command[2].replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
                found.append((command[1], text))
        return found

    def told(self, kind: str) -> list[str]:
        """The annotations of a kind."""
        return [text for name, text in self.obeyed if name == kind]


@dataclass(frozen=True)
class Runner:
    """A job with its temporary folder and the event that started it."""

    temporary: Path
    checkout: Path

    def step(
        self,
        script: str,
        inputs: Mapping[str, str] | None = None,
        *,
        event: object = None,
        variables: Mapping[str, str] | None = None,
    ) -> Ran:
        """Runs a script of the action, with the inputs by their variables, and others."""
        for name in ("output", "summary"):
            (self.temporary / name).write_text("")
        (self.temporary / "event.json").write_text(json.dumps(event))
        own = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.temporary),
            "GITHUB_OUTPUT": str(self.temporary / "output"),
            "GITHUB_STEP_SUMMARY": str(self.temporary / "summary"),
            "GITHUB_EVENT_PATH": str(self.temporary / "event.json"),
            "GITHUB_ACTION_PATH": str(ROOT),
            **{f"INPUT_{name}": value for name, value in (inputs or {}).items()},
            **(variables or {}),
        }
        ran = subprocess.run(
            [_BASH, str(Path(own["GITHUB_ACTION_PATH"]) / "action" / "run.sh"), script],
            cwd=self.checkout, env=own, check=False, timeout=600, encoding="utf-8",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        outputs = _OUTPUT.findall((self.temporary / "output").read_text("utf-8"))
        return Ran(
            ran.returncode,
            ran.stdout,
            {name: value for name, _, value in outputs},
            (self.temporary / "summary").read_text("utf-8"),
        )


class Job(Runner):
    """A job whose archlint does as it is told."""

    def will(self, code: int = 0, said: str = "", report: object = REPORT, **written: str) -> None:
        """What archlint prints, writes and leaves with."""
        files = {"code": str(code), "said": said, "out.json": json.dumps(report)}
        files |= {f"out.{name}": text for name, text in written.items()}
        for name, text in files.items():
            (self.temporary / name).write_text(text, "utf-8")

    def check(
        self, event: object = None, inputs: Mapping[str, str] | None = None, **more: str
    ) -> Ran:
        """The step that runs archlint, with the inputs' defaults."""
        given = {"PATHS": ".", "BASE": "auto", "ANNOTATIONS": "true", "SUMMARY": "true"}
        variables = more | {"PROGRAM": str(self.temporary / "archlint")}
        return self.step("check.py", given | dict(inputs or {}), event=event, variables=variables)

    @property
    def words(self) -> list[str]:
        """What archlint was started with, but for what it is to write."""
        words: list[str] = json.loads((self.temporary / "words").read_text())
        return [word for word in words if not word.startswith("--output")]


def made(folder: Path) -> Job:
    """A job in an empty checkout below a folder."""
    job = Job(folder / "temporary", folder / "checkout")
    job.temporary.mkdir()
    job.checkout.mkdir()
    program = job.temporary / "archlint"
    program.write_text(ARCHLINT.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    job.will()
    return job
