"""What archlint asks of git: always the program, never with a shell, and nothing is written.

No hook runs, no filter of Git LFS, and nothing is fetched for it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import IO

from archlint.analyzer.errors import ConfigError
from archlint.analyzer.text import safe
from archlint.discovery import shown_path

_OPTIONS = (
    "--no-pager",
    "-c", "core.fsmonitor=false",  # it may be a program
    "-c", f"core.hooksPath={os.devnull}",
    "-c", "filter.lfs.process=", "-c", "filter.lfs.clean=", "-c", "filter.lfs.smudge=",
    "-c", "filter.lfs.required=false",
)  # fmt: skip
# A hook of one repository must not decide which one is meant.
_DROPPED = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_EXTERNAL_DIFF",
)  # fmt: skip
_SET = {
    "LC_ALL": "C",  # what it says is recognised
    "LANGUAGE": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_LFS_SKIP_SMUDGE": "1",
}
_REVISION = "git revision"
_DEEPEN = "this clone is shallow, run: git fetch --unshallow (GitHub Actions: fetch-depth: 0)"


@dataclass(frozen=True)
class Repository:
    """A repository by the top of its working tree."""

    root: str

    @staticmethod
    def around(path: str) -> Repository | None:
        """The repository whose working tree the path is in.

        Raises ConfigError where git is not installed, or refuses to look.
        """
        folder = os.path.abspath(path)
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        done = _run(folder, ("rev-parse", "--show-toplevel"))
        if done.returncode == 0 and done.stdout.strip():
            return Repository(os.path.normpath(_line(done.stdout)))
        if b"not a git repository" in done.stderr or b"in a work tree" in done.stderr:
            return None
        raise _refused(folder, done.stderr)

    def ask(self, *arguments: str) -> bytes:
        """What git answers; raises ConfigError where it fails."""
        done = _run(self.root, arguments)
        if done.returncode:
            raise _refused(self.root, done.stderr)
        return done.stdout

    def listed(self, *arguments: str) -> list[str]:
        """What git answers with NULs between; raises ConfigError where it fails."""
        return [os.fsdecode(part) for part in self.ask(*arguments).split(b"\0") if part]

    def copy_blob(self, oid: str, to: IO[bytes]) -> None:
        """Write the blob into an open file, as it is stored; raises ConfigError."""
        done = _run(self.root, ("cat-file", "blob", oid), to)
        if done.returncode:
            raise _refused(self.root, done.stderr)

    def blob(self, oid: str) -> bytes:
        """The content of a small blob; raises ConfigError."""
        return self.ask("cat-file", "blob", oid)

    def blob_size(self, oid: str) -> int:
        """The bytes of a blob; raises ConfigError."""
        return int(self.ask("cat-file", "-s", oid))

    def relative(self, path: str) -> str | None:
        """The path from the root, with slashes; None where it is not beneath.

        Folders are followed to where they are, a link in the last place is not.
        """
        folder, name = os.path.split(os.path.abspath(path))
        whole = os.path.join(os.path.realpath(folder), name)
        try:
            found = os.path.relpath(whole, os.path.realpath(self.root))
        except ValueError:  # on another drive
            return None
        is_outside = found == os.pardir or found.startswith(os.path.join(os.pardir, ""))
        return None if is_outside else found.replace(os.sep, "/")

    def resolve(self, revision: str) -> str:
        """The commit of a revision; raises ConfigError where there is none."""
        found = _commit(self.root, revision)
        if found is None:
            raise ConfigError(f"{_REVISION} '{safe(revision)}'", self._why_unknown(revision))
        return found

    def base(self, revision: str) -> str:
        """The commit where HEAD left the revision: the base of ``git diff REVISION...``.

        Raises ConfigError where there is none.
        """
        commit = self.resolve(revision)
        source = f"{_REVISION} '{safe(revision)}'"
        if _commit(self.root, "HEAD") is None:
            raise ConfigError(source, "there is nothing to compare: HEAD has no commit yet")
        done = _run(self.root, ("merge-base", "HEAD", commit))
        if done.returncode == 0:
            return _line(done.stdout)
        if done.returncode != 1:
            raise _refused(self.root, done.stderr)
        why = "has no commit in common with HEAD"
        raise ConfigError(source, f"{why}; {_DEEPEN}" if self.is_shallow else why)

    @property
    def is_shallow(self) -> bool:
        """Whether the history ends before its beginning."""
        return self.ask("rev-parse", "--is-shallow-repository").strip() == b"true"

    @cached_property
    def tracked(self) -> Mapping[str, str]:
        """The files in the index, from the root, each with the letter that git lists it with."""
        listed = self.listed("ls-files", "-z", "-v", "--full-name")
        return {line[2:]: line[0] for line in listed}

    @cached_property
    def lfs_folder(self) -> str:
        """Where Git LFS keeps its objects: one folder for all working trees of a repository."""
        common = _line(self.ask("rev-parse", "--git-common-dir"))
        common = os.path.join(self.root, common)
        done = _run(self.root, ("config", "--type=path", "--get", "lfs.storage"))
        storage = _line(done.stdout) if done.returncode == 0 else ""
        return os.path.join(common, storage or "lfs", "objects")

    def _why_unknown(self, revision: str) -> str:
        why = "there is no such commit"
        if not revision.startswith("-") and _commit(self.root, f"origin/{revision}"):
            return f"{why}; did you mean 'origin/{safe(revision)}'?"
        if self.is_shallow:
            return f"{why}; {_DEEPEN}"
        return f"{why}; is it spelled so, and was it fetched?"


def _commit(root: str, revision: str) -> str | None:
    if not revision or "\0" in revision:
        return None
    found = revision
    for wanted in ("", "^{commit}"):  # apart: a search, as in :/text, goes to the end of the text
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{found}{wanted}")
        done = _run(root, asked)
        found = _line(done.stdout)
        if done.returncode or not re.fullmatch(r"[0-9a-f]{40,64}", found):
            return None
    return found


def _run(
    folder: str, arguments: Sequence[str], output: IO[bytes] | int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("git")
    if program is None:
        raise ConfigError("git", "is not installed, or not in PATH")
    environment = {key: value for key, value in os.environ.items() if key not in _DROPPED}
    try:
        return subprocess.run(  # noqa: S603 - no shell, and what is named is no option
            (os.path.abspath(program), *_OPTIONS, "-C", folder, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            env=environment | _SET,
            check=False,
        )
    except OSError as error:
        raise ConfigError("git", f"cannot be started: {error.strerror}") from error


def _refused(folder: str, said: bytes) -> ConfigError:
    """What git says, in one line."""
    text = said.decode(errors="backslashreplace")
    shown = shown_path(folder)
    if "dubious ownership" in text or "unsafe repository" in text:
        named = re.search(r" at '([^'\n]+)'", text)
        place = safe(named[1] if named else os.path.abspath(folder))
        run = f"git config --global --add safe.directory '{place}'"
        return ConfigError(shown, f"git does not trust it, as another user owns it; run: {run}")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    first = next((line for line in lines if line.startswith(("fatal:", "error:"))), "")
    why = first.partition(":")[2].strip() or (lines[0] if lines else "no reason")
    return ConfigError(shown, f"git says: {safe(why)}")


def _line(output: bytes) -> str:
    """The output without the end of its line: names may end in blanks."""
    return os.fsdecode(output.removesuffix(b"\n").removesuffix(b"\r"))
