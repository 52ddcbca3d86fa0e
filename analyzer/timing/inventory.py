"""Which execution providers work here: proven, each in a process of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from typing import Any

from archlint.analyzer.builder import GraphBuilder
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model
from archlint.analyzer.runtime.child import Failure, run_job
from archlint.analyzer.runtime.limits import Limits
from archlint.analyzer.runtime.messages import plain
from archlint.analyzer.timing import probing
from archlint.analyzer.timing.effort import DEVICE_MEMORY
from archlint.analyzer.timing.harness import CPU
from archlint.analyzer.timing.known import KNOWN, Known, find
from archlint.analyzer.timing.part import part
from archlint.analyzer.timing.prediction.cache import Stored, stored
from archlint.analyzer.timing.providers import Provider, parse_providers
from archlint.analyzer.timing.remedies import NOTHING, Remedy, to_install, to_load
from archlint.analyzer.timing.subject import Subject

# A device reserves address space as it likes, and TensorRT takes its time for the smallest model.
_LIMITS = Limits(cpu_seconds=300, wall_seconds=150, memory_bytes=DEVICE_MEMORY)


class State(StrEnum):
    """What a provider does when it is asked for."""

    WORKS = "takes nodes"
    PARTLY = "takes some nodes"
    FALLS_BACK = "leaves all to the CPU"
    FAILS = "fails"
    ABSENT = "not here"


@dataclass(frozen=True, slots=True)
class Runtime:
    """onnxruntime here: its version and build, the packages that its files are from, the providers
    that it names, whether they work or not, and whether NVIDIA's driver is here."""

    version: str
    build: str
    packages: tuple[str, ...]
    providers: tuple[str, ...]
    driver: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A provider and what it was seen to do: ``kernels`` of small models by the provider that ran
    them; why it does no more, which libraries are missing, and what would help."""

    provider: Provider
    state: State
    kernels: Mapping[str, int]
    devices: tuple[str, ...] = ()
    why: str = ""
    missing: tuple[str, ...] = ()
    remedy: Remedy = NOTHING

    @property
    def works(self) -> bool:
        """Whether it takes at least some nodes."""
        return self.state in (State.WORKS, State.PARTLY)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What there is to run models on, what other packages would bring, by its short name, and what
    is known of the speed of the machine."""

    runtime: Runtime
    standings: tuple[Standing, ...]
    others: Mapping[str, Remedy]
    profile: Stored


def take_inventory(asked: Sequence[str] = ()) -> Inventory:
    """The providers of ``--ep``, or all that onnxruntime and the plugins beside it name.

    Raises ConfigError for a provider that does not exist, and where onnxruntime does not start.
    """
    runtime = look_up()
    providers = parse_providers(asked) if asked else _present(runtime)
    standings = tuple(standing(provider, runtime) for provider in providers)
    others = {} if asked else _others(runtime, standings)
    return Inventory(runtime, standings, others, stored())


def require(providers: Iterable[Provider]) -> None:
    """Raise ConfigError, with what would help, for the first provider that takes no node here.

    That of the CPU is always there.
    """
    others = [provider for provider in providers if provider.full_name != CPU]
    if not others:
        return
    runtime = look_up()
    for provider in others:
        found = standing(provider, runtime)
        if not found.works:
            said = "; ".join(filter(None, (found.why, str(found.remedy))))
            raise ConfigError(f"--ep {provider.label}", said)


def look_up() -> Runtime:
    """What onnxruntime is here; raises ConfigError where it does not start."""
    outcome = run_job(probing.describe, {}, limits=_LIMITS)
    if isinstance(outcome, Failure):
        raise ConfigError("onnxruntime", f"does not start: {plain(outcome.why)}")
    found = outcome.value
    return Runtime(
        version=found["version"],
        build=found["build"],
        packages=tuple(sorted(set(packages_distributions().get("onnxruntime", ())))),
        providers=tuple(found["providers"]),
        driver=found["driver"],
    )


def standing(provider: Provider, runtime: Runtime) -> Standing:
    """What a provider does with two small models, in a child process that it may crash."""
    known = find(provider.full_name)
    if provider.library is None and provider.full_name not in runtime.providers:
        why = f"onnxruntime {runtime.version} has no {provider.full_name} here"
        lacking = NOTHING
        if known is not None:
            lacking = to_install(known, runtime.packages, driver=runtime.driver)
        return Standing(provider, State.ABSENT, {}, why=why, remedy=lacking)
    models = _models()
    subjects = {name: one.as_json(f"{number}.onnx") for number, (name, one) in enumerate(models)}
    files = {f"{number}.onnx": one.model for number, (_, one) in enumerate(models)}
    arguments = {"subjects": subjects, "setup": asdict(provider.setup(synthetic=True))}
    outcome = run_job(probing.probe, arguments, files, _LIMITS)
    if isinstance(outcome, Failure):
        why = f"the process that tried {provider.full_name} {plain(outcome.why)}"
        return Standing(provider, State.FAILS, {}, why=why)
    return _judged(provider, known, outcome.value, driver=runtime.driver)


def _judged(
    provider: Provider, known: Known | None, found: Mapping[str, Any], *, driver: bool
) -> Standing:
    tries = found["tries"]
    kernels: Counter[str] = Counter()
    for one in tries.values():
        kernels.update(one["kernels"])
    own = kernels[provider.full_name]
    faults = _faults({name: one["why"] for name, one in tries.items() if one["why"]}, len(tries))
    missing = tuple(found["missing"])
    if own:
        state = State.PARTLY if faults or own < kernels.total() else State.WORKS
        why = faults[0] if faults else ""
    elif faults:
        state, why = State.FAILS, faults[0]
        if missing:
            why = f"{provider.full_name} cannot be loaded: {', '.join(missing)} missing"
    else:
        state = State.FALLS_BACK
        why = f"{provider.full_name} takes no node of small models ({', '.join(tries)})"
    return Standing(
        provider, state, dict(sorted(kernels.items())), tuple(found["devices"]), why, missing,
        to_load(known, missing, driver=driver),
    )  # fmt: skip


def _faults(said: Mapping[str, str], tried: int) -> list[str]:
    """Why models failed: each with its name, unless all did for the same reason."""
    reasons = {name: plain(why) for name, why in said.items()}
    if len(reasons) == tried and len(set(reasons.values())) == 1:
        return list(reasons.values())[:1]
    return [f"{name}: {why}" for name, why in reasons.items()]


def _present(runtime: Runtime) -> tuple[Provider, ...]:
    """Those that onnxruntime names, and those of the plugins that are installed beside it."""
    names = [name for name in runtime.providers if find(name) is not None]
    plugins = [known for known in KNOWN if known.module and find_spec(known.module) is not None]
    names += [known.full_name for known in plugins if known.full_name not in names]
    return tuple(sorted(parse_providers(names), key=lambda provider: provider.name))


def _others(runtime: Runtime, standings: Iterable[Standing]) -> dict[str, Remedy]:
    """The providers that packages for this system would bring."""
    here = {one.provider.full_name for one in standings}
    found = {
        known.names[0]: to_install(known, runtime.packages, driver=runtime.driver)
        for known in KNOWN
        if known.full_name not in here
    }
    return {name: remedy for name, remedy in sorted(found.items()) if remedy.commands}


def _models() -> list[tuple[str, Subject]]:
    """Two small models: what takes no convolution may still take a product of matrices."""
    convolution = GraphBuilder("probe")
    x = convolution.input("x", (1, 16, 16, 16))
    convolution.output(convolution.relu(convolution.conv(x, 16, 3)))
    product = GraphBuilder("probe")
    x = product.input("x", (16, 64))
    y = product.node("MatMul", x, product.weight("w", (64, 64)))
    product.output(product.node("Add", y, product.weight("b", (64,), fan_in=64)))
    return [("Conv", _subject(convolution)), ("MatMul", _subject(product))]


def _subject(builder: GraphBuilder) -> Subject:
    graph = load(Model("probe", builder.model(), 0))
    return part("probe", graph, tuple(graph.operators()), graph.inputs, graph.outputs)
