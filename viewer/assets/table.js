// Several columns side by side, by position.

import { h } from "./dom.js";
import { get } from "./api.js";
import { vault, readable, link, onChange } from "./vault.js";
import { many, said } from "./format.js";
import { Grid } from "./grid.js";
import { openElement } from "./value.js";

const MOST = 64; // columns, as the server has it

export function table(params) {
  const all = readable();
  let names = params.getAll("c");
  if (params.has("g")) names = (vault.groups.find((g) => g.name === params.get("g"))?.columns || []).filter((c) => !c.note).map((c) => c.name);
  names = names.filter((n) => vault.columns.has(n)).slice(0, MOST);
  const chosen = new Set(names.length ? names : (vault.groups.find((g) => g.columns.some((c) => !c.note))?.columns || []).filter((c) => !c.note).slice(0, 8).map((c) => c.name));
  const about = h("p", { class: "soft" }), place = h("div"), at = h("input", { type: "text", inputmode: "numeric", placeholder: "position", "aria-label": "Position", size: 10 });
  let grid = null;

  function draw() {
    grid?.dispose();
    const columns = all.filter((c) => chosen.has(c.name));
    const rows = Math.max(0, ...columns.map((c) => vault.columns.get(c.name)?.len ?? 0));
    about.textContent = many(columns.length, "column") + ", " + many(rows, "row");
    if (!columns.length) return place.replaceChildren(h("p", { class: "empty" }, all.length ? "Choose columns." : "The vault has no columns."));
    const alone = new Set(columns.map((c) => c.group)).size === 1;
    grid = new Grid({
      columns: columns.map((c) => ({ ...c, label: alone ? c.field : c.name })), length: rows, label: "Rows", tall: true,
      load: (from, n, signal) => get("rows", { column: columns.map((c) => c.name), from, count: n }, signal),
      open: (c, position) => openElement(c, position, vault.columns.get(c.name)?.len ?? 0),
    });
    place.replaceChildren(grid.element);
  }

  const pick = h("details", {}, h("summary", {}, "Choose columns"), h("div", { class: "pick" }, all.slice(0, 1000).map((c) => h("label", {}, h("input", {
    type: "checkbox", checked: chosen.has(c.name), onchange() {
      if (this.checked) chosen.add(c.name); else chosen.delete(c.name);
      if (chosen.size > MOST) { chosen.delete(c.name); this.checked = false; return; }
      history.replaceState(null, "", link("table", { c: [...chosen] }));
      draw();
    },
  }), said(c.name)))));
  const go = (e) => {
    e.preventDefault();
    const n = parseInt(at.value.replace(/[,\s#]/g, ""), 10);
    if (grid && !Number.isNaN(n)) grid.show(Math.min(Math.max(0, n < 0 ? grid.length + n : n), Math.max(0, grid.length - 1)));
  };
  const end = onChange(() => {
    if (!grid) return;
    grid.setLength(Math.max(0, ...[...chosen].map((n) => vault.columns.get(n)?.len ?? 0)));
    about.textContent = many(chosen.size, "column") + ", " + many(grid.length, "row");
    grid.stale();
  });
  draw();
  return { title: "Table", element: h("div", {}, h("div", { class: "head" }, h("h1", { tabindex: -1 }, said(params.get("g") || "Table")), about, h("div", { class: "tools" }, h("form", { class: "tools", onsubmit: go }, at, h("button", {}, "Go")))), pick, h("br"), place),
    dispose() { end(); grid?.dispose(); } };
}
