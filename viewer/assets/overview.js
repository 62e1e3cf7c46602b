// All columns, by group, with what they hold.

import { h, spark, throttle, afterSeen } from "./dom.js";
import { get } from "./api.js";
import { vault, link, onChange } from "./vault.js";
import { count, bytes, many, brief, said } from "./format.js";

const AT_ONCE = 24;

// How tall a row is at least, in pixels, so that the rows that fill the window
// are drawn first, and how many are drawn in each later step, between which the
// former are seen.
const ROW = 33, STEP = 250;

/** The two ends of a column in few letters: times of different days are days. */
function ends(kind, low, high) {
  if (kind !== "time") return [short(low), short(high)];
  const a = brief(low), b = brief(high);
  return a.slice(0, 10) === b.slice(0, 10) ? [a, b] : [a.slice(0, 10), b.slice(0, 10)];
}

/** A value that the server has written, in few letters if it is a number. */
const short = (text) => (/^-?\d+\.\d{4,}$/.test(text) ? String(Number(Number(text).toPrecision(5))) : text);

export function overview() {
  const rows = new Map(), wanted = new Set();
  let busy = false, gone = false, stop = () => {};
  const abort = new AbortController();
  const box = h("div", { class: "groups" });
  const find = h("input", { type: "search", placeholder: "Find a column  ( / )", "aria-label": "Find a column", oninput: () => sift() });
  const about = h("p", { class: "soft" });
  const element = h("div", {}, h("div", { class: "head" }, h("h1", { tabindex: -1 }, "Columns"), about, h("div", { class: "tools" }, find)), box);

  // Only what is seen is summarized.
  const seen = new IntersectionObserver((entries) => {
    for (const e of entries) {
      const row = rows.get(e.target.dataset.name);
      if (!row) continue;
      row.seen = e.isIntersecting;
      if (e.isIntersecting && row.old) wanted.add(row.column.name);
    }
    summarize();
  }, { rootMargin: "300px" });

  async function summarize() {
    if (busy || gone || !wanted.size) return;
    busy = true;
    const names = [...wanted].slice(0, AT_ONCE);
    for (const name of names) wanted.delete(name);
    try {
      for (const s of await get("summaries", { column: names }, abort.signal)) rows.get(s.column)?.put(s);
    } catch { /* the numbers stay as they are, and the notice of the page says why */ }
    busy = false;
    summarize();
  }

  function line(column) {
    const cell = (cls, text) => h("td", { class: cls }, text);
    const len = cell("num"), size = cell("num optional"), missing = cell("num optional"), low = cell("num value optional"), high = cell("num value optional"), mean = cell("num optional"), graph = cell("");
    const type = [column.dtype, column.meaning].filter(Boolean).join(" ");
    const tr = h("tr", { "data-name": column.name }, h("td", { class: "name", title: said(column.name) },
      column.note ? said(column.field) : h("a", { href: link("column", { c: column.name }) }, said(column.field))), h("td", { class: "type", title: type }, type), len, size, missing, low, high, mean, graph);
    const row = {
      tr, column, old: !column.note, seen: false,
      lengths() {
        len.textContent = count(row.column.len);
        if (row.column.bytes >= 0) size.textContent = bytes(row.column.bytes);
      },
      put(s) {
        row.old = false;
        const guess = (td, text, whole = text, exact = s.exact) => { td.textContent = text; td.classList.toggle("about", !exact); td.title = !whole || exact ? whole || "" : `${whole}, of a sample of ${count(s.looked)} positions`; };
        if (s.bytes >= 0) size.textContent = bytes(s.bytes);
        if (s.error) { graph.textContent = s.error; graph.className = "type"; return; }
        const share = s.looked ? s.missing / s.looked : 0;
        guess(missing, s.missing === 0 ? "" : s.exact ? count(s.missing) : `≈ ${(share * 100).toPrecision(2)} %`);
        const [from, to] = ends(column.kind, s.min || "", s.max || "");
        const known = s.exact || s.ends;
        guess(low, (known || !from ? "" : "≈ ") + from, s.min, known);
        guess(high, (known || !to ? "" : "≈ ") + to, s.max, known);
        guess(mean, (s.exact || !s.mean ? "" : "≈ ") + (s.mean ? String(Number(Number(s.mean).toPrecision(5))) : ""));
        graph.replaceChildren(s.spark ? spark(s.spark, `How ${said(column.name)} goes`) : "");
      },
    };
    if (column.note) { graph.textContent = column.note; graph.className = "type"; }
    row.lengths();
    return row;
  }

  /** Draws the list anew. What a screen holds is seen at once, and the rest
   * follows in steps, unless the list was there before and keeps its place. */
  function draw(all) {
    stop();
    seen.disconnect();
    rows.clear();
    box.replaceChildren();
    about.textContent = many(vault.columns.size, "column") + (vault.more ? `, and ${count(vault.more)} more that are not listed` : "");
    const lines = sections();
    const go = (n) => {
      let done = false;
      while (n-- > 0 && !done) done = lines.next().done;
      sift();
      if (!done) stop = afterSeen(() => go(STEP));
    };
    go(all ? Infinity : Math.ceil(innerHeight / ROW));
  }

  /** Adds one row after the other, and what stands around them. */
  function* sections() {
    for (const g of vault.groups) {
      const body = h("tbody", {});
      const good = g.columns.filter((c) => !c.note), longest = g.columns.reduce((n, c) => Math.max(n, c.len), 0);
      const uneven = good.some((c) => c.len !== longest) && g.name !== "";
      const section = h("section", {}, h("div", { class: "head" }, h("h2", {}, said(g.name) || (vault.groups.length > 1 ? "Without a group" : "Columns")),
        h("p", { class: "soft" }, `${many(g.columns.length, "column")}` + (g.name ? `, ${many(longest, "row")}${uneven ? ", of unequal lengths" : ""}` : "")),
        good.length > 0 && h("div", { class: "tools" }, h("a", { href: link("table", g.name ? { g: g.name } : { c: good.slice(0, 12).map((c) => c.name) }) }, "Open as a table"))),
      h("div", { class: "wide" }, h("table", { class: "list fixed" },
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Name"), h("th", { scope: "col" }, "Type"), h("th", { scope: "col", class: "num" }, "Length"), h("th", { scope: "col", class: "num optional" }, "Size"), h("th", { scope: "col", class: "num optional" }, "Missing"),
          h("th", { scope: "col", class: "num optional" }, "Smallest"), h("th", { scope: "col", class: "num optional" }, "Largest"), h("th", { scope: "col", class: "num optional" }, "Mean"), h("th", { scope: "col" }, "How it goes"))), body)));
      section.style.containIntrinsicBlockSize = `auto ${85 + ROW * g.columns.length}px`;
      box.append(section);
      for (const c of g.columns) {
        // A change that comes between two steps is in the vault, and in c no more.
        const now = vault.columns.get(c.name);
        const row = line(c.note || !now || now.note ? c : now);
        body.append(row.tr);
        if (!c.note) {
          rows.set(c.name, row);
          seen.observe(row.tr);
        }
        yield;
      }
    }
    if (vault.keys.length) {
      box.append(h("section", {}, h("div", { class: "head" }, h("h2", {}, "Keys and values")), h("ul", { class: "items" }, vault.keys.map((k) => h("li", {}, h("a", { href: link("keys", { t: k }) }, said(k)))))));
    }
    if (!vault.columns.size && !vault.keys.length) box.append(h("p", { class: "empty" }, "The vault is empty."));
  }

  function sift() {
    const text = find.value.trim().toLowerCase();
    for (const tr of box.querySelectorAll("tbody tr")) tr.hidden = !said(tr.dataset.name).toLowerCase().includes(text);
    for (const s of box.querySelectorAll("section")) s.hidden = text !== "" && !s.querySelector("tbody tr:not([hidden])");
  }

  const again = throttle(1000, () => { for (const r of rows.values()) if (r.old && r.seen) wanted.add(r.column.name); summarize(); });
  const end = onChange((change) => {
    if (change.catalog && [...vault.columns.keys()].join("\n") + vault.keys !== names) { names = [...vault.columns.keys()].join("\n") + vault.keys; return draw(true); }
    for (const r of rows.values()) {
      const now = vault.columns.get(r.column.name);
      if (!now) continue;
      r.column = now;
      r.old = true;
      r.lengths();
    }
    again();
  });
  let names = [...vault.columns.keys()].join("\n") + vault.keys;
  draw();
  return { element, dispose() { gone = true; stop(); abort.abort(); seen.disconnect(); end(); again.stop(); } };
}
