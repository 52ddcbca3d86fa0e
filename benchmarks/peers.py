"""Other counters of ONNX models and other loaders, each in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Peer:
    """A package of PyPI, and the fastest way that its documentation gives to count a model.

    ``count`` is Python that counts ``sys.argv[1]``; ``unbound`` installs the package alone, without
    what it asks of other packages and of Python.
    """

    name: str
    version: str
    count: str = ""
    needs: tuple[str, ...] = ()
    unbound: bool = False

    @property
    def requirement(self) -> str:
        """As pip reads it."""
        return f"{self.name}=={self.version}"


ONNX_TOOL = Peer(
    "onnx-tool",
    "1.0.1",
    # onnx_tool.model_profile but for the printing.
    "import sys, onnx_tool\n"
    "graph = onnx_tool.Model(sys.argv[1]).graph\n"
    "graph.graph_reorder_nodes()\n"
    "graph.shape_infer(None)\n"
    "graph.profile()\n",
)
ONNX_OPCOUNTER = Peer(
    "onnx-opcounter",
    "0.1.0",
    "import sys, onnx\n"
    "from onnx_opcounter import calculate_macs\n"
    "calculate_macs(onnx.load_model(sys.argv[1]))\n",
    needs=("numpy",),
    unbound=True,  # it asks for Python 3.12, which its code does not need
)
ONNXSIM = Peer(
    "onnxsim",
    "0.8.1",
    "import sys, onnx\n"
    "from onnxsim.model_info import ModelInfo\n"
    # Its sizes and counts are the same without the external data, says ModelInfo.__init__.
    "ModelInfo(onnx.load(sys.argv[1], load_external_data=False))\n",
)
COUNTERS = (ONNX_TOOL, ONNX_OPCOUNTER, ONNXSIM)
ONNX_IR = Peer("onnx-ir", "1.1.0")


def environment(peer: Peer, folder: Path) -> Path | None:
    """The interpreter of an environment with the peer and archlint's onnx; None if it fails."""
    home = folder / peer.name
    python = home / "bin" / "python"
    if (finished := home / "finished").exists():
        return python
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    shared = [f"onnx=={version('onnx')}", *peer.needs]
    commands = [[sys.executable, "-m", "venv", "--clear", str(home)]]
    if peer.unbound:
        commands += [
            [*pip, *shared],
            [*pip, "--no-deps", "--ignore-requires-python", peer.requirement],
        ]
    else:
        commands.append([*pip, *shared, peer.requirement])
    for command in commands:
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            return None
    finished.touch()
    return python
