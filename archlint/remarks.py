"""The findings that no rule looks for: on a run of archlint, and on what it is told to ignore."""

from __future__ import annotations

from archlint.analyzer.engine import CRASH_CODE, CRASH_NAME
from archlint.analyzer.finding import Severity
from archlint.analyzer.rule import RuleGroup
from archlint.change_remarks import CostRegression, OverBudget, StaleBaseline, StaleSnapshot
from archlint.remark import Remark, remark_finding, remark_report

__all__ = [
    "REMARKS", "CostRegression", "ExpiredIgnore", "IgnoreWithoutReason", "MalformedIgnore",
    "OverBudget", "Remark", "RuleCrashed", "StaleBaseline", "StaleSnapshot", "UnusedIgnore",
    "remark_finding", "remark_report",
]  # fmt: skip


class RuleCrashed(Remark):
    """A rule that failed with an error, so that its findings are missing.

    Why it matters
        The other rules have run, and what they found stands. But a run in which a rule is missing
        has not checked what it was asked to check, so it ends with exit code 2 whatever was found.

    What to do
        Report it with the model, or with what ``archlint check --isolated`` prints of it. Until it
        is mended, ``--ignore`` with the code of the rule that failed keeps that rule from running.

    When not to apply
        Never: it cannot be left out, for nobody knows what the rule would have found.

    Not flagged
        Nodes whose cost is unknown: no rule looks at them, and the report says why.

    Known limits
        The error is told in one line. A rule of a plugin is told with the plugin and, where it is
        known, the line.

    References
        Python Software Foundation, The Python Tutorial, section Errors and Exceptions, 2026.
    """

    code = CRASH_CODE
    name = CRASH_NAME
    group = RuleGroup.CORRECTNESS
    severity = Severity.ERROR
    advice = "report it; --ignore with the code of the rule that failed keeps it from running"


class UnusedIgnore(Remark):
    """An entry that accepts findings, where there is none that it could accept.

    Why it matters
        The fault that it accepted is gone, the node has another name, or the pattern never fitted.
        Left in place it hides the next finding that it happens to mean, which nobody has judged.

    What to do
        Remove the entry. Where it was meant for a finding that is told, compare its rule, path and
        node with that finding: ``archlint check --output-format json`` writes them in full.

    When not to apply
        Where one configuration serves runs with different targets or options, an entry may be of
        use in another run: ``ignore = ["ARC901"]`` leaves the remark out.

    Not flagged
        Entries of a configuration, unless every model in the folder of its file that they speak of
        was checked in this run; entries for rules that did not run; expired entries, which are
        ARC902.

    Known limits
        What the entries of models hide is told by rule, all nodes of a model together.

    References
        Astral, ruff, rule RUF100 unused-noqa, 2026.
    """

    code = "ARC901"
    name = "unused-ignore"
    advice = "remove the entry, or correct its rule, path and node"


class ExpiredIgnore(Remark):
    """An entry that accepts findings until a day that is past.

    Why it matters
        Somebody wanted the finding back on this day, most often because a remedy was planned. What
        the entry hid is told again, and this error stays until somebody has decided.

    What to do
        Follow the finding and remove the entry, or judge it anew and write another date.

    When not to apply
        Where nobody will look at the finding before a later day: then write that day.

    Not flagged
        An entry on its last day, by the calendar of the machine that runs archlint.

    Known limits
        Entries in models have no dates.

    References
        Snyk, CLI command ignore, options --expiry and --reason, 2026.
    """

    code = "ARC902"
    name = "expired-ignore"
    group = RuleGroup.CORRECTNESS
    severity = Severity.ERROR
    advice = "fix what the entry hid and remove it, or give it another date"


class IgnoreWithoutReason(Remark):
    """An entry that accepts findings without saying why, where a configuration asks for reasons.

    Why it matters
        Who comes later cannot tell a measured decision from a finding that was in somebody's way,
        and so can neither keep the entry nor remove it.

    What to do
        Write why the finding is accepted: ``reason`` in a configuration, behind a colon in the
        metadata of a node, behind the brackets of a comment in a snapshot.

    When not to apply
        Where the reason stands elsewhere for all of them, as in a review of the whole model.

    Not flagged
        Entries of configurations without ``require-reason = true``; selectors of ``ignore``, which
        leave out whole rules.

    Known limits
        Any text is a reason.

    References
        ESLint community, eslint-plugin-eslint-comments, rule require-description, 2026.
    """

    code = "ARC903"
    name = "ignore-without-reason"
    group = RuleGroup.CORRECTNESS
    advice = "write why the finding is accepted"


class MalformedIgnore(Remark):
    """An entry ``archlint.ignore`` of a model that cannot be followed.

    Why it matters
        Whoever wrote it believes that a finding is accepted, and it is told all the same; or a rule
        of this name comes later, and then the entry hides what nobody has judged.

    What to do
        Write selectors separated by commas, and behind a colon the reason, as in
        ``ARC101, large-kernel: the stem needs it``; a semicolon begins the next entry. It belongs
        to a node of the main graph: findings are told at those only.

    When not to apply
        Where the entry means a rule of a plugin that this run does without.

    Not flagged
        Metadata under other keys; entries in models whose configuration says
        ``model-ignores = false``, which are not looked at.

    Known limits
        Of several malformed entries of a model the first is told, and how many more there are.

    References
        ONNX, onnx.proto, NodeProto.metadata_props, IR version 10, 2024.
    """

    code = "ARC904"
    name = "malformed-ignore"
    group = RuleGroup.CORRECTNESS
    advice = "write it as 'ARC101, ARC2: reason', at a node of the main graph"


REMARKS: tuple[type[Remark], ...] = (
    RuleCrashed, UnusedIgnore, ExpiredIgnore, IgnoreWithoutReason, MalformedIgnore, OverBudget,
    CostRegression, StaleBaseline, StaleSnapshot,
)  # fmt: skip
