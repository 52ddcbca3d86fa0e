"""What no drawing may have: text that covers other text, leaves its box or the drawing, is too
small, or has too little contrast with the mark it stands on (axe does not look into SVG)."""

from __future__ import annotations

LEAST_CONTRAST = 4.5
"""That of WCAG 2.2, success criterion 1.4.3."""

PLACES = """(least) => {
  const shown = value => JSON.stringify(value.trim().slice(0, 40));
  return [...document.querySelectorAll('svg')].flatMap(svg => {
    const frame = svg.getBoundingClientRect();
    if (!frame.width) return [];
    const name = svg.getAttribute('aria-label') || '';
    const scale = frame.width / (svg.viewBox.baseVal.width || frame.width);
    const rects = [...svg.querySelectorAll('rect')].map(one => one.getBoundingClientRect());
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
      const x = (one.left + one.right) / 2, y = (one.top + one.bottom) / 2;
      const box = rects
        .filter(r => r.left <= x && x <= r.right && r.top <= y && y <= r.bottom)
        .sort((r, other) => r.width * r.height - other.width * other.height)[0] || frame;
      if (one.size < least - 0.05) wrong.push(`${one.size.toFixed(1)} px: ${shown(one.text)}`);
      if (one.left < frame.left - 1 || one.right > frame.right + 1 || one.top < frame.top - 1
          || one.bottom > frame.bottom + 1) wrong.push(`outside of it: ${shown(one.text)}`);
      else if (one.left < box.left - 1 || one.right > box.right + 1)
        wrong.push(`wider than its box: ${shown(one.text)}`);
      for (const other of texts.slice(place + 1)) {
        if (other.left >= one.right) break;
        if (other.top < one.bottom && one.top < other.bottom)
          wrong.push(`${shown(one.text)} over ${shown(other.text)}`);
      }
    });
    return wrong.map(what => `${name}: ${what}`);
  });
}"""
CONTRAST = """(least) => {
  const parts = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const luminance = colour => {
    const [r, g, b] = colour.map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const over = (top, alpha, ground) =>
    ground.map((part, at) => alpha * top[at] + (1 - alpha) * part);
  const behind = element => {
    for (let up = element; up; up = up.parentElement) {
      const colour = parts(getComputedStyle(up).backgroundColor);
      if ((colour[3] ?? 1) === 1) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const covers = (mark, x, y) => {
    const box = mark.box;
    if (x < box.left || x > box.right || y < box.top || y > box.bottom) return false;
    if (mark.element.tagName === 'rect') return true;
    const point = new DOMPoint(x, y).matrixTransform(mark.element.getScreenCTM().inverse());
    return mark.element.isPointInFill(point);
  };
  return [...document.querySelectorAll('svg')].flatMap(svg => {
    if (!svg.getBoundingClientRect().width) return [];
    const page = behind(svg.parentElement), marks = [], wrong = [];
    for (const element of svg.querySelectorAll('rect, circle, path, polygon, text, tspan')) {
      const style = getComputedStyle(element), fill = parts(style.fill);
      const alpha = (fill[3] ?? 1) * style.fillOpacity * style.opacity;
      const box = element.getBoundingClientRect();
      if (style.fill === 'none' || !box.width) continue;
      if (!['text', 'tspan'].includes(element.tagName)) marks.push({element, fill, alpha, box});
      else if (element.textContent.trim() && !element.querySelector('tspan')) {
        const y = (box.top + box.bottom) / 2;
        const ratios = [0.05, 0.5, 0.95].map(share => {
          const x = box.left + share * box.width;
          const ground = marks.filter(mark => covers(mark, x, y))
            .reduce((under, mark) => over(mark.fill, mark.alpha, under), page);
          const pair = [ground, over(fill, alpha, ground)].map(luminance);
          return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
        });
        const ratio = Math.min(...ratios);
        if (ratio < least) wrong.push(`${svg.getAttribute('aria-label') || ''}: contrast `
          + `${ratio.toFixed(1)}: ${JSON.stringify(element.textContent.trim().slice(0, 40))}`);
      }
    }
    return wrong;
  });
}"""
