"""Install archlint into an environment of its own, away from those of the workflow."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from runner import InputError, output, run, text_of

_VERSION = re.compile(r"[0-9][0-9A-Za-z.!+]*")


def wanted(version: str) -> str:
    """What pip installs: a version of the index, or the files that this script is part of."""
    if not version:
        return str(Path(__file__).resolve().parent.parent)
    if _VERSION.fullmatch(version) is None:
        raise InputError(f"version must be one as 1.2.3, and is '{version}'")
    return f"archlint=={version}"


def main() -> int:
    """Make the environment, and tell where the program is."""
    source = wanted(text_of("version"))
    folder = Path(os.environ["RUNNER_TEMP"]) / "archlint-environment"
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    print("::group::Install archlint", flush=True)
    # -I: a module of the checkout must not run in place of venv or pip.
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", source]
    steps = ([sys.executable, "-I", "-m", "venv", folder], [programs / "python", "-I", *pip])
    for command in steps:
        if subprocess.run([str(word) for word in command], check=False).returncode:
            raise InputError("archlint could not be installed; the log of pip says why")
    print("::endgroup::", flush=True)
    output("program", programs / "archlint")
    return 0


if __name__ == "__main__":
    run(main)
