"""The snapshots of models: written beside them, held against them, and shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from archlint.analyzer.compare.architecture import Architecture
from archlint.analyzer.compare.snapshot import parse, write
from archlint.analyzer.errors import ConfigError, ModelError
from archlint.analyzer.reader.source import STANDARD_INPUT
from archlint.analyzer.text import plural, safe
from archlint.config import check_used
from archlint.configuration import Configuration
from archlint.lfs import pointer_in
from archlint.output import EXIT_FINDINGS, EXIT_INPUT, complain, remark, replace_file
from archlint.paths import find_models
from archlint.pipeline import examine
from archlint.progress import Progress
from archlint.snapshot_carrying import Renewed, renewed
from archlint.snapshot_difference import described, difference
from archlint.snapshot_files import digest_of, read_snapshot, snapshot_of
from archlint.work import architecture_of


@dataclass(frozen=True, slots=True)
class _Beside:
    """A model with the snapshot beside it, as far as they are there.

    Of a pointer of Git LFS only ``is_same`` is known: whether the snapshot is of that very file.
    """

    path: str
    earlier: str | None
    architecture: Architecture | None
    is_same: bool = False


def write_snapshots(paths: Sequence[str], configuration: Configuration) -> tuple[str, int]:
    """Write the snapshots that are missing or of another architecture; what was done, and the exit
    code."""
    found, code = _all(paths, configuration)
    lines = []
    for one in found:
        path = snapshot_of(one.path)
        if one.architecture is None and not one.is_same:
            complain(one.path, f"is a Git LFS pointer, not the model; {_PULL}")
            code = EXIT_INPUT
            continue
        new = _renewed(one)
        if new.is_same:
            lines.append(f"{safe(path)}: up to date")
            continue
        _tell_of(new, path)
        try:
            replace_file(path, new.text)
        except OSError as error:
            raise ConfigError(path, f"cannot be written: {error.strerror}") from error
        lines.append(f"{safe(path)}: {'new' if one.earlier is None else 'updated'}")
    return _text(lines), code


def _tell_of(new: Renewed, path: str) -> None:
    """What a person who wrote into the snapshot should know, on stderr."""
    if new.fault:
        remark(f"{new.fault.partition(';')[0]}; written anew, comments kept where lines are alike")
    for line in new.lost:
        where = "no operation is like the one of this comment, which is kept at the end"
        remark(f"{path}: {where}: {line}")


def check_snapshots(
    paths: Sequence[str], configuration: Configuration, *, may_miss: bool = False
) -> tuple[str, int]:
    """How the snapshots differ from their models, and the exit code; one that is missing differs
    unless it ``may_miss``."""
    found, code = _all(paths, configuration)
    lines: list[str] = []
    states: Counter[str] = Counter()
    for one in found:
        state, told = _judged(one)
        states[state] += 1
        if state != _FITS and not (state == _MISSING and may_miss):
            code = max(code, EXIT_FINDINGS)
            lines += told
    counts = [f"{states[state]:,} {state}" for state in _STATES if states[state]]
    lines.append(f"{plural(len(found), 'snapshot')}: {', '.join(counts) or 'none to check'}.")
    return _text(lines), code


_PULL = "fetch it: git lfs pull"
_WIDEST = 1_000  # characters of a line
_FITS, _DIFFERS, _MISSING = _STATES = ("up to date", "out of date", "missing")


def _judged(one: _Beside) -> tuple[str, Iterable[str]]:
    """The state of a snapshot, and what a person is told where it is not up to date."""
    path = snapshot_of(one.path)
    run = f"run: archlint snapshot write {one.path}"
    new = _renewed(one)
    if new.is_same:
        return _FITS, ()
    if one.architecture is None:
        return _DIFFERS, [safe(f"{path}: is of another file than the pointer; {_PULL}, and {run}")]
    if one.earlier is None:
        return _MISSING, [safe(f"{path}: is missing; {run}", _WIDEST)]
    if new.fault:
        return _DIFFERS, [safe(new.fault, _WIDEST)]
    what = described(one.earlier, new.text)
    return _DIFFERS, [
        safe(f"{path}: {what}; {run}", _WIDEST),
        *difference(one.earlier, new.text, path),
    ]


def _renewed(one: _Beside) -> Renewed:
    """The snapshot as it should be."""
    if one.architecture is None:
        return Renewed(one.earlier or "", is_same=one.is_same)
    return renewed(one.earlier, snapshot_of(one.path), one.architecture)


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _all(paths: Sequence[str], configuration: Configuration) -> tuple[list[_Beside], int]:
    """The models that the paths name with their snapshots, and the exit code so far; what cannot be
    analysed is told on stderr."""
    models, missing = find_models(paths, configuration)
    failures = [(failure.path, failure.why) for failure in missing]
    chosen = {path: configuration.counted(path) for path in models}  # all, before any takes time
    found: list[_Beside] = []
    dims, inputs = set[str](), set[str]()
    with Progress(len(models)) as progress:
        for path in models:
            progress(path)
            if path == STANDARD_INPUT:
                failures.append((path, "standard input has no snapshot beside it; give a path"))
                continue
            earlier = read_snapshot(path)
            pointer = pointer_in(path)
            if earlier is not None and pointer is not None:
                found.append(_Beside(path, earlier, None, _is_of(earlier, pointer.oid)))
                continue
            examined = examine(path, chosen[path])
            failures += ((failure.path, failure.why) for failure in examined.failures)
            dims |= examined.dims
            inputs |= examined.inputs
            if examined.analysis is not None:
                built = architecture_of(examined.analysis, digest_of(path))
                found.append(_Beside(path, earlier, built))
    for source, why in failures:
        complain(source, why)
    if any(one.architecture is not None for one in found):
        check_used(configuration.bindings, dims, inputs)
    return found, EXIT_INPUT if failures else 0


def _is_of(snapshot: str, oid: str) -> bool:
    """Whether it is a snapshot of the file of this SHA-256."""
    try:
        return parse(snapshot, "").digest == oid
    except ConfigError:
        return False


def shown_snapshot(path: str, configuration: Configuration, *, textconv: bool = False) -> str:
    """The snapshot of a model, or what a pointer of Git LFS says. Raises ModelError for a file that
    cannot be analysed.

    For ``textconv``, where git has put the file somewhere, what is beside it does not count, and
    what cannot be analysed is shown as a line that says why.
    """
    if path != STANDARD_INPUT and (pointer := pointer_in(path)) is not None:
        return (
            f"# Git LFS pointer\n# digest: sha256:{pointer.oid}\n# file bytes: {pointer.size:,}\n"
        )
    examined = examine(path, configuration.counted(path))
    analysis = examined.analysis
    if analysis is None:
        why = examined.failures[0].why
        if textconv:
            return f"# no model that can be analysed: {safe(why, _WIDEST)}\n"
        raise ModelError(path, why)
    if not textconv:
        check_used(configuration.bindings, examined.dims, examined.inputs)
    else:
        analysis = replace(analysis, external_bytes=0)
    return write(architecture_of(analysis, digest_of(path)))
