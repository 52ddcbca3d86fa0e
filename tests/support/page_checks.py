"""What no page may have at any width: text that covers other text, leaves its picture or is too
small to read, and a page that is wider than the window. Each check answers what is wrong."""

from __future__ import annotations

from browser import Visit

LEAST_PX = 10

_TEXTS = """(least) => {
  const shown = value => JSON.stringify(value.trim().slice(0, 40));
  return [...document.querySelectorAll('svg')].flatMap(svg => {
    const frame = svg.getBoundingClientRect();
    if (!frame.width) return [];
    const name = svg.getAttribute('aria-label') || '';
    const scale = frame.width / (svg.viewBox.baseVal.width || frame.width);
    const texts = [...svg.querySelectorAll('text')]
      .flatMap(text => text.querySelector('tspan') ? [...text.querySelectorAll('tspan')] : [text])
      .map(text => {
        const box = text.getBoundingClientRect();
        const size = parseFloat(getComputedStyle(text).fontSize) * scale;
        return {text: text.textContent, size, left: box.left + 1, right: box.right - 1,
                top: box.top + box.height / 4, bottom: box.bottom - box.height / 4};
      })
      .filter(one => one.text.trim() && one.right > one.left)
      .sort((one, other) => one.left - other.left);
    const wrong = [];
    texts.forEach((one, place) => {
      if (one.size < least - 0.05) wrong.push(`${one.size.toFixed(1)} px: ${shown(one.text)}`);
      if (one.left < frame.left - 1 || one.right > frame.right + 1 || one.top < frame.top - 1
          || one.bottom > frame.bottom + 1) wrong.push(`outside of it: ${shown(one.text)}`);
      for (const other of texts.slice(place + 1)) {
        if (other.left >= one.right) break;
        if (other.top < one.bottom && one.top < other.bottom)
          wrong.push(`${shown(one.text)} over ${shown(other.text)}`);
      }
    });
    return wrong.map(what => `${name}: ${what}`);
  });
}"""
_SMALL = """(least) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const wrong = [];
  while (walker.nextNode()) {
    const around = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || around.closest('svg, script, style')) continue;
    const size = parseFloat(getComputedStyle(around).fontSize);
    if (size < least) wrong.push(`${size} px: ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return wrong;
}"""
_WIDE = """() => {
  const scrolls = element => {
    for (let up = element.parentElement; up; up = up.parentElement)
      if (getComputedStyle(up).overflowX !== 'visible') return true;
    return false;
  };
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  return [...document.body.querySelectorAll('*')]
    .filter(one => one.getBoundingClientRect().right > room + 1 && !scrolls(one))
    .map(one => `${one.tagName} .${one.className.baseVal ?? one.className}`.toLowerCase())
    .concat(`the page is ${document.documentElement.scrollWidth} px wide`);
}"""
_COVERED = """() => {
  const boxes = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const around = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !around.checkVisibility()) continue;
    if (around.closest('svg, script, style, nav, table')) continue;
    range.selectNodeContents(walker.currentNode);
    for (const box of range.getClientRects())
      if (box.width > 2 && box.height > 2)
        boxes.push({box, text: walker.currentNode.data.trim().slice(0, 40), around});
  }
  boxes.sort((one, other) => one.box.top - other.box.top);
  const wrong = [];
  boxes.forEach((one, place) => {
    for (const other of boxes.slice(place + 1)) {
      if (other.box.top >= one.box.bottom - one.box.height / 3) break;
      if (other.box.left < one.box.right - 1 && one.box.left < other.box.right - 1
          && other.box.bottom - other.box.height / 3 > one.box.top)
        wrong.push(`${JSON.stringify(one.text)} over ${JSON.stringify(other.text)}`);
    }
  });
  return wrong;
}"""


def unfold(seen: Visit) -> None:
    """Open all that is folded."""
    seen.do("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")


def faults(seen: Visit) -> list[str]:
    """All that is wrong with what a page shows."""
    found: list[str] = []
    for script, least in ((_TEXTS, LEAST_PX), (_SMALL, LEAST_PX), (_WIDE, None), (_COVERED, None)):
        found += seen.do(script, least)
    return found
