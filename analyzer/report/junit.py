"""The report as JUnit's XML: a model is a suite, a finding a failed test."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from archlint.analyzer.report import FindingReport, ModelReport, Report
from archlint.analyzer.report.context import Context
from archlint.analyzer.report.place import WORDS, distinct
from archlint.analyzer.report.sentences import failed, none_found, sentences, title
from archlint.analyzer.report.xml_text import document
from archlint.analyzer.text import safe

_LONGEST_PATH = 4096


def render(report: Report, context: Context) -> str:
    """A suite for each input; one without findings has a test that passes, so that those which
    failed before are seen to be gone."""
    root = ET.Element("testsuites", name="archlint")
    for failure in report.failures:
        suite = _suite(root, failure.path, context)
        case = _case(suite, "analysis")
        ET.SubElement(case, "error", message=failed(failure.why), type="error")
    for path in report.skipped:
        case = _case(_suite(root, path, context), "analysis")
        ET.SubElement(case, "skipped", message="The input was skipped.")
    for model in report.models:
        _model(_suite(root, model.path, context), model)
    for suite in root:
        _count(suite, suite.iter("testcase"))
    _count(root, root.iter("testcase"))
    return document(root)


def _suite(root: ET.Element, path: str, context: Context) -> ET.Element:
    return ET.SubElement(root, "testsuite", name=safe(context.path(path), _LONGEST_PATH))


def _case(suite: ET.Element, name: str) -> ET.Element:
    path = suite.attrib["name"]
    return ET.SubElement(suite, "testcase", classname=path, name=name, file=path)


def _model(suite: ET.Element, model: ModelReport) -> None:
    names = distinct(_name(finding) for finding in model.told)
    for name, finding in zip(names, model.told, strict=True):
        first, *rest = sentences(finding)
        failure = ET.SubElement(
            _case(suite, name), "failure", message=first, type=WORDS[finding.severity]
        )
        failure.text = "\n".join([first, *rest])
    if not model.told:
        case = _case(suite, none_found(model))
        if not model.was_checked:
            ET.SubElement(case, "skipped", message="Only the snapshot of the model is here.")


def _name(finding: FindingReport) -> str:
    """What tells a finding from others of its model in every run: no cost, no number of nodes."""
    node = safe(finding.nodes[0].label) if finding.nodes else ""
    return f"{title(finding)} {node}".rstrip()


def _count(element: ET.Element, cases: Iterable[ET.Element]) -> None:
    listed = [{child.tag for child in case} for case in cases]
    element.set("tests", str(len(listed)))
    for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(plural, str(sum(tag in tags for tags in listed)))
