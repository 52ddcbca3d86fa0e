"""The report as SARIF 2.1.0, as code scanning reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from archlint.analyzer.engine import CRASH_CODE
from archlint.analyzer.finding import Confidence
from archlint.analyzer.report import FindingReport, Line, ModelReport, Report, State
from archlint.analyzer.report.context import Context, RuleText, is_address
from archlint.analyzer.report.place import WORDS, Found, all_found, urgency, witness
from archlint.analyzer.report.sentences import failed, in_words, more
from archlint.analyzer.text import safe, to_json

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
FINGERPRINT = "archlintStructure/v1"

_MOST_RESULTS = 25_000  # code scanning refuses a run with more
_MOST_NODES = 20  # logical locations of a finding
_MOST_TAGS = 20
_LONGEST = 1024  # characters of a description
_STATES = {State.NEW: "new", State.WORSE: "updated", State.UNCHANGED: "unchanged"}
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}
_SEMANTIC = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}")


def render(report: Report, context: Context) -> str:
    """One run; where there are too many findings, those that matter most."""
    found = list(all_found(report))
    kept = found
    if len(found) > _MOST_RESULTS:
        kept = sorted(found, key=lambda pair: urgency(pair[1]))[:_MOST_RESULTS]
    texts = _texts(kept, context)
    places = {code: place for place, code in enumerate(texts)}
    compared = any(finding.state for _, finding in kept)
    run = {
        "tool": {"driver": _driver(report, texts, context)},
        "automationDetails": {"id": "archlint/"},
        "invocations": [_invocation(report, context, len(found) - len(kept))],
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(model, finding, places, context, compared=compared) for model, finding in kept
        ],
    }
    return to_json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _texts(found: Sequence[Found], context: Context) -> dict[str, RuleText]:
    """The rules that found something, by code; of one that nothing is known of, what it found."""
    first = {finding.code: finding for _, finding in reversed(found)}
    return {code: context.rules.get(code) or _unknown(first[code]) for code in sorted(first)}


def _unknown(finding: FindingReport) -> RuleText:
    words = finding.name.replace("-", " ").capitalize()
    return RuleText(
        finding.code,
        finding.name,
        f"{words}.",
        f"{words}: see archlint rule {finding.code}.",
        "",
        finding.severity,
        finding.confidence or Confidence.MEDIUM,
    )


def _driver(report: Report, texts: Mapping[str, RuleText], context: Context) -> dict[str, Any]:
    semantic = {"semanticVersion": report.version} if _SEMANTIC.fullmatch(report.version) else {}
    return {
        "name": "archlint",
        "version": report.version,
        **semantic,
        **({"informationUri": context.site} if context.site else {}),
        "rules": [_rule(text, context) for text in texts.values()],
    }


def _rule(text: RuleText, context: Context) -> dict[str, Any]:
    level = WORDS[text.severity]
    address = context.page(text.code)
    return {
        "id": text.code,
        "name": "".join(word.capitalize() for word in text.name.split("-")),
        "shortDescription": {"text": _short(text.summary)},
        "fullDescription": {"text": _short(text.why)},
        "help": {"text": _short(text.why), **({"markdown": text.help} if text.help else {})},
        **({"helpUri": address} if address else {}),
        "defaultConfiguration": {"level": level},
        "properties": {
            "tags": list(text.tags[:_MOST_TAGS]),
            "precision": str(text.confidence),
            "problem.severity": _PROBLEMS[level],
        },
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _invocation(report: Report, context: Context, left_out: int) -> dict[str, Any]:
    crashed = any(finding.code == CRASH_CODE for finding in report.findings)
    return {
        "executionSuccessful": not report.failures and not crashed,
        "toolExecutionNotifications": list(_notifications(report, context, left_out)),
    }


def _notifications(report: Report, context: Context, left_out: int) -> Iterator[dict[str, Any]]:
    for failure in report.failures:
        yield _notification("error", failed(failure.why), _physical(Line(failure.path, 1), context))
    for path in report.skipped:
        yield _notification("note", "It was skipped.", _physical(Line(path, 1), context))
    if left_out:
        text = more(left_out, "finding", f"left out: code scanning takes {_MOST_RESULTS:,}")
        yield _notification("warning", text, None)


def _notification(level: str, text: str, at: dict[str, Any] | None) -> dict[str, Any]:
    locations = {} if at is None else {"locations": [{"physicalLocation": at}]}
    return {"level": level, "message": {"text": _escaped(text)}, **locations}


def _result(
    model: ModelReport,
    finding: FindingReport,
    places: Mapping[str, int],
    context: Context,
    *,
    compared: bool,
) -> dict[str, Any]:
    own = Line(model.path, 1)
    location: dict[str, Any] = {"physicalLocation": _physical(finding.anchor or own, context)}
    if finding.nodes:
        location["logicalLocations"] = list(_logical(finding))
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": places[finding.code],
        "level": WORDS[finding.severity],
        "message": {"text": _escaped(in_words(finding))},
        "locations": [location],
    }
    if finding.anchor is not None:
        said = {"text": "The model in which it was found."}
        related = {"id": 1, "physicalLocation": _physical(own, context), "message": said}
        result["relatedLocations"] = [related]
    result["partialFingerprints"] = _fingerprints(model, finding, context)
    if compared:
        result["baselineState"] = _STATES[finding.state or State.NEW]
    if finding.share is not None:
        result["rank"] = round(min(100 * finding.share, 100.0), 2)
    result["properties"] = _properties(finding)
    return result


def _physical(line: Line, context: Context) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": _uri(context.path(line.file))},
        "region": {
            "startLine": line.number,
            "startColumn": 1,
            "endLine": line.number,
            "endColumn": len(line.text) + 1 if line.text else 2,
        },
    }


def _uri(path: str) -> str:
    """A reference by RFC 3986, of the bytes that the file's name is made of."""
    try:
        name = os.fsencode(path)
    except UnicodeEncodeError:  # no file is called so
        name = path.encode("utf-8", "backslashreplace")
    return quote(name, safe="/:" if is_address(path) else "/")


def _logical(finding: FindingReport) -> Iterator[dict[str, Any]]:
    for node in finding.nodes[:_MOST_NODES]:
        name = safe(node.label) or "unnamed"
        yield {"name": name, "fullyQualifiedName": f"main_graph::{name}", "kind": "node"}


def _fingerprints(model: ModelReport, finding: FindingReport, context: Context) -> dict[str, str]:
    """Code scanning compares the first one within a file: models that were exported from one line
    of Python are told apart in it."""
    structure = finding.identity.fingerprint or f"{witness('', finding)[:16]}:1"
    if finding.anchor is None:
        return {"primaryLocationLineHash": structure, FINGERPRINT: structure}
    ordinal = structure.rpartition(":")[2]
    primary = f"{witness(context.path(model.path), finding)[:16]}:{ordinal}"
    return {"primaryLocationLineHash": primary, FINGERPRINT: structure}


def _properties(finding: FindingReport) -> dict[str, Any]:
    """What the finding costs, and would cost."""
    proposal = finding.proposal
    told: dict[str, Any] = {"macs": finding.cost.macs}
    if finding.share is not None:
        told["share"] = round(finding.share, 6)
    if finding.confidence is not None:
        told["confidence"] = str(finding.confidence)
    if proposal is not None:
        now, then = proposal.parameters_before, proposal.parameters_after
        told["macs"] = {"before": proposal.before.macs, "after": proposal.after.macs}
        told["parameters"] = {"before": now, "after": then}
        told["proposal"] = safe(proposal.title)
        told["kind"] = str(proposal.kind)
    if finding.before is not None:
        told["macsInBase"] = finding.before
    return told


def _escaped(text: str) -> str:
    """Text as a message has it: brackets would be links, braces placeholders."""
    doubled = text.replace("{", "{{").replace("}", "}}")
    return re.sub(r"[\[\]]", lambda sign: f"\\{sign[0]}", doubled)
