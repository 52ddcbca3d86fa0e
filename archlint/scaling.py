"""Let dims of models vary: check their names, and count at sizes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from archlint.analyzer.analysis import Analyses
from archlint.analyzer.cost import CostTable, count
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.growth import Sizes
from archlint.analyzer.inputs import Bindings, dim_labels, dim_names
from archlint.analyzer.load import load
from archlint.analyzer.reader import Model, read
from archlint.analyzer.report.scaling import Scaled
from archlint.analyzer.scaling import MOST_DIMS, scaling
from archlint.analyzer.text import nearest
from archlint.config import Chosen
from archlint.configuration import Configuration
from archlint.pipeline import lint_model


def scale_models(
    report: Analyses,
    options: Sequence[str],
    configuration: Configuration,
    progress: Callable[[str], None] = lambda _path: None,
) -> list[Scaled]:
    """How the models of a report grow with the dims that ``options`` name, separated by commas.

    ``progress`` is called with each path before its turn. Raises ConfigError for a dim that no
    model has, for one that is bound already, and for more than ``MOST_DIMS``.
    """
    names = tuple(dict.fromkeys(n for o in options for n in map(str.strip, o.split(",")) if n))
    if not 0 < len(names) <= MOST_DIMS:
        why = f"name one to {MOST_DIMS} dims, as in --scaling batch,seq"
        raise ConfigError(f"--scaling {','.join(names)}", why)
    if any(model.path == "-" for model in report.models):
        raise ConfigError("-", "it is read once, but --scaling counts a model often; name a file")
    models = [read(model.path) for model in report.models]
    for name in names if models else ():
        _check(name, models, configuration)
    scaled = []
    for model in models:
        progress(model.path)
        scaled.append(scale_model(model, names, configuration.chosen(model.path).bindings))
    return scaled


def _check(name: str, models: Sequence[Model], configuration: Configuration) -> None:
    """Raise ConfigError for a dim that cannot vary."""
    source = f"--scaling {name}"
    bound = configuration.bindings.dims
    if name in bound:
        raise ConfigError(source, f"--dim {name}={bound[name]} binds it; leave one out")
    known = {label for model in models for label in _open_dims(model)}
    if name not in known:
        listed = ", ".join(sorted(known)) or "none"
        near = nearest(name, known) or f"; its dims without a number are: {listed}"
        raise ConfigError(source, f"no model has the dim '{name}'{near}")
    named = any(name in dim_names(model.proto.graph) for model in models)
    if not named and not any(name in _shaped_dims(m, configuration) for m in models):
        shape = f"--input-shape {name.partition('[')[0]}=…"
        raise ConfigError(source, f"a dim without a name needs the sizes beside it; add {shape}")


def _open_dims(model: Model) -> set[str]:
    """The labels of all dims of the inputs that are no numbers."""
    return {label for info in model.proto.graph.input for label in dim_labels(info) if label}


def _shaped_dims(model: Model, configuration: Configuration) -> set[str]:
    """Those of the inputs whose shapes are given."""
    shapes = configuration.chosen(model.path).bindings.shapes
    given = (info for info in model.proto.graph.input if info.name in shapes)
    return {label for info in given for label in dim_labels(info)}


def scale_model(model: Model, names: Sequence[str], bindings: Bindings) -> Scaled:
    """How a model grows with those of the dims that it has."""
    own = tuple(name for name in names if name in _open_dims(model))

    def bound(sizes: Sizes) -> Bindings:
        return _bound(model, bindings, dict(zip(own, sizes, strict=True)))

    def measure(sizes: Sizes) -> CostTable:
        return count(load(model, bound(sizes)))

    found = scaling(len(own), measure)
    return Scaled(own, found, lint_model(model, Chosen(bindings=bound(found.samples[-1].sizes))))


def _bound(model: Model, bindings: Bindings, sizes: Mapping[str, int]) -> Bindings:
    """The bindings with these sizes, which also stand in place of what given shapes say."""
    shapes = dict(bindings.shapes)
    for info in model.proto.graph.input:
        labels = dim_labels(info)
        if info.name in shapes and labels:
            dims = zip(labels, shapes[info.name], strict=True)
            shapes[info.name] = tuple(sizes.get(label, size) for label, size in dims)
    named = dim_names(model.proto.graph)
    varied = {name: size for name, size in sizes.items() if name in named}
    return Bindings({**bindings.dims, **varied}, shapes)
