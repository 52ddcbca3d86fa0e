"""The file of accepted findings: one line each, with what they are recognised by and their cost."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archlint import __version__
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.finding import Severity
from archlint.analyzer.identity import Identity
from archlint.analyzer.report import FindingReport
from archlint.discovery import shown_path
from archlint.output import replace_file
from archlint.reading import read_bytes

VERSION = 1
_KEY = "archlint-baseline"  # of the version, which says what file it is
_LARGEST = 64_000_000  # bytes: some hundred thousand findings
_CONFLICT = re.compile(rb"^(?:<<<<<<<|=======|>>>>>>>)", re.MULTILINE)
_WITNESSES = {
    "fingerprint": "fingerprint",
    "node": "name",
    "module": "module",
    "operator": "operator",
    "near": "near",
    "far": "far",
}
MEASURES = ("macs", "parameters", "bytes")  # of a finding counts the first that it has any of
_TEXTS = ("rule", "name", "severity", *_WITNESSES)
_ANEW = "or remove it and write it anew with --write-baseline"


@dataclass(frozen=True, slots=True)
class Entry:
    """An accepted finding; ``cost`` is that of its nodes when it was accepted, in ``measure``."""

    code: str
    name: str
    severity: Severity
    identity: Identity
    measure: str
    cost: int


Models = Mapping[str, Sequence[Entry]]  # by their paths from the folder of the file


def costs_of(finding: FindingReport) -> Mapping[str, int]:
    """The cost of the flagged nodes by each measure."""
    proposal = finding.proposal
    parameters = 0 if proposal is None else proposal.parameters_before
    return {"macs": finding.cost.macs, "parameters": parameters, "bytes": finding.cost.bytes}


def entry_of(finding: FindingReport) -> Entry:
    """The entry that accepts a finding at its cost."""
    costs = costs_of(finding)
    measure = next((measure for measure in MEASURES if costs[measure]), MEASURES[0])
    return Entry(
        finding.code,
        finding.name,
        finding.severity,
        finding.identity,
        measure,
        costs[measure],
    )


def rendered(models: Models) -> str:
    """The text of a file."""
    blocks = []
    for path in sorted(models):
        lines = ",\n".join(f"      {json.dumps(_said(entry))}" for entry in models[path])
        blocks.append(f"    {json.dumps(path)}: [\n{lines}\n    ]")
    body = "{\n" + ",\n".join(blocks) + "\n  }" if blocks else "{}"
    return f'{{\n  "{_KEY}": {VERSION},\n  "models": {body}\n}}\n'


def _said(entry: Entry) -> Mapping[str, str | int]:
    witnesses = {key: getattr(entry.identity, name) for key, name in _WITNESSES.items()}
    return {
        "rule": entry.code,
        "name": entry.name,
        "severity": str(entry.severity),
        entry.measure: entry.cost,
        **{key: text for key, text in witnesses.items() if text},
    }


def read_baseline(path: str) -> Models:
    """The entries of a file by their models; raises ConfigError for one that is no baseline."""
    shown = shown_path(path)
    content = read_bytes(path, _LARGEST)
    try:
        document = json.loads(content, object_pairs_hook=_object)
    except _TwiceError as error:
        raise ConfigError(shown, f"says '{error}' twice: leave one of them, {_ANEW}") from error
    except RecursionError as error:
        raise ConfigError(shown, f"is no baseline: it is nested too deeply; {_ANEW}") from error
    except ValueError as error:
        if found := _CONFLICT.search(content):
            line = content.count(b"\n", 0, found.start()) + 1
            why = f"line {line} is a conflict of a merge: keep the lines of both sides, {_ANEW}"
            raise ConfigError(shown, why) from error
        raise ConfigError(shown, f"is no JSON: {error}; mend it, {_ANEW}") from error
    if not isinstance(document, dict) or _KEY not in document:
        why = f"is no baseline: it has no '{_KEY}'; name another file"
        raise ConfigError(shown, why)
    if document[_KEY] != VERSION:
        why = f"is of version {document[_KEY]!r:.20}, and archlint {__version__} knows {VERSION}"
        raise ConfigError(shown, f"{why}: take the archlint that wrote it, {_ANEW}")
    models = document.get("models")
    if not isinstance(models, dict):
        raise ConfigError(shown, f"has no table 'models': mend it, {_ANEW}")
    return {model: _entries(shown, model, listed) for model, listed in models.items()}


class _TwiceError(Exception):
    """An object says a key twice, as after a merge: one of the values would be lost."""


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1))
    return found


def _entries(shown: str, model: str, listed: object) -> Sequence[Entry]:
    if not isinstance(listed, list):
        raise ConfigError(shown, f"'{model}' has no list of entries: mend it, {_ANEW}")
    entries = []
    for place, entry in enumerate(listed):
        try:
            entries.append(_entry(entry))
        except ValueError as error:
            why = f"entry {place} of '{model}' {error}: remove it, {_ANEW}"
            raise ConfigError(shown, why) from error
    return entries


def _entry(value: object) -> Entry:
    """The entry that a value says; raises ValueError where it says none."""
    if not isinstance(value, dict):
        raise ValueError("is no table")  # noqa: TRY004
    for key in value:
        if key not in (*_TEXTS, *MEASURES):
            raise ValueError(f"has a key '{key}' that is unknown")
    texts = {key: value.get(key, "") for key in _TEXTS}
    if wrong := [key for key, text in texts.items() if not isinstance(text, str)]:
        raise ValueError(f"has a '{wrong[0]}' that is no text")
    if lacking := [key for key in ("rule", "fingerprint") if not texts[key]]:
        raise ValueError(f"has no '{lacking[0]}'")
    severity = next((one for one in Severity if str(one) == texts["severity"]), None)
    if severity is None:
        raise ValueError("has no 'severity' that there is")
    measures = [measure for measure in MEASURES if measure in value]
    if len(measures) != 1 or type(value[measures[0]]) is not int or value[measures[0]] < 0:
        raise ValueError(f"has not one cost of {', '.join(MEASURES)}")
    identity = Identity(**{name: texts[key] for key, name in _WITNESSES.items()})
    measure = measures[0]
    return Entry(texts["rule"], texts["name"], severity, identity, measure, value[measure])


def write_baseline(path: str, text: str) -> None:
    """Replace the file, whole or not at all; raises ConfigError where that cannot be."""
    try:
        if os.path.exists(path) and not os.access(path, os.W_OK):
            raise PermissionError(0, "it is read-only")
        replace_file(path, text)
    except OSError as error:
        raise ConfigError(shown_path(path), f"cannot be written: {error.strerror}") from error
