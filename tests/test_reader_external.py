"""External data is looked at and never opened; what could be opened by mistake is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from onnx import AttributeProto, ModelProto, TensorProto, helper

from archlint.analyzer.errors import ModelReadError
from archlint.analyzer.problem import ProblemKind
from archlint.analyzer.reader import Model, read
from archlint.analyzer.reader.external import refuse_unsafe

UNSAFE, BROKEN = ProblemKind.UNSAFE_EXTERNAL_DATA, ProblemKind.BROKEN_EXTERNAL_DATA
SIZE = 2 * 3 * 4  # bytes of the tensor


def external(name: str = "w", **entries: str) -> TensorProto:
    """A tensor of 2 × 3 floats in another file."""
    tensor = TensorProto(
        name=name, data_type=TensorProto.FLOAT, dims=[2, 3], data_location=TensorProto.EXTERNAL
    )
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def model_with(folder: Path, *tensors: TensorProto) -> Model:
    """A model of these initializers in this folder."""
    path = folder / "m.onnx"
    model = helper.make_model(helper.make_graph([], "g", [], [], tensors))
    path.write_bytes(model.SerializeToString())
    return read(str(path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a model, with a file of weights and with what lies outside it."""
    inside = tmp_path / "model"
    (inside / "sub").mkdir(parents=True)
    (inside / "w.bin").write_bytes(bytes(SIZE))
    (inside / "sub" / "w.bin").write_bytes(bytes(100))
    (tmp_path / "secret").write_bytes(bytes(SIZE))
    return inside


FITTING = {
    "whole-file": {"location": "w.bin"},
    "span": {"location": "sub/w.bin", "offset": "76", "length": "24"},
    "no-length": {"location": "sub/w.bin", "offset": "8"},
    "no-offset": {"location": "sub/w.bin", "length": "24"},
    "here": {"location": "./sub/../w.bin"},
    "other-keys": {"location": "w.bin", "checksum": "no", "basepath": "/etc", "new": "?"},
}


@pytest.mark.parametrize("case", FITTING)
def test_external_data_that_fits_is_no_problem(case: str, folder: Path) -> None:
    """Its files count, wherever in the folder they are."""
    model = model_with(folder, external(**FITTING[case]))
    assert model.problems == ()
    assert model.external_bytes == (100 if "sub/w" in FITTING[case]["location"] else SIZE)
    refuse_unsafe(model)


BREAKS: dict[str, tuple[dict[str, str], str]] = {
    "missing": ({"location": "v.bin"}, "'v.bin': the file is missing"),
    "below-a-file": ({"location": "w.bin/v"}, "the file is missing"),
    "offset-text": ({"location": "w.bin", "offset": "four"}, "'four' is no number of bytes"),
    "offset-negative": ({"location": "w.bin", "offset": "-4"}, "'-4' is no number"),
    "length-text": ({"location": "w.bin", "length": "1e3"}, "'1e3' is no number"),
    "length-other-digits": ({"location": "w.bin", "length": "٢٤"}, "is no number"),
    "length-huge": ({"location": "w.bin", "length": "9" * 5000}, "is no number"),
    "length-short": ({"location": "w.bin", "length": "23"}, "said to take 23 bytes where .* 24"),
    "length-long": ({"location": "sub/w.bin", "length": "25"}, r"\[2, 3\] of FLOAT take 24"),
    "past-the-end": ({"location": "w.bin", "offset": "1"}, "ends at byte 25 of a file of 24"),
    "offset-past-the-end": ({"location": "w.bin", "offset": "9" * 15}, "of a file of 24 bytes"),
    "nul": ({"location": "w\0.bin"}, r"'w\\x00\.bin': the file cannot be looked up"),
    "name-too-long": ({"location": "w" * 500}, "the file cannot be looked up"),
    "path-too-long": ({"location": "w" * 5000}, "no path is as long"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_external_data_that_is_not_there_is_a_problem(case: str, folder: Path) -> None:
    """It names the tensor, the file and what is wrong, and is no danger."""
    entries, why = BREAKS[case]
    model = model_with(folder, external(**entries))
    (problem,) = model.problems
    assert problem.kind == BROKEN
    assert problem.message.startswith("tensor 'w': its external data '")
    assert re.search(why, problem.message)
    refuse_unsafe(model)


def link(place: Path) -> str:
    """A symbolic link to a file beside it."""
    place.symlink_to("w.bin")
    return place.name


def link_out(place: Path) -> str:
    """A symbolic link to a file outside."""
    place.symlink_to("../secret")
    return place.name


def broken_link(place: Path) -> str:
    """A symbolic link to nothing."""
    place.symlink_to("nothing")
    return place.name


def folder_out(place: Path) -> str:
    """A file in a folder that is a symbolic link to one outside."""
    place.symlink_to("..")
    return f"{place.name}/secret"


def folder_out_and_back(place: Path) -> str:
    """A path that is inside only if links are not followed."""
    place.symlink_to("/etc/ssl")
    return f"{place.name}/../passwd"


def folder_link_loop(place: Path) -> str:
    """A folder that is a symbolic link to itself."""
    place.symlink_to(place)
    return f"{place.name}/w"


def hard_link(place: Path) -> str:
    """A second name of a file outside."""
    place.hardlink_to(place.parent.parent / "secret")
    return place.name


def pipe(place: Path) -> str:
    """A FIFO that nobody writes to."""
    os.mkfifo(place)
    return place.name


def absolute(place: Path) -> str:
    """The whole path of a good file."""
    return str(place.parent / "w.bin")


DANGERS: dict[str, tuple[Callable[[Path], str | None], str]] = {
    "no-location": (lambda _: None, "its external data names no file"),
    "empty-location": (lambda _: "", "its external data names no file"),
    "absolute": (absolute, "is an absolute path"),
    "absolute-device": (lambda _: "/dev/zero", "'/dev/zero' is an absolute path"),
    "absolute-windows": (lambda _: r"C:\w.bin", "is an absolute path"),
    "absolute-share": (lambda _: r"\\host\share\w.bin", "is an absolute path"),
    "above": (lambda _: "../secret", "'../secret' is outside the model's folder"),
    "above-within": (lambda _: "sub/../../secret", "is outside the model's folder"),
    "above-windows": (lambda _: r"sub\..\..\secret", "is outside the model's folder"),
    "above-itself": (lambda _: "..", "is outside the model's folder"),
    "link": (link, "is a symbolic link"),
    "link-out": (link_out, "is a symbolic link"),
    "broken-link": (broken_link, "is a symbolic link"),
    "folder-out": (folder_out, "is outside the model's folder, behind a symbolic link"),
    "folder-out-and-back": (folder_out_and_back, "behind a symbolic link"),
    "hard-link": (hard_link, "is a hard link"),
    "fifo": (pipe, "is no regular file"),
    "folder": (lambda _: "sub", "is no regular file"),
    "the-folder": (lambda _: ".", "is no regular file"),
}


@pytest.mark.parametrize("case", DANGERS)
def test_external_data_that_leaves_the_folder_is_unsafe(case: str, folder: Path) -> None:
    """It is told in the problems, and an error before anything opens it."""
    make, why = DANGERS[case]
    location = make(folder / "link")
    model = model_with(folder, external(**({} if location is None else {"location": location})))
    (problem,) = model.problems
    assert problem.kind == UNSAFE
    assert why in problem.message
    assert model.external_bytes == 0
    with pytest.raises(ModelReadError, match=r"m\.onnx: tensor 'w': its .*; put "):
        refuse_unsafe(model)


def test_a_loop_of_links_is_no_file(folder: Path) -> None:
    """It leads nowhere."""
    (problem,) = model_with(folder, external(location=folder_link_loop(folder / "a"))).problems
    assert problem.kind in (UNSAFE, BROKEN)


def test_a_linked_folder_that_stays_inside_is_safe(folder: Path) -> None:
    """Where it leads is what counts."""
    (folder / "link").symlink_to("sub")
    assert model_with(folder, external(location="link/w.bin", length="24")).problems == ()


def test_the_folder_may_itself_be_a_link(folder: Path, tmp_path: Path) -> None:
    """What the user names is trusted."""
    model_with(folder, external(location="w.bin"))
    (tmp_path / "alias").symlink_to(folder)
    assert read(str(tmp_path / "alias" / "m.onnx")).problems == ()


def test_a_model_in_the_working_directory(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its path names no folder."""
    model_with(folder, external(location="w.bin"), external(location="../secret"))
    monkeypatch.chdir(folder)
    model = read("m.onnx")
    assert [problem.kind for problem in model.problems] == [UNSAFE]
    assert model.external_bytes == SIZE


def test_many_tensors_make_one_problem_of_a_file(folder: Path) -> None:
    """And each file counts once."""
    missing = [external(f"a{place}", location="a.bin") for place in range(12)]
    good = [external(location="w.bin"), external(location="./w.bin")]
    model = model_with(folder, *missing, *good, external("b", location="b.bin"))
    assert [problem.message for problem in model.problems] == [
        "12 tensors, the first 'a0': its external data 'a.bin': the file is missing",
        "tensor 'b': its external data 'b.bin': the file is missing",
    ]
    assert model.external_bytes == SIZE


def test_a_mistyped_attribute_hides_no_danger(folder: Path) -> None:
    """onnx opens the data of a tensor in any attribute."""
    model = ModelProto()
    attribute = AttributeProto(name="a", type=AttributeProto.INT, t=external(location="/dev/zero"))
    model.graph.node.add(op_type="Op", attribute=[attribute])
    with pytest.raises(ModelReadError, match="/dev/zero"):
        refuse_unsafe(Model(str(folder / "m.onnx"), model, 0))


def test_files_are_looked_at_anew(folder: Path) -> None:
    """What has become a link since the model was read is refused."""
    model = model_with(folder, external(location="w.bin"))
    refuse_unsafe(model)
    (folder / "w.bin").unlink()
    (folder / "w.bin").symlink_to("../secret")
    with pytest.raises(ModelReadError, match="is a symbolic link"):
        refuse_unsafe(model)


def test_nothing_is_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the model itself."""
    path = folder / "m.onnx"
    model_with(folder, external(location="w.bin"))
    found: list[str] = []
    system_open = os.open

    def noting(name: str, flags: int) -> int:
        found.append(name)
        return system_open(name, flags)

    monkeypatch.setattr(os, "open", noting)
    read(str(path))
    assert found == [str(path)]
