"""pytest's fixture ``archlint_model``: what a model costs and what is found in it, as assertions.

pytest loads this at every start, in every project: it imports nothing of archlint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from archlint.checked_model import CheckedModel


@pytest.fixture(scope="session")
def archlint_model(pytestconfig: pytest.Config) -> Callable[..., CheckedModel]:
    """A model by its path, to be held to what it may cost and to have no findings.

    As in ``archlint_model("m.onnx").within(macs="600M").clean()``. Paths and settings are those
    of the command ``archlint check`` in pytest's root folder.
    """

    def checked(
        path: str | os.PathLike[str],
        *,
        config: str | os.PathLike[str] | None = None,
        dims: dict[str, int] | None = None,
    ) -> CheckedModel:
        from archlint.checked_model import CheckedModel  # late: few tests of a session ask for it

        return CheckedModel(path, pytestconfig.rootpath, config=config, dims=dims or {})

    return checked
