"""Do one piece of work in this process, and print as JSON what it used above the imports.

``python inside.py WORK FILE``; what the work imports is imported before the first reading.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

Work = Callable[[str], object]
UNRULED = "Tan"
"""The operator whose rule is forgotten where onnx is to be asked."""


def _costs() -> Work:
    """archlint: from the path to the cost of every node."""
    from archlint.analyzer.cost import count
    from archlint.analyzer.load import load
    from archlint.analyzer.reader import read

    return lambda path: count(load(read(path)))


def _costs_isolated() -> Work:
    """The same, had archlint no shape rule for one operator: it has one for each of onnx."""
    from archlint.analyzer.shapes import fallback as _fallback  # noqa: F401 - loaded late there
    from archlint.analyzer.shapes.context import SHAPE_RULES

    work = _costs()  # which registers the rules
    del SHAPE_RULES[UNRULED]
    return work


def _costs_in_process() -> Work:
    """The same again, but onnx is asked in this process, which a file could crash."""
    from archlint.analyzer.runtime.isolated import Isolated, Refusal
    from archlint.analyzer.shapes import fallback

    class InProcess(Isolated):
        def ask(self, request: bytes) -> bytes | Refusal:
            return self._function(request)

    fallback.Isolated = InProcess  # type: ignore[attr-defined]  # a name that it imports
    return _costs_isolated()


def _table() -> Work:
    """archlint: from the path to the text that ``archlint cost`` prints."""
    from archlint import run
    from archlint.analyzer.choices import By, SortKey
    from archlint.choices import TableFormat
    from archlint.configuration import configure

    configuration = configure(isolated=True)
    shown = By.NODE, SortKey.GRAPH, None, None
    return lambda path: run.costs_text(
        run.analyse([path], configuration), shown, TableFormat.TABLE, None
    )


def _onnx_load() -> Work:
    import onnx

    return onnx.load


def _onnx_infer() -> Work:
    import onnx
    from onnx.shape_inference import infer_shapes

    return lambda path: infer_shapes(onnx.load(path))


def _onnx_ir_load() -> Work:
    work: Work = import_module("onnx_ir").load
    return work


WORKS: dict[str, Callable[[], Work]] = {
    "costs": _costs,
    "costs, isolated": _costs_isolated,
    "costs, in process": _costs_in_process,
    "table": _table,
    "onnx.load": _onnx_load,
    "onnx.load + infer_shapes": _onnx_infer,
    "onnx_ir.load": _onnx_ir_load,
}
"""Each imports what it needs and returns the work on a path."""


def measured(work: Work, path: str) -> dict[str, float | int]:
    """The fields of a Usage for one call; the peak is above what the process held before."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again
    held, before = _memory("VmRSS"), _cpu()
    result = work(path)  # kept to the second reading: the peak is with the result in hand
    used, peak = _cpu() - before, _memory("VmHWM") - held
    del result
    return {"cpu": used, "peak": max(0, peak)}


def _cpu() -> float:
    """Seconds of this process and of the children that it waited for."""
    kinds = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    uses = [resource.getrusage(kind) for kind in kinds]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def _memory(field: str) -> int:
    """Bytes, by a line of proc(5)'s status."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


if __name__ == "__main__":
    print(json.dumps(measured(WORKS[sys.argv[1]](), sys.argv[2])))
