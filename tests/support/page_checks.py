"""What no page may have at any width: text that covers other text, is cut off or is too small to
read, a page that is wider than the window, links without a target. Each check answers what is
wrong."""

from __future__ import annotations

from browser import Visit
from drawing_checks import CONTRAST, LEAST_CONTRAST, PLACES

LEAST_PX = 10

_UNFOLD = """() => {
  document.querySelectorAll('details').forEach(one => { one.open = true; });
  document.querySelectorAll('.map').forEach(one => { one.style.display = 'block'; });
  document.querySelectorAll('table').forEach(one => { one.classList.add('with-fused'); });
  document.querySelectorAll('tr.cut').forEach(one => { one.classList.remove('cut'); });
  document.querySelectorAll('.nodes').forEach(one => { one.style.contentVisibility = 'visible'; });
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
  const boxes = [], wrong = [], cut = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange(), room = document.documentElement.clientWidth;
  const cutting = element => {  // what cuts its text off: null where one can scroll to it
    if (element === document.body) return document.documentElement;
    if (!cut.has(element)) {
      const way = getComputedStyle(element).overflowX;
      cut.set(element, way === 'visible' ? cutting(element.parentElement)
        : way === 'hidden' || way === 'clip' ? element : null);
    }
    return cut.get(element);
  };
  while (walker.nextNode()) {
    const around = walker.currentNode.parentElement;
    const text = JSON.stringify(walker.currentNode.data.trim().slice(0, 40));
    if (text === '""' || !around.checkVisibility()) continue;
    if (around.closest('svg, script, style, select, .skip')) continue;
    const frame = cutting(around);
    const edge = frame === document.documentElement
      ? {left: 0, right: room, top: -scrollY, bottom: Infinity} : frame?.getBoundingClientRect();
    range.selectNodeContents(walker.currentNode);
    for (const box of range.getClientRects()) {
      if (box.width <= 2 || box.height <= 2) continue;
      boxes.push({box, text});
      if (edge && (box.left < edge.left - 1 || box.right > edge.right + 1
          || box.top < edge.top - 1 || box.bottom > edge.bottom + 1))
        wrong.push(`cut off: ${text}`);
    }
  }
  boxes.sort((one, other) => one.box.top - other.box.top);
  boxes.forEach((one, place) => {
    for (let next = place + 1; next < boxes.length; next += 1) {
      const other = boxes[next];
      if (other.box.top >= one.box.bottom - one.box.height / 3) break;
      if (other.box.left < one.box.right - 1 && one.box.left < other.box.right - 1
          && other.box.bottom - other.box.height / 3 > one.box.top)
        wrong.push(`${one.text} over ${other.text}`);
    }
  });
  return wrong;
}"""
_ANCHORS = """() => {
  const wrong = [...document.querySelectorAll('a[href^="#"]')].map(one => one.getAttribute('href'))
    .filter(target => !document.getElementById(target.slice(1)))
    .map(target => `nothing is called ${target}`);
  const seen = new Set();
  for (const {id} of document.querySelectorAll('[id]')) {
    if (seen.has(id)) wrong.push(`two are called #${id}`);
    seen.add(id);
  }
  return wrong;
}"""
_BROUGHT_ALONG = """() => [...document.querySelectorAll('*')].filter(one =>
  ['IMG', 'IFRAME', 'OBJECT', 'EMBED', 'BASE'].includes(one.tagName)
  || [...one.attributes].some(given => given.name.startsWith('on') || given.name === 'style')
  || one.tagName === 'A' && !/^(#|https:)/.test(one.getAttribute('href') || '#')
).map(one => `could run: ${one.outerHTML.slice(0, 200)}`)"""


def unfold(seen: Visit) -> None:
    """Show all that is folded, left for later or one of several to choose from."""
    seen.do(_UNFOLD)


def faults(seen: Visit) -> list[str]:
    """All that is wrong with what a page shows at its present width."""
    found: list[str] = []
    for script, least in ((PLACES, LEAST_PX), (_SMALL, LEAST_PX), (_WIDE, None), (_COVERED, None)):
        found += seen.do(script, least)
    return found


def faint(seen: Visit) -> list[str]:
    """The texts of drawings that are hardly told from what is behind them in the present theme."""
    return list(seen.do(CONTRAST, LEAST_CONTRAST))


def unsafe(seen: Visit) -> list[str]:
    """Links that lead nowhere, anchors that stand twice, and elements that load or run."""
    return [*seen.do(_ANCHORS), *seen.do(_BROUGHT_ALONG)]
