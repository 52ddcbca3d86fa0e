"""The workers of a dask cluster, which see the files that this process sees."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from archlint.analyzer.errors import ConfigError
from archlint.executors import Errand, Tasks, Told, run_over

_PATIENCE = 10  # seconds in which a scheduler must answer


def on_dask(address: str, errand: Errand, tasks: Tasks, told: Told) -> None:
    """Have the tasks done by the workers of a dask cluster, which does again what was under way on
    one that dies; a task that keeps killing workers is a failure.

    Raises ConfigError where there is no cluster.
    """
    source = f"--executor dask={address}"
    try:
        dask: Any = import_module("distributed")  # without types
    except ImportError as error:
        why = "needs dask.distributed; install it with: pip install 'archlint[dask]'"
        raise ConfigError(source, why) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # one line tells what is wrong
    try:
        client = dask.Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ConfigError(source, f"no scheduler answers: {error}") from error
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise ConfigError(source, "the cluster has no workers; start one with: dask worker")
        executor = client.get_executor(pure=False)
        if run_over(executor, errand, tasks, 2 * threads + 2, told, (dask.KilledWorker,)):
            raise ConfigError(source, "the scheduler has gone, and with it what was under way")
