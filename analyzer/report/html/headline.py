"""The sentence that a page begins with: what matters most of a model, in one line."""

from __future__ import annotations

from collections.abc import Iterator

from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.report import EffectReport, ModelReport
from archlint.analyzer.report.html.doubt import disturbance, is_wide
from archlint.analyzer.report.sentences import BUDGETS, REGRESSION, none_found
from archlint.analyzer.text import plural, safe, short

_MULTIPLES = {2: "doubles", 3: "triples", 4: "quadruples"}
_NEARLY = 0.05  # of a multiple
_NOTABLE = 0.001  # of a total; less is told in the numbers alone
_TWICE = 1.5  # a ratio of times that is told as a multiple
_UNITS = {
    "macs": " MACs", "params": " parameters", "file-size": " in files",
    "peak-activation": " of activations", "latency": " a run",
}  # fmt: skip


def sentence(model: ModelReport) -> str:
    """The first that applies: what a change does, what can be saved, what was found."""
    if not model.was_checked:
        return f"{none_found(model)}"
    change = model.change
    if change is not None and change.is_new:
        return f"A new model of {_macs(model)}{_over(model)}{_saving(model)}"
    if change is not None and change.difference is None:
        return "The same model as in the base"
    if change is not None and change.difference is not None:
        return _changed(model, change.difference)
    if model.told:
        return f"{_macs(model)}{_over(model)}{_saving(model)}"
    if model.unknown_nodes:
        of = f"{model.unknown_nodes:,} of {plural(model.nodes, 'node')}"
        return f"{none_found(model)}, but the cost of {of} is unknown"
    looked = f", {plural(len(model.rules), 'rule')}" if model.rules else ""
    return f"{none_found(model)} in {plural(model.nodes, 'node')}{looked}"


def _macs(model: ModelReport) -> str:
    if model.unknown_nodes and not model.cost.macs:
        return "an unknown number of MACs" if model.change else "The number of MACs is unknown"
    least = "at least " if model.unknown_nodes else ""
    text = f"{least}{short(model.cost.macs)} MACs"
    return text if model.change else text[0].upper() + text[1:]


def _over(model: ModelReport) -> str:
    """The budgets that the model breaks as it is."""
    limits = [
        f"{safe(str(found['limit']))}{_UNITS.get(str(found.get('quantity')), '')}"
        for finding in model.told
        if finding.code in BUDGETS - {REGRESSION} and "found" in (found := finding.evidence)
    ]
    return f", over its budget of {' and '.join(limits)}" if limits else ""


def _saving(model: ModelReport) -> str:
    """What following all that is proposed would save; else how much is found."""
    told = [finding for finding in model.told if finding.proposal is not None]
    if model.effect is None or not told:
        return f"; {plural(len(model.told), 'finding')}" if model.told else ""
    count = "one change" if len(told) == 1 else f"{len(told):,} changes"
    for before, after, would in _effects(model, model.effect):
        share = (before - after) / before if before else 0.0
        if share >= _NOTABLE:
            return f"; {count} would {would.format(_percent(share))}"
    return f"; {plural(len(told), 'change')} suggested"


def _effects(model: ModelReport, effect: EffectReport) -> Iterator[tuple[float, float, str]]:
    """What there is before and after all that is proposed, and how a saving is told."""
    yield effect.macs_before, effect.macs_after, "remove {}"
    yield effect.parameters_before, effect.parameters_after, "remove {} of the parameters"
    now, then = model.predicted, effect.predicted
    if now is not None and then is not None and now.unpredicted == then.unpredicted:
        yield now.ns, then.ns, "take {} off the predicted time"
    proposals = [one.proposal for one in model.told if one.proposal is not None]
    saved = sum(proposal.before.bytes - proposal.after.bytes for proposal in proposals)
    yield model.cost.bytes, model.cost.bytes - saved, "remove {} of the memory traffic"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"


def _changed(model: ModelReport, difference: Difference) -> str:
    before, after = difference.before, difference.after
    time = _time(model)
    if before.macs is None or after.macs is None or before.unknown or after.unknown:
        counts = ", ".join(_counts(difference)) or "nothing that is known"
        return f"This change: {counts}{time}"
    if growth := _growth(before.macs, after.macs, "the arithmetic of the model"):
        return f"This change {growth}{time}"
    if growth := _growth(before.parameters or 0, after.parameters or 0, "the parameters"):
        return f"The same arithmetic; this change {growth}{time}"
    if difference.is_empty:
        return f"The same architecture as in the base{time}"
    return f"The same cost, another architecture: {', '.join(_counts(difference))}{time}"


def _counts(difference: Difference) -> Iterator[str]:
    for count, word in (
        (len(difference.added), "added"),
        (len(difference.removed), "removed"),
        (len(difference.changed), "changed"),
    ):
        if count:
            yield f"{plural(count, 'node')} {word}"


def _growth(before: int, after: int, what: str) -> str:
    """``doubles`` it, ``raises`` it ``by 12 %`` …; nothing where both are nearly equal."""
    if before == after or (before and abs(after - before) < _NOTABLE * before):
        return ""
    if not before:
        return f"adds {what}"
    ratio = after / before
    for multiple, verb in _MULTIPLES.items():
        if abs(ratio / multiple - 1) <= _NEARLY:
            return f"{verb} {what}"
    if abs(2 * ratio - 1) <= _NEARLY:
        return f"halves {what}"
    if ratio > _TWICE:
        return f"multiplies {what} by {ratio:.1f}"
    return f"{'raises' if ratio > 1 else 'lowers'} {what} by {_percent(abs(ratio - 1))}"


def _time(model: ModelReport) -> str:
    """What the change does to measured time: told where it was quiet and the change is beyond
    doubt, on the only, or the first, provider."""
    if disturbance(model):
        return ""
    measured = model.change.measured[:1] if model.change else ()
    for one in measured:
        comparison = one.comparison
        if comparison is None or comparison.interval.low <= 1 <= comparison.interval.high:
            return ""
        if is_wide(comparison.interval.half_width):
            return ""
        ratio, where = comparison.ratio, safe(one.provider.label)
        if ratio > _TWICE:
            return f" and makes it {ratio:.1f} times as slow on {where}"
        if ratio > 1:
            return f" and makes it {_percent(ratio - 1)} slower on {where}"
        return f" and takes {_percent(1 - ratio)} off its time on {where}"
    return ""
