"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // Storage and history can be forbidden where the page is shown: then nothing is kept.
  const attempt = (action) => { try { return action(); } catch { return null; } };

  const MOST_ROWS = 200;
  const PAUSE = 120; // milliseconds between keys after which a long table is filtered
  const KEY = "archlint-theme";
  const THEMES = ["system", "light", "dark"];
  const kept = attempt(() => localStorage.getItem(KEY));
  const forced = matchMedia("(forced-colors: active)").matches; // then the system's colours hold
  let theme = THEMES.includes(kept) && !forced ? kept : "system";
  const paint = () => {
    if (theme === "system") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", theme);
  };
  paint(); // before the first frame

  function themes() {
    const button = document.getElementById("theme");
    const show = () => { button.textContent = `Theme: ${theme}`; };
    show();
    button.hidden = forced;
    button.addEventListener("click", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      paint();
      show();
      attempt(() => localStorage.setItem(KEY, theme));
    });
  }

  // What is told of a row in lower case, with an x for every ×, so that 5x5 finds 5×5.
  const plain = (text) => text.toLowerCase().replaceAll("×", "x");

  function nodesTable(section) {
    const table = section.querySelector("table");
    const body = table.tBodies[0];
    const form = section.querySelector("form");
    const output = form.querySelector("output");
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const collator = new Intl.Collator("en", { numeric: true });
    const texts = new Map();
    let order = rows;
    let sorted = 0; // the column, from 1; negative where it falls
    let most = MOST_ROWS; // a browser lays out no more than that between two keys
    let waiting = 0;

    heads.forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const first = head.classList.contains("num") ? -1 : 1;
        sorted = Math.abs(sorted) === place + 1 ? -sorted : first * (place + 1);
        sort();
        filter();
        remember();
      });
    });
    const whole = document.createElement("button");
    whole.type = "button";
    whole.className = "whole";
    section.querySelector(".scroller").after(whole);
    whole.addEventListener("click", () => { most = Infinity; filter(); });

    function value(row, place) {
      const cell = row.cells[place];
      const text = cell.dataset.v ?? cell.textContent;
      if (!heads[place].classList.contains("num") && place) return text;
      return text === "" ? NaN : Number(text.replaceAll(",", ""));
    }

    // What is not known comes last, whichever way.
    function compare(one, other, sign) {
      if (typeof one === "string") {
        return !one - !other || sign * collator.compare(one, other);
      }
      return isNaN(one) - isNaN(other) || sign * (one - other) || 0;
    }

    function sort() {
      const place = Math.abs(sorted) - 1;
      const sign = Math.sign(sorted);
      heads.forEach((head, at) => {
        if (at === place) head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        else head.removeAttribute("aria-sort");
      });
      const keys = rows.map((row, at) => [place < 0 ? at : value(row, place), at, row]);
      if (sorted) keys.sort((one, other) => compare(one[0], other[0], sign) || one[1] - other[1]);
      order = keys.map((entry) => entry[2]);
      body.append(...order);
    }

    function told(row) {
      if (!texts.has(row)) texts.set(row, plain(row.textContent));
      return texts.get(row);
    }

    function filter() {
      const words = plain(form.q.value).split(/\s+/).filter(Boolean);
      const operator = form.op.value;
      const flagged = form.findings?.checked;
      const fused = form.fused?.checked;
      table.classList.toggle("with-fused", Boolean(fused));
      let shown = 0;
      for (const row of order) {
        const fits = words.every((word) => told(row).includes(word))
          && (!operator || row.cells[2].textContent === operator)
          && (!flagged || row.lastElementChild.firstElementChild !== null);
        row.classList.toggle("out", !fits);
        if (fits && (fused || !row.classList.contains("fused"))) shown += 1;
        row.classList.toggle("cut", shown > most);
      }
      whole.hidden = shown <= most;
      whole.textContent = `Show the other ${(shown - most).toLocaleString("en")} nodes`;
      output.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} nodes`;
    }

    function remember() {
      const state = new URLSearchParams();
      if (form.q.value) state.set("q", form.q.value);
      if (form.op.value) state.set("op", form.op.value);
      if (form.findings?.checked) state.set("findings", "1");
      if (form.fused?.checked) state.set("fused", "1");
      if (sorted) state.set("sort", String(sorted));
      const query = state.toString();
      attempt(() => history.replaceState(null, "", `#${section.id}${query ? `?${query}` : ""}`));
    }

    function restore(query) {
      const state = new URLSearchParams(query);
      form.q.value = state.get("q") ?? "";
      form.op.value = state.get("op") ?? "";
      if (form.op.selectedIndex < 0) form.op.value = "";
      if (form.findings) form.findings.checked = state.get("findings") === "1";
      if (form.fused) form.fused.checked = state.get("fused") === "1";
      const wanted = Number(state.get("sort"));
      sorted = Number.isInteger(wanted) && Math.abs(wanted) <= heads.length ? wanted : 0;
      sort();
      filter();
      section.scrollIntoView();
    }

    // A row that is linked to is seen, whatever the filter says.
    function reveal(row) {
      if (row.classList.contains("fused") && form.fused) {
        form.fused.checked = true;
        filter();
      }
      row.classList.remove("out", "cut");
      row.scrollIntoView({ block: "center" });
    }

    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      const show = () => { filter(); remember(); };
      if (rows.length > most) waiting = setTimeout(show, PAUSE);
      else show();
    });
    form.hidden = false;
    filter();
    section.classList.add("short"); // laid out at once, as for a picture of the whole page
    return { section, restore, reveal };
  }

  function arrive(tables) {
    const [target, ...query] = location.hash.slice(1).split("?");
    if (!target) return;
    const element = document.getElementById(target);
    const table = tables.find((one) => one.section.contains(element));
    if (query.length && table) table.restore(query.join("?"));
    else if (element?.tagName === "TR") table?.reveal(element);
  }

  // The tooltip of a mark that leads to a row tells what the row does.
  function tooltips() {
    const told = new WeakSet();
    const tell = ({ target }) => {
      const link = target.closest?.(".drawing a");
      if (!link || told.has(link)) return;
      told.add(link);
      const title = link.querySelector("title");
      const row = document.getElementById(link.getAttribute("href").slice(1));
      const table = row?.closest("table");
      if (!table || title.textContent.includes("\n")) return; // of several rows it tells all
      const [, , ...cells] = row.cells;
      const [, , ...heads] = table.tHead.rows[0].cells;
      const lines = cells.map((cell, place) => {
        const [head, text] = [heads[place], cell.textContent.trim()];
        return text && head.classList.contains("num") ? `${head.textContent}: ${text}` : text;
      });
      title.append(["", ...lines.filter(Boolean)].join("\n"));
    };
    for (const event of ["pointerover", "focusin"]) addEventListener(event, tell);
  }

  // The section that is read is marked in the bar.
  function follow() {
    const links = new Map();
    for (const link of document.querySelectorAll(".bar nav a")) {
      const section = document.getElementById(link.hash.slice(1));
      if (section) links.set(section, link);
    }
    const seen = new Set();
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) seen.add(entry.target);
        else seen.delete(entry.target);
      }
      const current = [...links.keys()].find((section) => seen.has(section));
      for (const [section, link] of links) {
        if (section === current) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
      const bar = document.querySelector(".bar nav");
      const link = links.get(current);
      if (link && bar.scrollWidth > bar.clientWidth) {
        bar.scrollLeft = link.offsetLeft - bar.offsetLeft - (bar.clientWidth - link.offsetWidth) / 2;
      }
    }, { rootMargin: "-25% 0px -70% 0px" });
    for (const section of links.keys()) watch.observe(section);
  }

  // What is folded is printed too, and folded again. Most browsers do it by the style alone.
  function unfold() {
    let folded = [];
    addEventListener("beforeprint", () => {
      folded = [...document.querySelectorAll("details:not([open])")];
      for (const one of folded) one.open = true;
    });
    addEventListener("afterprint", () => {
      for (const one of folded) one.open = false;
      folded = [];
    });
  }

  addEventListener("DOMContentLoaded", () => {
    themes();
    const tables = [...document.querySelectorAll("section.nodes")].map(nodesTable);
    arrive(tables);
    addEventListener("hashchange", () => arrive(tables));
    tooltips();
    follow();
    if (!CSS.supports("selector(details::details-content)")) unfold();
  });
})();
