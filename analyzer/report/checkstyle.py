"""The report in the XML of Checkstyle, which many build services read."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from archlint.analyzer.report import Report
from archlint.analyzer.report.context import Context
from archlint.analyzer.report.place import WORDS, all_told, spot
from archlint.analyzer.report.sentences import failed, in_words
from archlint.analyzer.report.xml_text import document
from archlint.analyzer.text import safe

_LONGEST_PATH = 4096


def render(report: Report, context: Context) -> str:
    """The findings that are told, by the file that they stand in."""
    errors: dict[str, list[dict[str, str]]] = {}
    for failure in report.failures:
        told = _error(1, "error", failed(failure.why), "archlint.input")
        errors.setdefault(_path(failure.path, context), []).append(told)
    for model, finding in all_told(report):
        at = spot(model, finding)
        source = f"archlint.{finding.code}"
        told = _error(at.number, WORDS[finding.severity], in_words(finding), source)
        errors.setdefault(_path(at.file, context), []).append(told)
    root = ET.Element("checkstyle", version="4.3")
    for path, listed in errors.items():
        file = ET.SubElement(root, "file", name=path)
        for attributes in listed:
            ET.SubElement(file, "error", attributes)
    return document(root)


def _error(line: int, level: str, text: str, source: str) -> dict[str, str]:
    severity = "info" if level == "note" else level
    return {
        "line": str(line), "column": "1", "severity": severity, "message": text, "source": source,
    }  # fmt: skip


def _path(path: str, context: Context) -> str:
    return safe(context.path(path), _LONGEST_PATH)
