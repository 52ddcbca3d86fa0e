"""What every row of work measures with: the models, the environments, the commands."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import Command, Usage, interleaved, process
from peers import Peer, environment

HERE = Path(__file__).parent
PYTHON = sys.executable
ARCHLINT = Path(sysconfig.get_path("scripts")) / "archlint"


@dataclass(frozen=True, slots=True)
class Bench:
    """One measurement: the folder that it works in, its rounds, and whether it may ask peers."""

    folder: Path
    rounds: int
    with_peers: bool

    def path(self, name: str) -> Path:
        """Where a model of models.py is, once it is built."""
        return self.folder / f"{name}.onnx"

    def model(self, name: str) -> Path:
        """The file of a model of models.py, built where the folder has none.

        A process of its own builds it, as its memory would show in what this one starts. Raises
        RuntimeError where that fails.
        """
        path = self.path(name)
        if path.exists():
            return path
        with TemporaryDirectory(dir=self.folder) as unfinished:
            _say(f"building {name}")
            built = Path(unfinished) / path.name
            if process([PYTHON, HERE / "models.py", name, built]) is None:
                raise RuntimeError(f"python benchmarks/models.py {name} FILE fails")
            for file in sorted(Path(unfinished).iterdir()):
                file.rename(self.folder / file.name)
        return path

    def size(self, name: str) -> int:
        """Bytes of a model with its external data."""
        path = self.model(name)
        data = path.with_suffix(".data")
        return path.stat().st_size + (data.stat().st_size if data.exists() else 0)

    def interpreter(self, peer: Peer) -> Path | None:
        """The interpreter of a peer's environment; None where peers are left out or it fails."""
        if not self.with_peers:
            return None
        _say(f"installing {peer.requirement}")
        return environment(peer, self.folder)

    def whole(self, commands: Mapping[str, Command]) -> dict[str, list[Usage]]:
        """The uses of whole processes."""
        return self._taken(commands, None)

    def above_imports(self, commands: Mapping[str, Command]) -> dict[str, list[Usage]]:
        """The uses that commands made by ``inside`` tell of themselves."""
        return self._taken(commands, self.folder / "answer.json")

    def _taken(
        self, commands: Mapping[str, Command], answer: Path | None
    ) -> dict[str, list[Usage]]:
        """The uses, with a word on stderr of what runs and of what fails."""
        _say(f"measuring {', '.join(commands)}")
        uses = interleaved(commands, self.rounds, answer)
        for name, taken in uses.items():
            if not taken:
                _say(f"{name} fails on {commands[name][-1]}")
        return uses


def cost(bench: Bench, name: str) -> Command:
    """The command that counts a model."""
    return [ARCHLINT, "cost", bench.model(name)]


def inside(work: str, path: Path, python: str | Path = PYTHON) -> Command:
    """The command that does one of the works of inside.py."""
    return [python, HERE / "inside.py", work, path]


def can_export() -> bool:
    """Whether this environment can export a model of transformers."""
    return all(find_spec(name) is not None for name in ("torch", "transformers"))


def available_memory() -> int:
    """Bytes that processes could take now without swapping, by proc(5)'s meminfo."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
