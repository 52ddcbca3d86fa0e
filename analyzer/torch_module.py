"""A small graph as the source of a PyTorch module, with the state that it starts from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from archlint.analyzer.constants import Constants
from archlint.analyzer.errors import ConfigError
from archlint.analyzer.graph import Graph, Node
from archlint.analyzer.text import paragraph, safe
from archlint.analyzer.torch_expressions import expression_of, written
from archlint.analyzer.torch_layers import Weight
from archlint.analyzer.torch_operators import module_of

CLASS: Final = "Replacement"
_WIDTH = 84  # columns of a docstring
_CLASS_NAME = re.compile(r"nn\.([A-Za-z]+)")
_NEUTRAL = {"Mul": "ones", "Div": "ones", "Pow": "ones"}  # what leaves the other operand as it is
_IMPORTS = (
    ("Path(", "from pathlib import Path\n"),
    ("np.", "import numpy as np\n"),
    ("torch.", "import torch\n"),
    ("nn.", "from torch import Tensor, nn\n"),
    ("F.", "from torch.nn import functional as F\n"),
)
_LOADER = f'''

def pretrained() -> {CLASS}:
    """The module with the weights in the file beside this one."""
    module = {CLASS}()
    with np.load(Path(__file__).with_suffix(".npz"), allow_pickle=False) as start:
        state = {{name: torch.from_numpy(start[name]) for name in start.files}}
    module.load_state_dict(state)
    return module
'''


@dataclass(frozen=True, slots=True)
class Module:
    """The lines of a module's ``__init__`` and ``forward``, and what its weights are."""

    layers: tuple[str, ...]
    steps: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weights: tuple[Weight, ...]

    def source(self, told: Sequence[str], *, has_start: bool) -> str:
        """The file; ``told`` are the paragraphs of the docstring, with names of models in them.

        One that has a start ends with what loads it.
        """
        arguments = "".join(f", {name}: Tensor" for name in self.inputs)
        results = f"tuple[{', '.join(['Tensor'] * len(self.outputs))}]"
        result = "Tensor" if len(self.outputs) == 1 else results
        lines = [
            f"class {CLASS}(nn.Module):",
            *_docstring(told),
            "",
            "    def __init__(self) -> None:",
            "        super().__init__()",
            *(f"        {line}" for line in self.layers),
            "",
            f"    def forward(self{arguments}) -> {result}:",
            *(f"        {line}" for line in self.steps),
            f"        return {', '.join(self.outputs)}",
        ]
        body = "\n".join(lines) + "\n" + (_LOADER if has_start else "")
        return f"{_imports(self, has_start=has_start)}\n\n{body}"

    def state(self, constants: Constants) -> Mapping[str, NDArray[Any]]:
        """The entries of the module's state, in single precision, as are its parameters; raises
        ModelReadError for weights that cannot be had."""
        return {
            one.key: np.array(one.turn(constants(one.value)), np.float32, order="C")
            for one in self.weights
        }


def torch_module(graph: Graph) -> Module:
    """The module of a graph; raises ConfigError for an operator that cannot be written."""
    writer = _Writer(graph)
    for node in graph.operators():
        writer.add(node)
    return Module(
        layers=tuple(writer.layers),
        steps=tuple(writer.steps),
        inputs=tuple(writer.inputs),
        outputs=tuple(writer.text(name) for name in graph.outputs),
        weights=tuple(writer.weights),
    )


@dataclass
class _Writer:
    """What is written so far; ``names`` are the texts of values by their names in the graph."""

    graph: Graph
    names: dict[str, str] = field(default_factory=dict)
    layers: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        many = len(self.graph.inputs) > 1
        for place, name in enumerate(self.graph.inputs, 1):
            self.names[name] = f"x{place}" if many else "x"

    @property
    def inputs(self) -> list[str]:
        """The arguments of ``forward``."""
        return [self.names[name] for name in self.graph.inputs]

    def add(self, node: Node) -> None:
        """Write a node."""
        operands = [self.text(node.input(0)) if node.inputs else ""]
        layer = module_of(self.graph, node)
        if layer is None:
            operands += (self.text(name, node) for name in node.inputs[1:] if name)
            text = expression_of(self.graph, node, operands)
            if text is None or len(node.outputs) > 1:
                raise _unwritable(node)
        else:
            text = operands[0]
            for place, module in enumerate(layer.modules, 1):
                last = place == len(layer.modules)
                text = f"{self._layer(module, layer.weights if last else ())}({text})"
        output = f"y{len(self.steps) + 1}"
        self.steps.append(f"{output} = {text}")
        self.names[node.output(0)] = output

    def text(self, name: str, reader: Node | None = None) -> str:
        """A value as it is written: a variable, a number, or a parameter of the module; empty for
        a constant that is none of these, such as a shape."""
        if name not in self.names:
            value = self.graph.value(name)
            data = value.data if self.graph.producer(name) is None else None
            if data is not None and data.size == 1:
                return written(data.reshape(-1)[0])
            if not value.is_float:
                return ""
            self.names[name] = self._parameter(name, reader)
        return self.names[name]

    def _parameter(self, name: str, reader: Node | None) -> str:
        shape = self.graph.value(name).static_shape
        if shape is None:
            raise ConfigError("sketch", f"the shape of the weight '{safe(name)}' is unknown")
        start = _NEUTRAL.get("" if reader is None else reader.operator, "zeros")
        key = self._numbered("weight")
        self.layers.append(f"self.{key} = nn.Parameter(torch.{start}({shape}))")
        self.weights.append(Weight(key, name))
        return f"self.{key}"

    def _layer(self, module: str, weights: Sequence[Weight]) -> str:
        found = _CLASS_NAME.match(module)
        key = self._numbered(found[1].lower() if found else "layer")
        self.layers.append(f"self.{key} = {module}")
        self.weights += (Weight(f"{key}.{one.key}", one.value, one.turn) for one in weights)
        return f"self.{key}"

    def _numbered(self, kind: str) -> str:
        self.numbers[kind] += 1
        return f"{kind}{self.numbers[kind]}"


def _unwritable(node: Node) -> ConfigError:
    where = f"{safe(node.operator, 80)} node '{safe(node.label, 80)}'"
    why = f"what is proposed holds the {where}, which cannot be written as PyTorch"
    return ConfigError("sketch", why)


def _docstring(told: Sequence[str]) -> Iterator[str]:
    """Its lines; nothing in a name ends it or is an escape."""
    harmless = [safe(one, 600).replace("\\", "\\\\").replace('"', "'") for one in told]
    first, *others = (paragraph(one, _WIDTH) for one in harmless)
    lines = [f'"""{first[0]}', *first[1:]]
    for other in others:
        lines += ("", *other)
    yield from (f"    {line}".rstrip() for line in (*lines, '"""'))


def _imports(module: Module, *, has_start: bool) -> str:
    text = "\n".join((*module.layers, *module.steps, "nn.", _LOADER if has_start else ""))
    needed = [line for word, line in _IMPORTS if re.search(rf"(?<![\w.]){re.escape(word)}", text)]
    standard = [line for line in needed if "pathlib" in line]
    others = [line for line in needed if "pathlib" not in line]
    return "".join((*standard, *(["\n"] if standard else []), *others))
