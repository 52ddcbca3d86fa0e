"""The pages of the rules: one each, a table of all of them, and their place in the site's menu."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from archlint.analyzer.rule import RuleGroup
from archlint.explain.documentation import default_of, summary_of
from archlint.explain.markup import cell, table
from archlint.explain.page import page
from archlint.remarks import REMARKS
from archlint.rules import all_rules
from archlint.selection import Named

SITE = Path(__file__).parent.parent / "zensical.toml"
_GROUPS = {
    RuleGroup.COST: "needlessly expensive",
    RuleGroup.CORRECTNESS: "wrong, or about to be",
    RuleGroup.SUSPICIOUS: "most likely not meant",
    RuleGroup.TARGET: "unfit for some hardware: run with `--target`, or selected",
    RuleGroup.PEDANTIC: "true, and seldom worth the trouble",
    RuleGroup.PREVIEW: "on trial",
}
_FAMILIES = {
    "1": "Channel width",
    "2": "Kernels",
    "3": "Heads and training leftovers",
    "4": "Foldable and redundant nodes",
    "5": "Fit to the hardware",
    "6": "Precision",
    "7": "Health of the graph",
    "9": "The run itself",
}
_HEAD = """# Rules

archlint knows {count} faults. A rule is named by its fault, so that it reads well after "allow":
`archlint rule wide-convolution` explains it, `--select` and `--ignore` take its code, its name or
the beginning of its code. The first digit is the family: {families}.

Rules of the groups cost, correctness and suspicious run by default, but for those that read the
weights ({reading}). The others are [selected](../configuration.md#selectors). What following a
finding does to the model is its *fix*: equivalent (the same function), approximate (weights derived
from the old ones), retrain (the same shapes, a new function) or decision (advice without a graph).
"""
_TAIL = """## Try an example

Every page begins with a model in
[ONNX's text form](https://onnx.ai/onnx/repo-docs/Syntax.html). Save it as `model.txt`, make a model
of it, and check that:

```python
import onnx
import onnx.parser

with open("model.txt", encoding="utf-8") as file:
    onnx.save(onnx.parser.parse_model(file.read()), "model.onnx")
```

```console
$ archlint model.onnx --select ARC101
```

Weights that are declared and not given have shapes alone, which is all that a cost needs.
"""
_BEGIN, _END = "# rules: written by docs/generate.py\n", "# end of the rules\n"


def explained() -> list[Named]:
    """All that has a page: the rules, and the remarks on a run."""
    return [*all_rules(), *REMARKS]


def index() -> str:
    """The table of all rules by their groups."""
    families = ", ".join(
        f"{digit} {words[0].lower()}{words[1:]}" for digit, words in _FAMILIES.items()
    )
    reading = ", ".join(rule.code for rule in explained() if rule.reads_weights)
    blocks = [_HEAD.format(count=len(explained()), families=families, reading=reading)]
    for group, meaning in _GROUPS.items():
        members = [rule for rule in explained() if rule.group is group]
        if not members:
            continue
        default = default_of(members[0])
        rows = [
            [f"[{rule.code} {rule.name}]({rule.code}.md)", str(rule.kind), str(rule.severity),
             cell(summary_of(rule))]
            for rule in members
        ]  # fmt: skip
        blocks.append(f"## {str(group).capitalize()}\n\nWhat is {meaning}; {default}.\n")
        blocks.append(table(["rule", "fix", "severity", "fault"], rows) + "\n")
    return "\n".join([*blocks, _TAIL])


def menu() -> str:
    """The lines of the site's menu for the rules, by family."""
    lines = []
    for digit, title in _FAMILIES.items():
        pages = ", ".join(
            f'{{ "{rule.code} {rule.name}" = "rules/{rule.code}.md" }}'
            for rule in explained()
            if rule.code[3] == digit
        )
        lines.append(f'        {{ "{title}" = [{pages}] }},\n')
    return "".join(lines)


def with_menu(site: str) -> str:
    """The site's configuration with the rules that there are."""
    before, begin, rest = site.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    indent = re.search(r"[ ]*$", before)
    return f"{before}{begin}{menu()}{indent[0] if indent else ''}{end}{after}"


PAGES: dict[str, Callable[[], str]] = {
    "rules/index.md": index,
    **{f"rules/{rule.code}.md": partial(page, rule) for rule in explained()},
}
