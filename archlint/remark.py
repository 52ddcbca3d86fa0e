"""What a remark is: a finding that no rule looks for, told of a graph or of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from archlint.analyzer.finding import Confidence, Finding, Severity
from archlint.analyzer.graph import Node
from archlint.analyzer.identity import Identity
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.report import FindingReport, NodeReport
from archlint.analyzer.rule import RuleGroup


@dataclass(frozen=True)
class Remark:
    """One kind of remark: described as a rule is, and told without being selected.

    It has no options, no cases and no proposal. Entries cannot hide it; ``ignore`` leaves it out.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    group: ClassVar[RuleGroup] = RuleGroup.SUSPICIOUS
    severity: ClassVar[Severity] = Severity.WARNING
    confidence: ClassVar[Confidence] = Confidence.HIGH
    kind: ClassVar[FixKind] = FixKind.DECISION
    since: ClassVar[str] = "0.1.0"
    advice: ClassVar[str] = ""
    reads_weights: ClassVar[bool] = False
    origin: ClassVar[str] = ""


def remark_finding(
    kind: type[Remark], severity: Severity, message: str, nodes: tuple[Node, ...] = ()
) -> Finding:
    """The finding of a remark, which the severities of a configuration may have changed."""
    return Finding(
        code=kind.code,
        name=kind.name,
        severity=severity,
        confidence=kind.confidence,
        nodes=nodes,
        described="",
        message=message,
        advice=kind.advice,
    )


def remark_report(
    kind: type[Remark],
    severity: Severity,
    message: str,
    nodes: tuple[NodeReport, ...] = (),
    *,
    about: str = "",
    evidence: Mapping[str, str | int | float] | None = None,
) -> FindingReport:
    """The same of a report; it is recognised by what it is ``about``, whatever its numbers are."""
    import hashlib  # late: most runs tell none, and it loads OpenSSL

    key = f"archlint/v1\0{kind.code}\0{about}".encode(errors="surrogatepass")
    digest = hashlib.sha256(key).hexdigest()
    return FindingReport(
        code=kind.code,
        name=kind.name,
        severity=severity,
        confidence=kind.confidence,
        nodes=nodes,
        described="",
        message=message,
        identity=Identity(f"{digest[:16]}:0"),
        evidence=evidence or {},
        advice=kind.advice,
    )
