"""The child process: one job from standard input, in its limits, answered in JSON."""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from typing import Any

from archlint.analyzer.runtime.limits import Limits

# What allocators write when they fail, in exceptions and before an abort.
OUT_OF_MEMORY = ("bad_alloc", "Failed to allocate memory", "MemoryError")


def main() -> None:
    """Run the job and answer on what was standard output."""
    request = json.loads(sys.stdin.buffer.readline())
    answer = os.dup(1)
    os.dup2(2, 1)  # what native code prints must not mix with the answer
    Limits(**request["limits"]).enforce()
    threading.Thread(target=_leave_with_the_parent, daemon=True).start()
    with os.fdopen(answer, "wb") as stream:
        stream.write(json.dumps(_reply(request)).encode())
    os._exit(0)  # finalizers of native code have nothing more to say, and could crash


def _reply(request: dict[str, Any]) -> dict[str, Any]:
    module, _, function = request["job"].partition(":")
    job = getattr(importlib.import_module(module), function)
    try:
        return {"value": job(**request["arguments"])}
    except MemoryError:
        return {"memory": "out of memory"}
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent tells it
        text = str(error) or type(error).__name__
        return {"memory" if any(mark in text for mark in OUT_OF_MEMORY) else "error": text}


def _leave_with_the_parent() -> None:
    """End this process once standard input is closed: the parent is gone."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
