"""Jobs of the child process run in this one: quicker, for models that are trusted."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from archlint.analyzer.runtime.child import Done, Failure, Kind, Outcome
from archlint.analyzer.runtime.limits import Limits


def run_here(
    job: Callable[..., Any],
    arguments: Mapping[str, Any],
    files: Mapping[str, bytes] | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """As ``run_job``, without limits: what goes in and out has been JSON."""
    with TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, content in (files or {}).items():
            Path(name).write_bytes(content)
        try:
            return Done(json.loads(json.dumps(job(**json.loads(json.dumps(arguments))))))
        except Exception as error:  # noqa: BLE001 - as the child does
            return Failure(Kind.ERROR, str(error))
