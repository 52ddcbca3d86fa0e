"""What brings an execution provider that is not here or does not work, as commands to type."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from archlint.analyzer.timing.known import Known, Way
from archlint.analyzer.timing.probing import DRIVERS

_SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}
_BUILDS = "https://onnxruntime.ai/docs/build/eps.html"
_NO_DRIVER = "this takes NVIDIA's driver, which no package brings, and its GPU"
_CUDA = ("libcu", "libnv", "cu", "nv")  # beginnings of names of CUDA's libraries
_TENSORRT = ("libnvinfer", "libnvonnxparser", "nvinfer", "nvonnxparser")


@dataclass(frozen=True, slots=True)
class Remedy:
    """Commands in their order, and what to know before they are typed."""

    commands: tuple[str, ...] = ()
    remark: str = ""

    def __str__(self) -> str:
        """In one line; nothing where there is no remedy."""
        parts = [f"run: {' && '.join(self.commands)}" if self.commands else "", self.remark]
        return "; ".join(filter(None, parts))


NOTHING = Remedy()


def to_install(known: Known, packages: Sequence[str], *, driver: bool) -> Remedy:
    """How to get a provider that onnxruntime does not have, in place of ``packages``.

    A build of onnxruntime with other providers cannot be installed beside it: their files are the
    same. A plugin can.
    """
    if known.package is None:
        return Remedy(remark=f"no package brings it: build onnxruntime with it, see {_BUILDS}")
    if known.systems and sys.platform not in known.systems:
        systems = " and ".join(_SYSTEMS[system] for system in known.systems)
        return Remedy(remark=f"{known.package} brings it on {systems} only")
    install = _install(known.package)
    if known.way is Way.PLUGIN:
        return Remedy((install,))
    remarks = []
    if _is_nvidia(known) and not driver:
        remarks.append(_NO_DRIVER)
    if known.module is not None:
        beside = _install(known.module.replace("_", "-"))
        remarks.append(f"or, where its plugin finds a device, beside onnxruntime: {beside}")
    removed = " ".join(packages) or "onnxruntime"
    return Remedy((f"pip uninstall -y {removed}", install), "; ".join(remarks))


def to_load(known: Known | None, missing: Sequence[str], *, driver: bool) -> Remedy:
    """How to get the libraries that are missing, as far as packages have them."""
    if not missing:
        return NOTHING
    commands, remarks = [], []
    tensorrt = [name for name in missing if name.startswith(_TENSORRT)]
    if tensorrt:
        major = tensorrt[0].rpartition(".")[2]
        commands.append(_install(f"tensorrt=={major}.*" if major.isdecimal() else "tensorrt"))
        remarks.append("put the folder tensorrt_libs of that package on LD_LIBRARY_PATH")
    cuda = [n for n in missing if n.startswith(_CUDA) and n not in (*tensorrt, *DRIVERS)]
    if cuda and known is not None and known.package is not None:
        commands.append(_install(known.package))
    if set(DRIVERS) & set(missing) or (_is_nvidia(known) and not driver):
        remarks.append(_NO_DRIVER)
    return Remedy(tuple(commands), "; ".join(remarks))


def _is_nvidia(known: Known | None) -> bool:
    return known is not None and known.device == "cuda"


def _install(package: str) -> str:
    """Quoted where a shell would read the brackets or the star."""
    return f"pip install {shlex.quote(package)}"
