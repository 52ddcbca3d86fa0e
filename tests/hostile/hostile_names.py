"""Models whose every string is hostile to what prints it."""

from __future__ import annotations

from typing import Any, Final

from onnx import FunctionProto, ModelProto, NodeProto, helper

from hostile_build import Make, chain, info, node, tensor

_HOLE: Final = b"Q"
_LONG: Final = 10_000_000
_LEAST: Final = 16  # bytes, so that the place holder is nowhere else

# What every string of a model becomes, in bytes.
TEXTS: dict[str, bytes] = {
    "script": b"<script>alert('a')</script>",
    "attribute": b"\"' onmouseover=alert(1) x='",
    "ansi": b"\x1b[31mred\x1b[0m\x1b]0;title\x07\x1b[2J",
    "ansi-one-byte": "\x9b31m\x9d0;title\x9c\x90+q\x9c".encode(),
    "newlines": b"a\nb\r\nc\rd\x0be\x0cf\x85g",
    "unicode-newlines": "a\u2028b\u2029c\x85d".encode(),
    "workflow-command": b"::error file=a.py,line=1::pwned%0A::set-output",
    "workflow-command-in-lines": b"a\n::error::pwned\n##[error]pwned\n##vso[task.complete]",
    "azure-command": b"##vso[task.setvariable variable=a]b",
    "percent": b"%0A%0D%25%s%n%x{}{0}{name}$HOME`id`",
    "bidi": "a\u202eb\u2066c\u2069\u200f\u061cd\u202c".encode(),
    "zero-width": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00ad".encode(),
    "nul": b"a\0b\0\0c" + b"\0" * 12,
    "markup": b"[bold red]a[/bold red][link=x]y[/link][/]",
    "backspaces": b"safe\x08\x08\x08\x08evil\x7f\x7f",
    "not-utf8": b"caf\xe9 \xff\xfe\x80 overlong \xc0\xaf",
    "surrogates": b"lone \xed\xa0\x80 and \xed\xbf\xbf halves",
    "tags": "a\U000e0041\U000e0042\ufe0f\U000e0100b".encode(),
    "zalgo": ("a" + "\u0301\u0489\u0488" * 60).encode(),
    "fillers": "\u3164\u115f\u1160\uffa0\u2800\u034f\u180e".encode(),
    "wide": "模型卷积层名称很长".encode() * 4,
    "private": "\ue000\uf8ff\U000f0000\ufffe\uffff\U0010ffff".encode(),
    "spaces": " \t\u00a0\u3000  leading and trailing \u2003 ".encode(),
    "path": b"../../../etc/passwd/../..//a//b/./",
    "csv": b'=cmd|"/c calc"!A0,;"\t@SUM(1)',
    "json": b'","evil":true,"a":"\\u0000\\',
    "markdown": b"| a | `b` | [c](javascript:d) ![e](f) |",
    "only-slashes": b"/" * 40,
    "only-dots": b"." * 40,
    "template": b"{{7*7}}${7*7}<%= 7*7 %>{% raw %}",
}


def named(text: bytes) -> Make:
    """A model whose every string is the text; its length on the wire is that of a place holder."""
    padded = text + b"." * max(0, _LEAST - len(text))
    return lambda: _everywhere(_HOLE.decode() * len(padded)).replace(_HOLE * len(padded), padded)


def _everywhere(hole: str) -> bytes:
    """Every string of a model holds the place holder, and a suffix where strings must differ."""
    wide, out, odd = f"{hole}c", f"{hole}y", f"{hole}z"
    nodes = [
        node("Conv", [f"{hole}x", f"{hole}w"], [wide], pads=[2, 2, 2, 2]),
        node("Add", [wide, wide], [out], **{f"{hole}a": hole}),
        node(f"{hole}o", [out], [odd], f"{hole}d", **{hole: [hole, hole]}),
        node(f"{hole}f", [out], [f"{hole}g"], f"{hole}l"),
        node("Reshape", [out, f"{hole}missing"], [f"{hole}r"]),
    ]
    made = helper.make_graph(
        nodes,
        hole,
        [info(f"{hole}x", [f"{hole}n", 64, 28, 28])],
        [info(out, [f"{hole}m", 64, None, 28]), info(odd, None), info(f"{hole}g", None)],
        [tensor(f"{hole}w", [[[[0.5] * 5] * 5] * 64] * 64)],
        hole,
    )
    function = FunctionProto(name=f"{hole}f", domain=f"{hole}l", input=["a"], output=["b"])
    function.node.extend([node("Relu", ["a"], ["b"])])
    whole = ModelProto(
        ir_version=10, graph=made, functions=[function], producer_name=hole, domain=hole,
        producer_version=hole, doc_string=hole,
    )  # fmt: skip
    for domain, version in (("", 21), (f"{hole}d", 1), (f"{hole}l", 1)):
        whole.opset_import.append(helper.make_operatorsetid(domain, version))
    for thing in (whole, made.node[0], made):
        entry = thing.metadata_props.add()
        entry.key, entry.value = f"{hole}k", hole
    whole.graph.CopyFrom(made)
    return whole.SerializeToString(deterministic=True)


def _relu_with(name: str) -> NodeProto:
    attributes: dict[str, Any] = {name: 1}
    return node("Relu", **attributes)


NAMES: dict[str, Make] = {
    **{f"names-{key}": named(text) for key, text in TEXTS.items()},
    "name-of-10-mb": lambda: chain([node("Relu", ["x"], ["y" * _LONG])], outputs=["y" * _LONG]),
    "operator-of-10-mb": lambda: chain([node("O" * _LONG)]),
    "domain-of-10-mb": lambda: chain([node("Relu", domain="d" * _LONG)]),
    "dim-of-10-mb": lambda: chain([node("Relu")], x=["n" * _LONG, 3]),
    "attribute-of-10-mb": lambda: chain([_relu_with("a" * _LONG)]),
    "scope-of-a-million-parts": lambda: chain([node("Relu", ["x"], ["/a" * 1_000_000])]),
    "scope-dotted": lambda: chain([node("Relu", ["x"], ["a." * 100_000])]),
    "nameless": lambda: chain([node("Relu", ["x"], [""]), node("", ["x"], ["y"])]),
}
