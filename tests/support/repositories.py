"""Real git repositories in temporary folders, with nothing of whoever runs the tests."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from archlint.git import Repository
from archlint.git_models import BaseModels
from archlint.trees import Stored

ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}
OLD = (0, 10**18)  # a time of which git cannot think that it is the index's


def isolate(patch: pytest.MonkeyPatch) -> None:
    """Let git see no settings but those of the repository."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        patch.delenv(name)
    for name, value in ENVIRONMENT.items():
        patch.setenv(name, value)


class Repo:
    """A repository with a working tree."""

    def __init__(self, root: Path, *options: str) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *options)

    def git(self, *arguments: str) -> str:
        """What git prints; raises where it fails."""
        done = subprocess.run(  # the git of the tests' PATH
            ["git", *arguments], cwd=self.root, check=True, capture_output=True  # noqa: S607
        )  # fmt: skip
        return os.fsdecode(done.stdout).strip()

    def write(self, name: str, content: bytes) -> Path:
        """A file of the working tree."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def commit(self, **files: bytes) -> str:
        """The commit of all that is in the working tree, with these files."""
        for name, content in files.items():
            self.write(name, content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "c")
        return self.git("rev-parse", "HEAD")

    def store(self, content: bytes, folder: str = ".git/lfs/objects") -> Path:
        """An object of Git LFS, as its store has it."""
        oid = hashlib.sha256(content).hexdigest()
        return self.write(f"{folder}/{oid[:2]}/{oid[2:4]}/{oid}", content)


def pointer(content: bytes) -> bytes:
    """The pointer to an object; https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md."""
    oid = hashlib.sha256(content).hexdigest()
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n"
    return text.encode()


def model_bytes(width: int, *locations: str, doc: str = "") -> bytes:
    """A product with a weight of ``width`` by 4 floats for each location, which is in that file;
    with one of its own where there are none."""
    weights = []
    for place, location in enumerate(locations):
        weight = TensorProto(name=f"w{place}", data_type=TensorProto.FLOAT, dims=[width, 4])
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value=location)
        weights.append(weight)
    if not locations:
        values = [float(i + 1) for i in range(width * 4)]
        weights.append(helper.make_tensor("w0", TensorProto.FLOAT, [width, 4], values))
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", w.name], [f"y{i}"]) for i, w in enumerate(weights)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, width])],
        [helper.make_tensor_value_info("y0", TensorProto.FLOAT, [1, 4])],
        weights,
        doc_string=doc,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model) if not locations else None
    return model.SerializeToString()


def beside(repo: Repo, revision: str = "main") -> BaseModels:
    """The models of a revision, as a run sees them that begins now."""
    found = Repository.around(str(repo.root))
    assert found is not None
    return BaseModels(found, found.base(revision))


def content(models: BaseModels, path: Path) -> bytes:
    """The content that a model had."""
    with models.materialised(str(path)) as stored:
        assert isinstance(stored, Stored)
        assert os.path.basename(stored.path)  # of the model, whatever holds it
        return Path(stored.path).read_bytes()
