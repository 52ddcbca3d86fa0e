"""The page of a rule, in Markdown that GitHub and Python-Markdown read alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from archlint.analyzer.analysis import Analysis
from archlint.analyzer.proposal import FixKind
from archlint.analyzer.rule import Passes
from archlint.analyzer.text import percent_change, short, size
from archlint.explain.documentation import (
    REFERENCES,
    Option,
    as_value,
    default_of,
    floor_of,
    listed_cases,
    number,
    options_of,
    range_of,
    section_of,
    summary_of,
)  # fmt: skip
from archlint.explain.example import Example, command_of, example_of, near_misses
from archlint.explain.markup import cell, fenced, prose, table, title
from archlint.explain.onnx_text import tidied
from archlint.explain.references import parts
from archlint.explain.safety import safety_of
from archlint.selection import Named


def page(rule: Named) -> str:
    """All that there is to know of a rule, with what archlint prints of its cases."""
    blocks = [
        f"# {rule.code} {rule.name}",
        prose(summary_of(rule)),
        _metadata(rule),
        *_section(rule, "Why it costs", "Why it matters"),
        *_section(rule, "What to do"),
        *_example(rule),
        *_not_flagged(rule),
        *_section(rule, "When not to apply"),
        f"## Fix safety\n\n{prose(safety_of(rule))}",
        *_options(rule),
        *_section(rule, "Known limits"),
        *_ignoring(rule),
        *_references(rule),
    ]
    return "\n\n".join(blocks) + "\n"


def _metadata(rule: Named) -> str:
    facts = {
        "Group": f"{rule.group}, {default_of(rule)}",
        "severity": str(rule.severity),
        "confidence": str(rule.confidence),
        "fix": f"[{rule.kind}](#fix-safety)",
        "since": rule.since,
    }
    if rule.origin:
        facts["plugin"] = prose(rule.origin)
    return " · ".join(f"{name} **{value}**" for name, value in facts.items())


def _section(rule: Named, *titles: str) -> Iterator[str]:
    section = section_of(rule, *titles)
    if section is not None:
        yield f"## {section.title}"
        yield from map(prose, section.paragraphs)


def _example(rule: Named) -> Iterator[str]:
    example = example_of(rule)
    if example is None:
        return
    yield f"## Example: {title(example.case.title)}"
    yield "### Before"
    yield fenced(example.before)
    yield f"`{example.command}` says:"
    yield fenced(example.printed)
    if rule.kind is FixKind.DECISION:
        for case in near_misses(rule)[:1]:
            yield f"### Not flagged: {title(case.title)}"
            yield from _passing(rule, case)
    elif example.report_after is not None:
        yield "### After"
        yield f"The same model with the proposal in place, of which {rule.code} says nothing:"
        yield fenced(example.after)
        yield _costs(example.report, example.report_after)
        yield from _modules(example)


def _costs(before: Analysis, after: Analysis) -> str:
    """What the whole example costs, before and after."""
    rows = []
    plain: Callable[[int], str] = "{:,}".format
    then, now = after.costs.total(), before.costs.total()
    for what, old, new, text in (
        ("MACs", now.macs, then.macs, plain),
        ("other operations", now.ops, then.ops, short),
        ("parameters", before.parameters, after.parameters, plain),
        ("weights read", now.weight_bytes, then.weight_bytes, size),
        ("peak activations", before.peak.bytes, after.peak.bytes, size),
    ):
        rows.append([what, text(old), text(new), percent_change(old, new)])
    return table(["", "before", "after", ""], rows, numbers=(1, 2, 3))


def _modules(example: Example) -> Iterator[str]:
    """The flagged nodes and the proposal in PyTorch."""
    if not example.modules_after:
        return
    yield "### In PyTorch"
    if example.modules_before:
        yield "Flagged:"
        yield fenced(example.modules_before, "python")
    yield "Suggested:"
    yield fenced(example.modules_after, "python")


def _not_flagged(rule: Named) -> Iterator[str]:
    yield from _section(rule, "Not flagged")
    shown = 1 if rule.kind is FixKind.DECISION else 0  # it stands beside the example
    for case in near_misses(rule)[shown:]:
        head = f'<details markdown="1">\n<summary>{title(case.title)}</summary>'
        yield "\n\n".join([head, *_passing(rule, case), "</details>"])


def _passing(rule: Named, case: Passes) -> Iterator[str]:
    """A case in which the rule finds nothing, and the command that says so if it has options."""
    yield fenced(tidied(case.onnx_text))
    yield f"`{command_of(rule, case)}` finds nothing."


def _options(rule: Named) -> Iterator[str]:
    options = options_of(rule)
    if not options:
        return
    yield "## Options"
    yield table(["option", "default", "range", ""], [*map(_option, options)], numbers=(1,))
    if floor := floor_of(rule):
        listed = ", ".join(f"`{name}`" for name in floor)
        yield f"It is silent below its floor: {listed}."
    chosen = [option for option in options if option.default is not None][-1]
    value = as_value(chosen.default)
    yield f"On the command line `--set {rule.code}.{chosen.name}={value}`, in a configuration"
    yield fenced(f"[rules.{rule.code}]\n{chosen.name} = {value}", "toml")


def _option(option: Option) -> list[str]:
    return [f"`{option.name}`", number(option.default), range_of(option), cell(option.help)]


def _ignoring(rule: Named) -> Iterator[str]:
    if not listed_cases(rule):  # a remark, which no entry hides
        return
    yield "## Ignore it"
    yield (
        f"`--ignore {rule.code}` leaves the rule out. A finding that is known and accepted stands "
        "in the [configuration](../configuration.md#accepted-findings), with the reason:"
    )
    lines = ["[[ignore]]", f'rule = "{rule.code}"', 'path = "models/**/*.onnx"']
    yield fenced("\n".join([*lines, 'reason = "why it is accepted"']), "toml")


def _references(rule: Named) -> Iterator[str]:
    section = section_of(rule, REFERENCES)
    if section is not None:
        yield f"## {section.title}"
        yield "\n".join(f"- {_linked(source)}" for source in section.paragraphs)


def _linked(source: str) -> str:
    """A source with links to where it can be read."""
    words: Sequence[tuple[str, str | None]] = tuple(parts(source))
    return "".join(
        prose(text) if address is None else f"[{prose(text)}]({address})"
        for text, address in words
        if text
    )
