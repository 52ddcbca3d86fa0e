"""Budgets: how they are read, which of them a model breaks, and what is told of each."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from archlint.analyzer.compare.difference import Difference
from archlint.analyzer.cost import Cost
from archlint.analyzer.dims import Cause
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.finding import Severity
from archlint.analyzer.report import (
    Change,
    FindingReport,
    LatencyReport,
    ModelReport,
    Report,
    State,
    Unknown,
    ValueReport,
)
from archlint.analyzer.report.reporting import reported
from archlint.analyzer.timing.effort import Effort
from archlint.analyzer.timing.nodes.latency import Latency, Spread
from archlint.analyzer.timing.providers import Provider
from archlint.analyzer.timing.statistics import Interval
from archlint.budget_kinds import Budget
from archlint.budgets import broken, limits_latency, with_budgets
from archlint.configuration import configure
from archlint.kinds import Place
from archlint.latencies import is_quiet, latency_report, measured_latencies
from archlint.pipeline import Stopwatch, examine
from archlint.reading import read_settings
from archlint.remarks import OverBudget, remark_report
from archlint.rules import all_rules
from archlint.settings_schema import schema
from command_line import Run
from reports import model, totals

SAMPLE = Path(__file__).parent.parent / "samples" / "inception_5x5.onnx"
SCHEMA = Draft202012Validator(json.loads(schema()))
HEAD = 1_582_671_872  # MACs of a model: ResNet-50's 4.09 G are no round number either
MODEL = replace(model("m.onnx"), cost=Cost(macs=HEAD), parameters=5_000_001)


def budgets(text: str) -> Sequence[Budget]:
    """Those of a table without its header."""
    document = tomllib.loads(f"[[budget]]\n{text}" if "[[" not in text else text)
    SCHEMA.validate(document)
    return read_settings(Place("archlint.toml", "/p", rules=all_rules()), document).budget


def told(text: str, report: ModelReport = MODEL) -> list[tuple[str, Severity, str]]:
    return [(one.code, one.severity, one.message) for one in broken(report, budgets(text))]


ERROR, WARNING = Severity.ERROR, Severity.WARNING


@pytest.mark.parametrize(
    ("text", "severity", "message"),
    [
        pytest.param(
            'macs = "600M"', ERROR,
            # 1,582,671,872 / 600,000,000 = 2.637786…
            "model costs 1,582,671,872 MACs, 163.8 % over its budget of 600M "
            "(archlint.toml: budget[0].macs)",
            id="macs",
        ),
        pytest.param(
            'macs = { max = "600M", level = "warning" }', WARNING,
            "model costs 1,582,671,872 MACs, 163.8 % over its budget of 600M "
            "(archlint.toml: budget[0].macs)",
            id="own-level",
        ),
        pytest.param(
            'params = "5M"\nlevel = "warning"', WARNING,
            "model has 5,000,001 parameters, 1 over its budget of 5M "
            "(archlint.toml: budget[0].params)",
            id="next-to-nothing",
        ),
        pytest.param(
            "file-size = 500", ERROR,  # 1,000 bytes in the file and none beside it
            "model takes 1,000 bytes of storage, 100.0 % over its budget of 500 B "
            "(archlint.toml: budget[0].file-size)",
            id="file-size",
        ),
        pytest.param(
            'peak-activation = "1MiB"', ERROR,  # 1,600,000 / 2^20 = 1.525878…
            "model needs 1,600,000 bytes of activations at its peak, 52.6 % over its budget of "
            "1MiB (archlint.toml: budget[0].peak-activation)",
            id="peak",
        ),
        pytest.param(
            "macs = 0", ERROR,
            "model costs 1,582,671,872 MACs, 1,582,671,872 over its budget of 0 "
            "(archlint.toml: budget[0].macs)",
            id="nothing-at-all",
        ),
    ],
)  # fmt: skip
def test_a_broken_budget_is_told(text: str, severity: Severity, message: str) -> None:
    """With the number, the excess, and where the limit stands."""
    assert told(text) == [("ARC905", severity, message)]


@pytest.mark.parametrize(
    "text",
    [
        f"macs = {HEAD}", 'macs = "2G"', "params = 5000001", "file-size = 1000",
        "peak-activation = 1600000", 'latency = "1us"', 'regression = { macs = "+0" }',
        "require-static-shapes = true",
    ],
)  # fmt: skip
def test_a_kept_budget_is_not_told(text: str) -> None:
    """At its limit exactly, too; without measured times or a base nothing is judged."""
    assert told(text) == []


def test_external_data_is_of_the_file() -> None:
    """What the file refers to has to be carried along."""
    ((_, _, message),) = told("file-size = 1000", replace(MODEL, external_bytes=1_000))
    assert message.startswith("model takes 2,000 bytes of storage, 100.0 % over")


def test_every_budget_that_speaks_of_a_model_holds(tmp_path: Path) -> None:
    """Not the first alone, and those of extended files as well."""
    (tmp_path / "base.toml").write_text('[[budget]]\nmacs = "1G"\n')
    text = (
        'extend = "base.toml"\n[[budget]]\npath = "mobile/*.onnx"\nmacs = "600M"\n'
        '[[budget]]\npath = "*.onnx"\nmacs = "2G"\n'
    )
    (tmp_path / "archlint.toml").write_text(text)
    configuration = configure()
    held = {
        name: [budget.limits["macs"].most.text for budget in configuration.budgets(path)]
        for name in ("m.onnx", "mobile/m.onnx")
        for path in [str(tmp_path / name)]
    }
    assert held == {"m.onnx": ["1G", "2G"], "mobile/m.onnx": ["1G", "600M", "2G"]}


def test_broken_budgets_have_identities_of_their_own() -> None:
    """By the quantity and their order, whatever the numbers are."""
    text = '[[budget]]\nmacs = "600M"\nparams = 5\n[[budget]]\nmacs = "700M"'
    found = [one.identity.fingerprint for one in broken(MODEL, budgets(text))]
    dearer = replace(MODEL, cost=Cost(macs=2 * HEAD))
    assert found == [one.identity.fingerprint for one in broken(dearer, budgets(text))]
    keys, ordinals = zip(*(one.split(":") for one in found), strict=True)
    assert ordinals == ("0", "0", "1")
    assert keys[0] == keys[2] != keys[1]


UNBOUND = Unknown(Cause("dim 'seq' is unbound", "--dim seq=128"), ("a", "b"))


def test_what_is_known_can_break_a_limit_and_not_keep_it() -> None:
    """Unknown is never zero: below the limit a warning says what to bind, whatever the level."""
    partly = replace(MODEL, unknown=(UNBOUND,), unknown_nodes=2)
    ((_, level, message),) = told('macs = "600M"', partly)
    assert level is ERROR
    assert message.startswith("model costs at least 1,582,671,872 MACs, 163.8 % over")
    ((code, level, message),) = told('macs = "2G"', partly)
    assert (code, level) == ("ARC905", WARNING)
    assert message == (
        "its budget of 2G MACs cannot be judged: the cost of 2 nodes is unknown (dim 'seq' is "
        "unbound; bind it with --dim seq=128) (archlint.toml: budget[0].macs)"
    )


def test_a_peak_that_is_partly_unknown_is_not_judged() -> None:
    ((_, level, message),) = told("peak-activation = 1600000", replace(MODEL, peak_unknown=1))
    assert level is WARNING
    assert "cannot be judged: the size of 1 value is unknown; bind its dims with --dim" in message


def change(before: int | None, after: int | None = HEAD, unknown: int = 0) -> Change:
    """From a base of so many MACs."""
    then = replace(totals(before), unknown=unknown)
    return Change("main", Difference(then, totals(after), 9))


@pytest.mark.parametrize(
    ("limit", "beside", "message"),
    [
        pytest.param(
            '"+2%"', change(1_395_654_656),  # 1,582,671,872 / 1,395,654,656 = 1.133999…
            "1,395,654,656 → 1,582,671,872 MACs against main: +13.4 %, more than the +2% that its "
            "budget allows (archlint.toml: budget[0].regression.macs)",
            id="share",
        ),
        pytest.param(
            '"+0"', change(HEAD - 1),
            "1,582,671,871 → 1,582,671,872 MACs against main: +1, more than the +0 that its "
            "budget allows (archlint.toml: budget[0].regression.macs)",
            id="one",
        ),
        pytest.param('"+20%"', change(1_395_654_656), None, id="kept"),
        pytest.param('"+0"', change(HEAD), None, id="equal"),
        pytest.param('"+0"', change(2 * HEAD), None, id="less"),
        pytest.param('"+0"', Change("main"), None, id="same-file"),
        pytest.param('"+0"', Change(), None, id="new-model"),
        pytest.param('"+0"', None, None, id="no-base"),
        pytest.param(
            '"+2%"', change(None),
            "whether it grew by more than +2% MACs cannot be judged: it is unknown in main; bind "
            "its dims with --dim or --input-shape (archlint.toml: budget[0].regression.macs)",
            id="base-unknown",
        ),
        pytest.param(
            '"+2%"', change(1_000, None),
            "whether it grew by more than +2% MACs cannot be judged: it is unknown in the model; "
            "bind its dims with --dim or --input-shape (archlint.toml: budget[0].regression.macs)",
            id="head-unknown",
        ),
        pytest.param(
            '"+2%"', change(1_000, HEAD, unknown=1),
            "whether it grew by more than +2% MACs cannot be judged: the cost of 1 node is unknown "
            "in main; bind its dims with --dim or --input-shape "
            "(archlint.toml: budget[0].regression.macs)",
            id="base-partly-unknown",
        ),
    ],
)  # fmt: skip
def test_a_regression_is_told(limit: str, beside: Change | None, message: str | None) -> None:
    """Where there is something to regress from; what cannot be judged is a warning."""
    found = told(f"regression = {{ macs = {limit} }}", replace(MODEL, change=beside))
    level = WARNING if message and "judged" in message else ERROR
    assert found == ([] if message is None else [("ARC906", level, message)])


def test_a_head_that_is_partly_unknown_can_regress() -> None:
    """What is known of it is enough."""
    after = replace(totals(HEAD), unknown=3)
    beside = Change("main", Difference(totals(1_000_000_000), after, 9))
    ((_, level, message),) = told('regression.macs = "+2%"', replace(MODEL, change=beside))
    assert level is ERROR
    assert message.startswith("1,000,000,000 → at least 1,582,671,872 MACs against main: +58.3 %")


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        pytest.param('regression = { macs = "+0", params = "+0" }', [ERROR, ERROR], id="default"),
        pytest.param(
            'level = "warning"\nregression = { macs = "+0", params = "+0" }',
            [WARNING, WARNING], id="of-the-table",
        ),
        pytest.param(
            'regression = { macs = "+0", params = { max = "+0", level = "error" }, '
            'level = "warning" }', [WARNING, ERROR], id="of-each",
        ),
    ],
)  # fmt: skip
def test_levels_go_inwards(text: str, levels: list[Severity]) -> None:
    """The nearest counts."""
    then = replace(totals(1), parameters=1)
    beside = Change("main", Difference(then, totals(2), 9))
    assert [level for _, level, _ in told(text, replace(MODEL, change=beside))] == levels


@pytest.mark.parametrize(
    ("beside", "state", "before"),
    [
        pytest.param(None, None, None, id="no-base"),
        pytest.param(Change(), State.NEW, None, id="new-model"),
        pytest.param(Change("main"), State.UNCHANGED, None, id="same-file"),
        pytest.param(change(500_000_000), State.NEW, None, id="was-kept"),
        pytest.param(change(700_000_000), State.WORSE, 700_000_000, id="was-broken"),
        pytest.param(change(HEAD), State.UNCHANGED, HEAD, id="was-the-same"),
        pytest.param(change(2 * HEAD), State.UNCHANGED, 2 * HEAD, id="was-dearer"),
        pytest.param(change(None), State.NEW, None, id="was-unknown"),
    ],
)
def test_a_budget_that_was_broken_before_is_not_of_this_change(
    beside: Change | None, state: State | None, before: int | None
) -> None:
    """Unless the model has grown since."""
    (finding,) = broken(replace(MODEL, change=beside), budgets('macs = "600M"'))
    assert (finding.state, finding.before) == (state, before)


@pytest.mark.parametrize(
    ("shapes", "unknown", "message"),
    [
        pytest.param([(1, 3)], 0, None, id="static"),
        pytest.param([(1, "n")], 0, "the shape of 'x0' is not static, and", id="dim"),
        pytest.param([(1, 3), None], 0, "the shape of 'x1' is not static, and", id="rank"),
        pytest.param(
            [("n",), None], 0, "the shapes of 'x0' and 1 more are not static, and", id="2"
        ),
        pytest.param([(1, 3)], 2, "the shape of 2 values within it is not static", id="within"),
    ],
)
def test_static_shapes_can_be_wanted(
    shapes: list[tuple[int | str, ...] | None], unknown: int, message: str | None
) -> None:
    """Of inputs, outputs, and all between them."""
    values = tuple(ValueReport(f"x{i}", shape) for i, shape in enumerate(shapes))
    report = replace(MODEL, inputs=values[:1], outputs=values[1:], peak_unknown=unknown)
    found = told("require-static-shapes = true", report)
    if message is None:
        assert found == []
    else:
        ((_, level, said),) = found
        assert level is ERROR
        assert said.startswith(message)
        assert said.endswith("(archlint.toml: budget[0].require-static-shapes)")


def took(low: float, middle: float, high: float, *, quiet: bool = True) -> ModelReport:
    return replace(MODEL, latencies=(LatencyReport("cpu, 1 thread", middle, low, high, quiet),))


@pytest.mark.parametrize(
    ("report", "level", "message"),
    [
        pytest.param(
            took(14.5, 15, 15.5), ERROR,
            "a run takes 15.0 ms on cpu, 1 thread, 95 % interval 14.5 ms to 15.5 ms: 25.0 % over "
            "its budget of 12ms (archlint.toml: budget[0].latency)",
            id="above",
        ),
        pytest.param(took(11.5, 12.4, 13), None, None, id="not-for-certain"),
        pytest.param(took(10, 11, 11.5), None, None, id="below"),
        pytest.param(
            took(30, 31, 32, quiet=False), Severity.NOTE,
            "its budget of 12ms a run cannot be judged: a run took 31.0 ms on cpu, 1 thread, and "
            "other programs took part of the machine (archlint.toml: budget[0].latency)",
            id="disturbed",
        ),
    ],
)  # fmt: skip
def test_latency_is_judged_where_it_was_measured_in_quiet(
    report: ModelReport, level: Severity | None, message: str | None
) -> None:
    """A noise breaks nothing: the whole interval must lie above."""
    found = told('latency = "12ms"', report)
    assert found == ([] if message is None else [("ARC905", level, message)])
    assert limits_latency(budgets('latency = "12ms"'))
    assert not limits_latency(budgets('macs = "12M"'))


def latency(cores: float, *, threads: int = 1, disturbed: int = 0, host: bool = True) -> Latency:
    provider = Provider("cpu" if host else "cuda", "P", host=host)
    return Latency(
        provider, threads, Effort(threads).clock(provider), "1.0",
        Spread(2e6, Interval(1.9e6, 2.1e6), 1.8e6, 2.2e6), 10, disturbed, 2e6, cores, {}, 0,
        synthetic=False, profile=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("measured", "quiet"),
    [
        pytest.param(latency(0.99), True, id="alone"),
        pytest.param(latency(0.5), False, id="half-a-core"),
        pytest.param(latency(3.9, threads=4, disturbed=5), True, id="half-of-the-runs"),
        pytest.param(latency(2.0, threads=4, disturbed=10), False, id="all-runs"),
        pytest.param(latency(0.1, host=False), True, id="device"),
        pytest.param(
            replace(latency(0.1, host=False), spread=Spread(2e6, Interval(1e6, 3e6), 1e6, 3e6)),
            False, id="device-that-scatters",
        ),
    ],
)  # fmt: skip
def test_a_machine_is_quiet_where_nothing_else_ran(measured: Latency, quiet: bool) -> None:
    """By the cores that the runs kept; of a device by how close its times are."""
    assert is_quiet(measured) == quiet
    told_of = latency_report(measured)
    assert (told_of.milliseconds, told_of.low, told_of.high) == (2.0, *measured_interval(measured))
    assert told_of.label.endswith("threads" if measured.threads > 1 else "1 thread")


def measured_interval(measured: Latency) -> tuple[float, float]:
    interval = measured.spread.interval
    return interval.low / 1e6, interval.high / 1e6


def test_a_model_is_measured_on_each_provider() -> None:
    """One that fails to run is a failure, and the others are measured."""
    examined = examine(str(SAMPLE), configure(isolated=True).counted(str(SAMPLE)))
    assert examined.model is not None
    assert examined.analysis is not None
    cpu = Provider("cpu", "CPUExecutionProvider", host=True)
    absent = Provider("none", "NoExecutionProvider")
    failures: list[Any] = []
    watch = Stopwatch((cpu, absent), Effort(budget=0.05))
    (latency,) = measured_latencies(examined.analysis, examined.model, watch, failures)
    found = latency_report(latency)
    assert 0 < found.low <= found.milliseconds <= found.high
    assert found.label == "cpu, 1 thread"
    (failure,) = failures
    assert failure.path == str(SAMPLE)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param('mac = "6M"', "budget[0]: there is no key 'mac'; did you mean 'macs'", id="k"),
        pytest.param('path = "*"', 'budget[0]: limits nothing, as macs = "600M" does', id="none"),
        pytest.param("require-static-shapes = false", "limits nothing", id="static-false"),
        pytest.param('macs = "600m"', "budget[0].macs: there is no unit 'm'", id="unit"),
        pytest.param('macs = "much"', "budget[0].macs: 'much' is no amount", id="amount"),
        pytest.param("macs = -1", "budget[0].macs: must be between 0", id="negative"),
        pytest.param("macs = true", "budget[0].macs: must be a number", id="truth"),
        pytest.param('macs = { level = "error" }', "budget[0].macs: says no max", id="no-max"),
        pytest.param('macs = { max = "x" }', "budget[0].macs.max: 'x' is no amount", id="max"),
        pytest.param("macs = { max = 1, top = 2 }", "budget[0].macs: there is no key", id="t"),
        pytest.param('macs = 1\nlevel = "note"', "budget[0].level: there is no 'note'", id="level"),
        pytest.param(
            'regression = { latency = "+2%" }', "budget[0].regression: there is no key 'latency'",
            id="regression-of-latency",
        ),
        pytest.param('regression.macs = "-2%"', "budget[0].regression.macs: '-2%'", id="shrink"),
        pytest.param('regression = "+2%"', "budget[0].regression: must be a table", id="no-table"),
        pytest.param('macs = 1\npath = ""', "budget[0].path: must not be empty", id="path"),
    ],
)  # fmt: skip
def test_a_wrong_budget_is_told(text: str, why: str) -> None:
    """With the file and the key."""
    document = tomllib.loads(f"[[budget]]\n{text}")
    with pytest.raises(ConfigError) as error:
        read_settings(Place("archlint.toml", "/p", rules=all_rules()), document)
    assert error.value.source == "archlint.toml"
    assert why in error.value.why
    assert "limits nothing" in why or not SCHEMA.is_valid(document)


def test_config_shows_budgets(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are written."""
    monkeypatch.chdir(tmp_path)
    text = '[[budget]]\npath = "m/*"\nmacs = { max = "600M", level = "warning" }\nparams = 5e6\n'
    Path("archlint.toml").write_text(text)
    shown = run("config", "budget").out
    assert shown.count("archlint.toml") == 1
    document = tomllib.loads(shown)
    assert document["budget"] == tomllib.loads(text)["budget"]


def sample_report(tmp_path: Path, text: str) -> list[FindingReport]:
    """The budgets that the sample breaks with a configuration."""
    (tmp_path / "m.onnx").write_bytes(SAMPLE.read_bytes())
    (tmp_path / "archlint.toml").write_text(text)
    configuration = configure()
    path = str(tmp_path / "m.onnx")
    analysis = examine(path, configuration.counted(path)).analysis
    assert analysis is not None
    (found,) = with_budgets(Report("", (reported(analysis),)), configuration).models
    return list(found.findings)


def test_a_model_is_judged_by_its_configuration(tmp_path: Path) -> None:
    """The 5×5 convolution from 192 to 32 channels at 28×28 has 28·28·192·32·5·5 = 120,422,400
    MACs and 192·32·5·5 + 32 parameters."""
    limits = '[[budget]]\nmacs = "100M"\nparams = 153632\n'
    (finding,) = sample_report(tmp_path, limits)
    assert finding.message.startswith(
        "model costs 120,422,400 MACs, 20.4 % over its budget of 100M"
    )
    assert finding.evidence == {"quantity": "macs", "found": 120_422_400, "limit": "100M"}
    assert sample_report(tmp_path, f'ignore = ["ARC905"]\n{limits}') == []
    assert sample_report(tmp_path, "") == []


def test_a_remark_is_recognised_by_what_it_is_about() -> None:
    """Its numbers may differ."""
    one, other, third = (
        remark_report(OverBudget, ERROR, message, about=about).identity
        for message, about in (("1", "macs"), ("2", "macs"), ("1", "params"))
    )
    assert one == other != third
