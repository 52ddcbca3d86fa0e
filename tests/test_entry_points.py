"""Entry points are found as importlib.metadata finds them, with less to read."""

from __future__ import annotations

import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from archlint.entry_points import entry_points, package_of
from rule_packages import describe


@pytest.mark.parametrize("group", ["console_scripts", "pytest11", "archlint.no-such-group"])
def test_they_are_those_of_the_standard_library(group: str) -> None:
    """In this environment, where many packages have some."""
    expected = metadata.entry_points(group=group)
    found = {(point.name, point.value) for point in entry_points(group)}
    assert found == {(point.name, point.value) for point in expected}
    assert found or group.startswith("archlint")


def test_they_come_by_name_with_their_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the group alone; another with a longer name is another."""
    describe(tmp_path, "some-package", "group.of-this-test", zeta="z:z", alpha="a")
    describe(tmp_path, "other-package", "group.of-this-test.more", beta="b")
    monkeypatch.syspath_prepend(tmp_path)
    found = entry_points("group.of-this-test")
    assert [(point.name, point.value) for point in found] == [("alpha", "a"), ("zeta", "z:z")]
    assert {package_of(point) for point in found} == {"some-package"}


def test_the_first_of_a_package_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for an import, also where it has no entry points."""
    for folder, package, group in (
        ("first", "some.package", "group.new"),
        ("second", "Some_Package", "group.old"),
    ):
        describe(tmp_path / folder, package, group, point=folder)
        (tmp_path / folder / "note.dist-info").write_text("no folder")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), "", str(tmp_path / "second")])
    assert [point.value for point in entry_points("group.new")] == ["first"]
    assert entry_points("group.old") == []
    monkeypatch.setattr(sys, "path", [str(tmp_path / "missing"), str(tmp_path / "second")])
    assert [point.value for point in entry_points("group.old")] == ["second"]


def test_archives_are_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel on the path is imported from, and offers what it holds."""
    describe(tmp_path, "zipped", "group.zipped", point="z")
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted((tmp_path / "zipped-1.0.0.dist-info").iterdir()):
            file.write(path, path.relative_to(tmp_path))
    monkeypatch.setattr(sys, "path", [str(archive)])
    assert [point.value for point in entry_points("group.zipped")] == ["z"]
