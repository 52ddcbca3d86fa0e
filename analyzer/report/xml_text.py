"""XML 1.0 as text."""

from __future__ import annotations

from xml.etree import ElementTree as ET


def document(root: ET.Element) -> str:
    """A whole document, one element a line. Texts must be of characters that XML allows, as those
    are that ``safe`` gives."""
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'
