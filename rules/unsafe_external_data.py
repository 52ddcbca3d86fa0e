"""ARC701: weights outside the model's folder, or in what is no plain file."""

from __future__ import annotations

from dataclasses import dataclass

from archlint.analyzer.finding import Severity
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.rule import Flags, Passes, ProblemRule


@dataclass(frozen=True)
class UnsafeExternalData(ProblemRule):
    """Weights that the model keeps outside its folder, or in what is no plain file.

    Why it matters
        Whoever loads the model opens the path that it names. An absolute path, a path that climbs
        out of the folder, a link, a pipe or a device lets a model read any file of the machine that
        loads it, or hang it. archlint looks at such a path without opening it, and runs no model
        that has one.

    What to do
        Keep external data in regular files beside the model, named by a relative path, and without
        links; onnx.save_model(model, path, save_as_external_data=True) writes them so.

    When not to apply
        For a model of your own in a cache that links its files nothing is wrong with the model: the
        hub of Hugging Face keeps symbolic links to a folder of blobs, and package managers may link
        files to theirs. Download it into a folder of plain files (``local_dir``), for onnx from
        1.21 on refuses links too. onnxruntime 1.24 did so at first and now follows links that stay
        beside the real file of the model.

    Not flagged
        Files in the model's folder or its subfolders.

    Known limits
        It judges the paths at the moment of reading; archlint looks again before it runs a model,
        another program may not. It says that a model could read other files, not that it does or
        that its weights are what they seem. Custom operators and the code of plugins are beyond it.

    References
        ONNX, External Data, 2024, key location of the field external_data.
        ONNX, External Data Security, 2026, section Threat Model.
        CVE-2022-25882 and CVE-2024-27318, directory traversal through external data.
        CVE-2026-27489, symbolic links in external data.
        onnxruntime, issue 27353, 2026, https://github.com/microsoft/onnxruntime/issues/27353
    """

    code = "ARC701"
    name = "unsafe-external-data"
    severity = Severity.ERROR
    about = ProblemKind.UNSAFE_EXTERNAL_DATA
    advice = "keep external data in regular files in the model's folder, and export it again"


_MODEL = """<ir_version: 10, opset_import: ["" : 17]>
agraph (float[1,4] x) => (float[1,4] y) <float[4,4] w = ["location": "LOCATION"]> {
    y = MatMul (x, w)
}"""

CASES = (
    Flags("a path that climbs out", _MODEL.replace("LOCATION", "../weights.bin"), at=""),
    Flags("an absolute path", _MODEL.replace("LOCATION", "/weights.bin"), at=""),
    Passes("a file in the folder, missing or not", _MODEL.replace("LOCATION", "weights.bin")),
    Passes("a folder whose name begins with dots", _MODEL.replace("LOCATION", "..a/weights.bin")),
)
