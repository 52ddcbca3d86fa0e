"""What installed packages offer."""

from __future__ import annotations

from pathlib import Path

import pytest

from archlint.entry_points import entry_points, package_of
from rule_packages import describe


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
