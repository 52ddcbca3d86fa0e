"""Modules of PyTorch: exported as torch exports them, and linted without a file."""

from __future__ import annotations

import io
import logging
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any, Unpack

from onnx import ModelProto, TensorProto

from archlint import arguments
from archlint.analyzer.errors import ModelError
from archlint.analyzer.reader.memory import InMemory
from archlint.analyzer.reader.model import Elements
from archlint.analyzer.reader.structure import is_large
from archlint.analyzer.report import Report
from archlint.analyzer.scopes import NAME_SCOPES, scope_of
from archlint.analyzer.text import safe
from archlint.api import lint
from archlint.arguments import Options

if TYPE_CHECKING:
    import torch  # pyright: ignore[reportMissingImports] - optional

_NEEDED = "lint_torch needs torch and onnxscript; install them with: pip install torch onnxscript"
_REWRITTEN = "pkg.onnxscript.rewriter.rule_name"
_LONGEST = 300  # characters of a reason
_WHERE = "torch.export.export(module, inputs) tells where"
_ONE_AT_A_TIME = RLock()  # streams, warnings and generators are those of all threads


def lint_torch(
    module: torch.nn.Module,
    example_inputs: tuple[Any, ...] | torch.Tensor,
    *,
    kwargs: Mapping[str, Any] | None = None,
    dynamic_shapes: Any = None,
    opset: int | None = None,
    name: str | None = None,
    **options: Unpack[Options],
) -> Report:
    """Lint a module of PyTorch as ``torch.onnx.export(dynamo=True)`` exports it for inference.

    What is linted is the graph that torch writes, after its own optimisation. The module is in
    evaluation mode meanwhile, and each part of it as before afterwards; nothing is written to a
    disk, and weights are not copied as a whole. The nodes of findings name the modules that they
    come from: ``finding.nodes[0].module`` is a name of ``module.named_modules()``, and what nodes
    are called begins with it.

    Parameters
    ----------
    module
        What ``torch.onnx.export`` takes; its weights can be on any device, also on ``meta``.
    example_inputs
        The positional arguments of a call as a tuple, on the device of the weights; a tensor
        stands for the only one. Of tensors only the types and sizes count.
    kwargs
        The keyword arguments of the call.
    dynamic_shapes
        Dims that have no fixed size, as ``torch.export`` has them. Sizes for them are given by
        ``dims``; without, what depends on them is unknown.
    opset
        The version of ONNX's operators; torch's own choice by default.
    name
        What the report calls the model; the name of the module's class by default.
    options
        As of ``lint``.

    Returns
    -------
    Report
        As of ``lint``, with one model.

    Raises
    ------
    ImportError
        torch or onnxscript is missing.
    ModelError
        torch cannot export the module; the one line says why.
    ConfigError
        As of ``lint``.
    TypeError
        The module is none, or there is no such option.

    Examples
    --------
    >>> import archlint, torch  # doctest: +SKIP
    >>> net = torch.nn.Sequential(torch.nn.Conv2d(192, 32, 5, padding=2), torch.nn.ReLU())
    >>> report = archlint.lint_torch(net, torch.randn(1, 192, 28, 28))  # doctest: +SKIP
    >>> report.findings[0].nodes[0].module  # doctest: +SKIP
    '0'

    """
    loaded = _torch()
    if not isinstance(module, loaded.nn.Module):
        raise TypeError(f"module takes a torch.nn.Module, not {type(module).__name__}")
    called = type(module).__name__ if name is None else arguments.path("name", name)
    inputs = example_inputs if isinstance(example_inputs, tuple) else (example_inputs,)
    kept = loaded.random.fork_rng(devices=[])  # a failing export draws from that of the CPU
    with _ONE_AT_A_TIME, _in_evaluation(module), kept, loaded.no_grad(), _quiet():
        try:
            program = loaded.onnx.export(
                module,
                inputs,
                kwargs=None if kwargs is None else dict(kwargs),
                dynamo=True,
                dynamic_shapes=dynamic_shapes,
                opset_version=opset,
                verbose=False,
                optimize=not any(one.is_meta for one in module.parameters()),  # it computes
            )
            exported = _in_memory(program.model)
        except Exception as error:  # noqa: BLE001 - exporters raise what they like
            why = f"torch cannot export it: {_reason(error)}; {_WHERE}"
            raise ModelError(called, why) from None
    names = frozenset(one for one, _ in module.named_modules(remove_duplicate=False))
    _call_by_modules(exported.proto, names)
    return lint(exported, name=called, **options)


def _torch() -> Any:
    """torch, with what its exporter needs."""
    try:
        import_module("onnxscript")  # which the exporter imports, and says less where it is missing
        return import_module("torch")
    except ImportError as error:
        raise ImportError(_NEEDED, name=error.name) from error


@contextmanager
def _in_evaluation(module: torch.nn.Module) -> Iterator[None]:
    """The module in evaluation mode, and then each part of it in the mode that it had."""
    before = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        yield
    finally:
        for part, training in before:
            part.training = training


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing is told: what matters of an export is what it makes, or why it makes nothing."""
    level = logging.root.manager.disable
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(redirect_stderr(io.StringIO()))
        stack.callback(logging.disable, level)
        logging.disable(logging.CRITICAL)
        yield


def _reason(error: BaseException) -> str:
    """The first line of what has caused an error in the end."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return safe(": ".join([type(error).__name__, *lines[:1]]), _LONGEST)


def _in_memory(model: Any) -> InMemory:
    """The exported model, an ``onnx_ir.Model`` of which nobody else knows, without large weights.

    Those that have no numbers, as they are on ``meta``, have none in it either.
    """
    onnx_ir: Any = import_module("onnx_ir")  # without types, as torch is
    elements: dict[str, Elements] = {}
    left: set[str] = set()
    for name, value in model.graph.initializers.items():
        tensor = value.const_value
        if tensor is None:
            continue
        has_numbers = not getattr(getattr(tensor, "raw", None), "is_meta", False)
        if has_numbers and not is_large(tensor.nbytes, int(tensor.dtype)):
            continue
        left.add(name)
        if has_numbers:
            elements[name] = tensor.numpy
        value.const_value = onnx_ir.ExternalTensor(
            "", None, None, tensor.dtype, shape=tensor.shape, name=name
        )
    proto = onnx_ir.to_proto(model)
    for initializer in proto.graph.initializer:
        if initializer.name in left:
            initializer.data_location = TensorProto.DEFAULT
            del initializer.external_data[:]
    return InMemory(proto, elements)


def _call_by_modules(proto: ModelProto, modules: Collection[str]) -> None:
    """Nodes are called as the module that they are, or by it and what tells them from its others.

    A node that the exporter merged from several belongs to the module whose weights it reads: a
    normalisation that is folded into a convolution leaves a convolution with the scope of the
    normalisation.
    """
    nodes = proto.graph.node
    for node in nodes:
        metadata = {entry.key: entry for entry in node.metadata_props}
        if _REWRITTEN in metadata and NAME_SCOPES in metadata:
            owners = (weight.rpartition(".")[0] for weight in node.input[1:])
            if owner := next((one for one in owners if one in modules), ""):
                metadata[NAME_SCOPES].value = repr([owner, node.name])
    owned = [".".join(scope_of(node, {})) for node in nodes]
    counts = Counter(owned)
    around = {module.rpartition(".")[0] for module in modules}
    for node, module in zip(nodes, owned, strict=True):
        if module and module in modules:
            own = node.name.removeprefix("node_")
            is_all = counts[module] == 1 and module not in around
            node.name = module if is_all else f"{module}/{own}"
