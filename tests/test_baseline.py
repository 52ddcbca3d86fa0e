"""Baselines: accepted findings stay silent until they cost more, and their file can be trusted."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx
import onnx.parser
import pytest

from archlint.analyzer.cost import Cost
from archlint.analyzer.engine import CRASH_CODE
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import (
    EffectReport,
    Failure,
    FindingReport,
    ModelReport,
    Report,
    State,
)
from archlint.analyzer.report.reporting import reported
from archlint.baseline import Baselines
from archlint.baseline_file import costs_of, entry_of, read_baseline, rendered
from archlint.baseline_place import NAME, is_wanted
from archlint.configuration import configure
from archlint.pipeline import examine
from archlint.remarks import OverBudget, RuleCrashed, remark_report
from reports import finding, model

SAMPLES = Path(__file__).parent.parent / "samples"
ONE, OTHER = "inception_5x5.onnx", "two_3x3.onnx"  # one finding at conv5x5, two at conv3x3_*
CHANNELS = {"left": 48, "right": 32, "third": 24}  # of parallel 5×5 convolutions over 192


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (ONE, OTHER):
        shutil.copy(SAMPLES / name, name)


def report(*paths: str, **options: Any) -> Report:
    """What is found in models with the configuration that holds here."""
    configuration = configure(**options)
    analyses = [examine(path, configuration.chosen(path)).analysis for path in paths]
    return Report("", tuple(reported(one) for one in analyses if one is not None))


def judged(found: Report, option: str | None = None, **options: Any) -> Report:
    return Baselines(configure(**options), option).judged(found)


def write(found: Report, option: str | None = None, **options: Any) -> str:
    return Baselines(configure(**options), option).written(found)


def stale(found: Report, **options: Any) -> list[str]:
    """The messages about entries that serve no more."""
    told = Baselines(configure(**options)).stale(judged(found, **options))
    return [one.message for one in told.findings if one.code == "ARC907"]


def labels(found: Report) -> list[str]:
    return [one.nodes[0].label for one in found.findings]


def entries(file: str = NAME) -> dict[str, list[str]]:
    """The nodes that a file speaks of, by model."""
    return {path: [e.identity.name for e in listed] for path, listed in read_baseline(file).items()}


def inception(path: str, channels: dict[str, int], size: int = 28) -> None:
    """A model of parallel 5×5 convolutions."""
    outputs = ", ".join(f"float[1,{n},{size},{size}] {name}_y" for name, n in channels.items())
    weights = ", ".join(f"float[{n},192,5,5] {name}_w" for name, n in channels.items())
    nodes = "\n".join(
        f"[{name}] {name}_y = Conv <pads = [2,2,2,2]> (x, {name}_w)" for name in channels
    )
    text = (
        '<ir_version: 10, opset_import: ["" : 20]>\n'
        f"agraph (float[1,192,{size},{size}] x, {weights}) => ({outputs}) {{ {nodes} }}"
    )
    made = onnx.parser.parse_model(text)
    for value in list(made.graph.input)[1:]:  # weights: declared, so that they are not all zero
        made.graph.input.remove(value)
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        made.graph.initializer.add(name=value.name, data_type=1, dims=dims, data_location=1)
        entry = made.graph.initializer[-1].external_data.add()
        entry.key, entry.value = "location", "weights.bin"
    with open("weights.bin", "wb") as file:
        file.truncate(4 * 192 * 25 * max(*channels.values(), 1))
    onnx.save(made, path)


def reexport(path: str) -> None:
    """The same model as another exporter writes it: other names, another order of the file."""
    made = onnx.load(path, load_external_data=False)
    names = {name: f"val_{i}" for i, name in enumerate(_names(made.graph))}
    for node in made.graph.node:
        node.name = f"node_{names[node.output[0]]}"
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for values in (made.graph.input, made.graph.output, made.graph.initializer):
        for value in values:
            value.name = names[value.name]
    nodes = list(_other_order(made.graph))
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    onnx.save(made, path)


def _other_order(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """The last of the nodes whose inputs are there, one after the other."""
    waiting = list(graph.node)
    there = {"", *(value.name for value in graph.input), *(w.name for w in graph.initializer)}
    while waiting:
        node = [node for node in waiting if there.issuperset(node.input)][-1]
        waiting.remove(node)
        there.update(node.output)
        yield node


def _names(graph: onnx.GraphProto) -> Iterator[str]:
    seen = [value.name for values in (graph.input, graph.output) for value in values]
    seen += [weight.name for weight in graph.initializer]
    yield from dict.fromkeys([*seen, *(name for node in graph.node for name in node.output)])


@pytest.mark.parametrize("paths", [[ONE], [OTHER], [ONE, OTHER]])
def test_what_is_written_is_accepted(paths: list[str]) -> None:
    """The same report has no finding left, and each of them is among the ignored."""
    found = report(*paths)
    assert (
        write(found) == f"{NAME}: {len(found.findings)} finding{'s'[len(found.findings) < 2 :]}"
        " accepted\n"
    )
    left = judged(found)
    assert not left.findings
    ignored = [one for model in left.models for one in model.ignored]
    assert [one.finding for one in ignored] == list(found.findings)
    assert {one.by for one in ignored} == {f"baseline {NAME}"}
    assert stale(found) == []
    before = Path(NAME).read_bytes()
    write(left)  # what a baseline accepts is found as well
    assert Path(NAME).read_bytes() == before


def test_one_layer_that_grows_comes_back_alone() -> None:
    """Of three; with what it cost: 28·28·192·32·5·5 MACs, and half as many more."""
    inception("m.onnx", CHANNELS)
    found = report("m.onnx")
    assert sorted(labels(found)) == sorted(CHANNELS)
    write(found)
    inception("m.onnx", {**CHANNELS, "right": 48})
    left = judged(report("m.onnx"))
    (grown,) = left.findings
    assert (grown.nodes[0].label, grown.state) == ("right", State.WORSE)
    assert (grown.before, grown.cost.macs) == (28 * 28 * 192 * 32 * 25, 28 * 28 * 192 * 48 * 25)
    assert len(left.models[0].ignored) == 2


def test_a_new_layer_is_new() -> None:
    """Whatever resembles it was accepted."""
    inception("m.onnx", CHANNELS)
    write(report("m.onnx"))
    inception("m.onnx", {**CHANNELS, "fourth": 40})
    (new,) = judged(report("m.onnx")).findings
    assert (new.nodes[0].label, new.state, new.before) == ("fourth", State.NEW, None)


def test_a_layer_that_shrinks_stays_accepted() -> None:
    """And comes back when it grows again, once the baseline was pruned: a ratchet."""
    inception("m.onnx", CHANNELS)
    write(report("m.onnx"))
    inception("m.onnx", {**CHANNELS, "left": 40})
    smaller = report("m.onnx")
    assert not judged(smaller).findings
    assert Baselines(configure()).pruned(smaller) == f"{NAME}: 0 removed, 1 lowered, 3 stay\n"
    inception("m.onnx", CHANNELS)
    assert labels(judged(report("m.onnx"))) == ["left"]


def test_a_pruned_baseline_accepts_no_growth() -> None:
    """It lowers costs, and never raises one."""
    inception("m.onnx", CHANNELS)
    write(report("m.onnx"))
    inception("m.onnx", {**CHANNELS, "left": 64})
    grown = report("m.onnx")
    assert Baselines(configure()).pruned(grown) == f"{NAME}: 0 removed, 0 lowered, 3 stay\n"
    assert labels(judged(grown)) == ["left"]


@pytest.mark.parametrize("name", [ONE, OTHER, "m.onnx"])
def test_a_reexport_changes_nothing(name: str) -> None:
    """Neither names nor the order of the file are what an entry is about."""
    inception("m.onnx", CHANNELS)
    found = report(name)
    write(found)
    reexport(name)
    again = report(name)
    assert not {*labels(again)} & {*labels(found)}
    assert not judged(again).findings
    assert stale(again) == []


@pytest.mark.parametrize(
    ("tolerance", "left"),
    [
        pytest.param("0%", ["right"], id="default"),
        pytest.param("49.9%", ["right"], id="too-little"),
        pytest.param("50%", [], id="just-enough"),
    ],
)
def test_growth_can_be_tolerated(tolerance: str, left: list[str]) -> None:
    """32 to 48 channels are half as many more, and so are the MACs."""
    Path("archlint.toml").write_text(f'baseline-tolerance = "{tolerance}"\n')
    inception("m.onnx", CHANNELS)
    write(report("m.onnx"))
    inception("m.onnx", {**CHANNELS, "right": 48})
    assert labels(judged(report("m.onnx"))) == left


def grown(one: FindingReport, by: int) -> FindingReport:
    return replace(one, cost=replace(one.cost, macs=one.cost.macs + by))


def only(path: str, *found: FindingReport) -> Report:
    """A report of one model with these findings."""
    return Report("", (model(path, found),))


def test_what_a_base_has_too_is_not_of_this_change() -> None:
    """Though it has grown since the baseline was written."""
    write(only(ONE, finding()))
    now = replace(grown(finding(), 1), state=State.UNCHANGED)
    (left,) = judged(only(ONE, now)).findings
    assert left.state is State.UNCHANGED


def test_without_a_baseline_a_report_is_as_it_was() -> None:
    """No finding is new where nothing is known of before."""
    found = only(ONE, finding())
    assert judged(found) == found
    assert not is_wanted(configure(), None, [ONE])


def test_remarks_and_crashes_are_not_accepted() -> None:
    """A budget is a budget, and nobody knows what a rule that failed would have found."""
    broken = remark_report(OverBudget, Severity.ERROR, "over", about="macs")
    crash = remark_report(RuleCrashed, Severity.ERROR, "rule ARC101 failed")
    assert crash.code == CRASH_CODE
    found = only(ONE, broken, crash, finding())
    write(found)
    assert entries() == {ONE: ["conv5x5"]}
    assert list(judged(found).findings) == [broken, crash]


def test_the_effect_of_all_proposals_is_not_told_of_some() -> None:
    """It was computed with those that are accepted now."""
    effect = EffectReport(10, 5, 0, 0)
    found = Report("", (replace(model(ONE, [finding()]), effect=effect),))
    assert judged(found).models[0].effect == effect
    write(found)
    assert judged(found).models[0].effect is None


@pytest.mark.parametrize(
    ("one", "measure", "cost"),
    [
        pytest.param(finding(), "macs", 120_422_400, id="macs"),
        pytest.param(replace(finding(), cost=Cost()), "parameters", 153_600, id="parameters"),
        pytest.param(
            replace(finding(proposed=False), cost=Cost(bytes_read=3, bytes_written=4)), "bytes", 7,
            id="bytes",
        ),
        pytest.param(replace(finding(proposed=False), cost=Cost()), "macs", 0, id="nothing"),
    ],
)  # fmt: skip
def test_an_entry_has_the_first_cost_that_there_is(
    one: FindingReport, measure: str, cost: int
) -> None:
    """And is judged by that alone."""
    entry = entry_of(one)
    assert (entry.measure, entry.cost) == (measure, cost)
    write(only(ONE, one))
    assert not judged(only(ONE, one)).findings
    dearer = {
        "macs": replace(one, cost=replace(one.cost, macs=cost + 1)),
        "parameters": replace(one, cost=replace(one.cost, bytes_read=10**9)),
        "bytes": replace(one, cost=replace(one.cost, bytes_read=10)),
    }[measure]
    left = judged(only(ONE, dearer)).findings
    assert len(left) == (costs_of(dearer)[measure] > cost)


def test_other_models_keep_their_entries() -> None:
    """Those that are not in this run, and those that could not be read."""
    write(report(ONE, OTHER))
    both = entries()
    write(report(ONE))
    assert entries() == both
    failed = replace(report(ONE), failures=(Failure(OTHER, "is no ONNX model"),))
    write(failed)
    Baselines(configure()).pruned(failed)
    assert entries() == both
    assert stale(failed) == []


def test_rules_that_did_not_run_keep_their_entries() -> None:
    """What they would have found is not known to be gone."""
    write(report(ONE, OTHER))
    both = entries()
    silent = report(ONE, OTHER, select=["ARC7"])
    assert not silent.findings
    assert stale(silent, select=["ARC7"]) == []
    write(silent, select=["ARC7"])
    Baselines(configure(select=["ARC7"])).pruned(silent)
    assert entries() == both


@pytest.mark.parametrize("why", ["crash", "failure", "unchecked"])
def test_a_run_that_was_not_whole_finds_nothing_stale(why: str) -> None:
    """A rule failed, weights could not be read, or there was a snapshot alone."""
    write(report(ONE))
    (clean,) = (replace(one, findings=()) for one in report(ONE).models)
    crash = remark_report(RuleCrashed, Severity.ERROR, "rule ARC101 failed")
    found = {
        "crash": Report("", (replace(clean, findings=(crash,)),)),
        "failure": Report("", (clean,), (Failure(ONE, "weights cannot be read"),)),
        "unchecked": Report("", (replace(clean, was_checked=False),)),
    }[why]
    assert stale(found) == []
    Baselines(configure()).pruned(found)
    assert entries() == {ONE: ["conv5x5"]}
    assert stale(Report("", (clean,))) != []


def test_stale_entries_are_told_and_pruned() -> None:
    """Those of models of this run; a model that is not there any more goes with all of its own."""
    inception("m.onnx", CHANNELS)
    write(report("m.onnx", ONE, OTHER))
    inception("m.onnx", {"left": 48, "right": 32})
    os.remove(OTHER)
    found = report("m.onnx")
    assert stale(found) == [
        f"baseline {NAME} accepts ARC101 wide-convolution at 'third', which is not found any more"
    ]
    assert Baselines(configure()).pruned(found) == f"{NAME}: 3 removed, 0 lowered, 3 stay\n"
    assert entries() == {ONE: ["conv5x5"], "m.onnx": ["left", "right"]}
    assert stale(found) == []


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        pytest.param("", Severity.ERROR, id="default"),
        pytest.param('severity.ARC907 = "note"', Severity.NOTE, id="severity"),
        pytest.param('ignore = ["stale-baseline"]', None, id="ignored"),
    ],
)
def test_a_stale_entry_is_a_remark(text: str, severity: Severity | None) -> None:
    """Told as severe as the configuration has it, recognised by the entry."""
    write(report(OTHER))
    Path("archlint.toml").write_text(text)
    clean = Report("", tuple(replace(one, findings=()) for one in report(OTHER).models))
    told = Baselines(configure()).stale(clean).findings
    assert [one.severity for one in told] == ([] if severity is None else [severity] * 2)
    assert len({one.identity for one in told}) == len(told)


def test_a_renamed_model_keeps_its_entries() -> None:
    """It has the same findings, and the old path is gone."""
    write(report(ONE, OTHER))
    os.rename(OTHER, "renamed.onnx")
    found = report("renamed.onnx")
    assert not judged(found).findings
    assert stale(found) == []
    assert Baselines(configure()).pruned(found) == f"{NAME}: 0 removed, 0 lowered, 3 stay\n"
    assert entries() == {ONE: ["conv5x5"], "renamed.onnx": ["conv3x3_1", "conv3x3_2"]}


def test_a_copy_is_no_rename() -> None:
    """Nor is another model in the place of one that is gone."""
    write(report(ONE, OTHER))
    shutil.copy(OTHER, "copy.onnx")
    assert len(judged(report("copy.onnx")).findings) == 2
    os.remove(OTHER)
    os.remove("copy.onnx")
    inception("m.onnx", CHANNELS)
    assert len(judged(report("m.onnx")).findings) == 3


def test_two_models_do_not_share_the_entries_of_one() -> None:
    """The first takes them."""
    write(report(OTHER))
    os.rename(OTHER, "a.onnx")
    shutil.copy("a.onnx", "b.onnx")
    left = judged(report("a.onnx", "b.onnx"))
    assert [len(one.findings) for one in left.models] == [0, 2]


@pytest.mark.parametrize(
    ("config", "option", "file"),
    [
        pytest.param(None, None, NAME, id="working-directory"),
        pytest.param("models/archlint.toml", None, f"models/{NAME}", id="beside-the-file"),
        pytest.param("archlint.toml", None, NAME, id="above"),
        pytest.param("archlint.toml", "ci/known.json", "ci/known.json", id="option"),
    ],
)
def test_the_file_is_beside_the_configuration(
    config: str | None, option: str | None, file: str
) -> None:
    """Unless it is named; paths in it are relative to its folder."""
    for folder in ("models", "ci"):
        os.mkdir(folder)
    path = os.path.join("models", ONE)
    shutil.move(ONE, path)
    if config is not None:
        Path(config).write_text("")
    assert write(report(path), option) == f"{file}: 1 finding accepted\n"
    key = os.path.relpath(path, os.path.dirname(file) or ".").replace(os.sep, "/")
    assert list(read_baseline(file)) == [key]
    assert is_wanted(configure(), option, [path])
    assert not judged(report(path), option).findings


def test_the_file_can_be_named_by_a_setting() -> None:
    """Relative to the file that says it; one for several configurations."""
    for folder in ("a", "b"):
        os.mkdir(folder)
        shutil.copy(ONE, folder)
        Path(folder, "archlint.toml").write_text('baseline = "../known.json"\n')
    found = report(f"a/{ONE}", f"b/{ONE}")
    assert write(found) == "known.json: 2 findings accepted\n"
    assert sorted(entries("known.json")) == [f"a/{ONE}", f"b/{ONE}"]
    assert not judged(found).findings


def test_a_named_file_must_be_there() -> None:
    """A typing error accepts nothing, and would be taken for a fault of the models."""
    found = report(ONE)
    with pytest.raises(ConfigError, match=r"^--baseline x.json: there is no such file; --write"):
        judged(found, "x.json")
    Path("archlint.toml").write_text('baseline = "y.json"\n')
    with pytest.raises(ConfigError, match=r"^archlint.toml: baseline: 'y.json': there is no such"):
        judged(found)
    assert is_wanted(configure(), None, [ONE])
    write(found)
    assert not judged(found).findings


def test_isolated_runs_look_for_no_file() -> None:
    """As for no configuration: whoever changes the models may have changed it."""
    write(report(ONE))
    found = report(ONE, isolated=True)
    assert judged(found, isolated=True) == found
    assert not judged(found, NAME, isolated=True).findings
    with pytest.raises(ConfigError, match="--write-baseline: standard input and --isolated have"):
        write(found, isolated=True)


def test_standard_input_has_no_entries() -> None:
    found = only("-", finding())
    assert judged(found) == found
    with pytest.raises(ConfigError, match="--write-baseline"):
        write(found)


def test_nothing_found_makes_no_file() -> None:
    """And empties one that is there."""
    assert write(only(ONE)) == "Nothing was found that a baseline could accept.\n"
    assert not os.path.exists(NAME)
    write(only(ONE, finding(code="ARC101")))
    assert write(only(ONE)) == f"{NAME}: 0 findings accepted\n"
    assert read_baseline(NAME) == {}
    os.remove(NAME)
    assert Baselines(configure()).pruned(only(ONE)) == "There is no baseline to prune.\n"


def test_a_file_is_one_line_an_entry() -> None:
    """Sorted, in ASCII, and the same whatever the order of the run: a diff shows what has
    changed."""
    write(report(ONE, OTHER))
    text = Path(NAME).read_text(encoding="ascii")
    lines = [json.loads(line.rstrip(",")) for line in text.splitlines() if '"rule"' in line]
    assert [line["node"] for line in lines] == ["conv5x5", "conv3x3_1", "conv3x3_2"]
    assert lines[0].items() >= {
        "rule": "ARC101", "name": "wide-convolution", "severity": "warning", "macs": 120_422_400,
        "operator": "Conv",
    }.items()  # fmt: skip
    os.remove(NAME)
    write(report(OTHER, ONE))
    assert Path(NAME).read_text(encoding="ascii") == text
    assert rendered(read_baseline(NAME)) == text


def test_hostile_names_come_back_as_they_were() -> None:
    """From a model, and from a file system."""
    names = ["\u202e\x1b[31m\n", "\ud800", '"}],', "nul\x00", "å/ü"]
    found = [
        replace(
            finding(name, fingerprint=f"{i:016x}:0"),
            identity=replace(finding().identity, fingerprint=f"{i:016x}:0", name=name, module=name),
        )
        for i, name in enumerate(names)
    ]
    everything = Report("", (model("\udcff.onnx", found), model("s3://b/m.onnx", found)))
    write(everything)
    assert Path(NAME).read_bytes().isascii()
    assert not judged(everything).findings
    assert set(read_baseline(NAME)) == {"\udcff.onnx", "s3://b/m.onnx"}


LINE = '{"rule": "ARC101", "severity": "warning", "macs": 1, "fingerprint": "a:0"}'


def file_of(*lines: str, version: object = 1) -> str:
    text = ", ".join(lines)
    return f'{{"archlint-baseline": {json.dumps(version)}, "models": {{"m.onnx": [{text}]}}}}'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param("", "is no JSON: Expecting value: line 1 column 1", id="empty"),
        pytest.param('{"a": 1,\n]', "is no JSON: ", id="broken"),
        pytest.param(b"\xff\xfe\xff", "is no JSON: ", id="no-text"),
        pytest.param("[" * 100_000, "nested too deeply", id="deep"),
        pytest.param('{"a": ' + "9" * 10_000 + "}", "is no JSON: ", id="digits"),
        pytest.param("{}", "is no baseline: it has no 'archlint-baseline'", id="foreign"),
        pytest.param("[]", "is no baseline", id="list"),
        pytest.param(
            "{\n<<<<<<< HEAD\n=======\n>>>>>>> x\n}",
            "line 2 is a conflict of a merge: keep the lines of both sides", id="conflict",
        ),
        pytest.param(
            file_of(version=2), "is of version 2, and archlint 0.1.0 knows 1: take the", id="newer"
        ),
        pytest.param(file_of(version="x" * 99), "is of version 'xxxx", id="no-version"),
        pytest.param('{"archlint-baseline": 1}', "has no table 'models'", id="no-models"),
        pytest.param(
            '{"archlint-baseline": 1, "models": {"m": 1}}', "'m' has no list", id="no-list"
        ),
        pytest.param(
            '{"archlint-baseline": 1, "models": {"m": [], "m": []}}', "says 'm' twice", id="twice"
        ),
        pytest.param(file_of("1"), "entry 0 of 'm.onnx' is no table", id="no-entry"),
        pytest.param(
            file_of(LINE, LINE.replace("ARC101", "")), "entry 1 of 'm.onnx' has no", id="rule"
        ),
        pytest.param(file_of(LINE.replace('"a:0"', "1")), "'fingerprint' that is no text", id="fp"),
        pytest.param(file_of(LINE.replace("warning", "bad")), "has no 'severity'", id="severity"),
        pytest.param(file_of(LINE.replace("1", "-1")), "has not one cost of macs", id="negative"),
        pytest.param(file_of(LINE.replace(" 1,", " 1.5,")), "has not one cost", id="fraction"),
        pytest.param(file_of(LINE.replace(" 1,", " true,")), "has not one cost", id="truth"),
        pytest.param(file_of(LINE.replace('"macs": 1, ', "")), "has not one cost", id="no-cost"),
        pytest.param(
            file_of(LINE.replace('"macs"', '"bytes": 2, "macs"')), "has not one cost", id="two"
        ),
        pytest.param(file_of(LINE.replace("macs", "mac")), "has a key 'mac' that is", id="key"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_baseline_is_told(content: str | bytes, why: str) -> None:
    """In one line with what to do, and it is not written over."""
    data = content if isinstance(content, bytes) else content.encode()
    Path(NAME).write_bytes(data)
    for act in (judged, write):
        with pytest.raises(ConfigError) as error:
            act(report(ONE))
        assert error.value.source == NAME
        assert why in error.value.why
        assert "\n" not in error.value.why
        assert "--write-baseline" in error.value.why or "name another file" in error.value.why
    assert Path(NAME).read_bytes() == data


def test_a_file_that_cannot_be_written_is_told() -> None:
    """And is as it was."""
    found = report(ONE)
    with pytest.raises(ConfigError, match="cannot be written: No such file"):
        write(found, os.path.join("nowhere", "known.json"))
    os.mkdir("folder")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        write(found, "folder")


def test_entries_of_others_are_not_lost_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is replaced when all is written."""
    write(report(ONE, OTHER))
    before = Path(NAME).read_bytes()

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(ConfigError, match="No space left"):
        write(report(ONE, ignore=["ARC1"]))
    assert Path(NAME).read_bytes() == before
    assert sorted(os.listdir()) == sorted([NAME, ONE, OTHER])


def test_many_findings_take_no_time() -> None:
    """Ten thousand of one rule, in one model."""
    many: Sequence[FindingReport] = [
        finding(f"conv{i}", fingerprint=f"{i:016x}:0") for i in range(10_000)
    ]
    found = only(ONE, *many)
    write(found)
    assert not judged(found).findings


def test_a_model_report_is_enough() -> None:
    """Judging reads no model: a pointer or a cache can be answered."""
    os.remove(ONE)
    found = only(ONE, finding())
    write(found)
    (left,) = judged(found).models
    assert isinstance(left, ModelReport)
    assert not left.findings
