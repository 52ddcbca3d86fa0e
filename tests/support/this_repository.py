"""A copy of this repository, as a source that other programs install archlint from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from repositories import Repo

ROOT = Path(__file__).parents[2]


def copy_of_this_one(folder: Path) -> str:
    """The commit of a clone that holds what is not committed here too."""
    if not (ROOT / ".git").exists():
        pytest.skip("these files are no git repository")
    changed = ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"]
    listed = subprocess.run(changed, cwd=ROOT, check=True, capture_output=True, encoding="utf-8")
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)  # noqa: S607 - as Repo does
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, folder / name, follow_symlinks=False)
        else:
            (folder / name).unlink()
    return Repo(folder).commit()
