"""Pictures as a browser sees them: marks have what the groups around them have."""

from __future__ import annotations

from xml.etree import ElementTree as ET

_OWN = {"transform"}  # what a group has for itself


def marks(svg: str) -> ET.Element:
    """The picture, each mark with the attributes of the groups around it that it has not itself.

    For presentation attributes that is how SVG 2 (section 6.5) inherits; for a class the rules of
    the page's style are of inherited properties alone.
    """
    root = ET.fromstring(svg)  # noqa: S314 - the renderer wrote it
    _give(root, {})
    return root


def _give(element: ET.Element, around: dict[str, str]) -> None:
    if not element.tag.endswith(("}svg", "}title", "}style")):
        for key, value in around.items():
            element.attrib.setdefault(key, value)
    own = element.tag.endswith("}g")
    given = (
        {key: element.attrib[key] for key in element.attrib if key not in _OWN} if own else around
    )
    for child in element:
        _give(child, given)
