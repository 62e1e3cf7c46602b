// Questions in SQL, and their answers.

import { h, notice, choice } from "./dom.js";
import { get, query, aborted } from "./api.js";
import { link } from "./vault.js";
import { many, short } from "./format.js";
import { putCell } from "./grid.js";

export function sql(params) {
  let abort = new AbortController();
  const end = new AbortController();
  const box = h("textarea", { class: "sql", spellcheck: "false", autocapitalize: "off", "aria-label": "Statement", placeholder: "SELECT …",
    onkeydown(e) { if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); run(); } } });
  box.value = params.get("q") || "";
  const state = h("span", { class: "soft", role: "status" }), out = h("div"), tables = h("div");
  const button = h("button", { type: "button", class: "main", onclick: () => run() }, "Run");
  const element = h("div", {}, h("div", { class: "head" }, h("h1", { tabindex: -1 }, "SQL"), h("p", { class: "soft" }, "SQLite’s SELECT, which only reads")), box,
    h("p", { class: "tools" }, button, h("span", { class: "soft optional" }, "or Ctrl Enter"), state), out, h("section", {}, h("h2", {}, "Tables"), tables));

  async function run() {
    abort.abort();
    const mine = abort = new AbortController();
    if (!box.value.trim()) return;
    history.replaceState(null, "", link("sql", { q: box.value }));
    state.textContent = "running…";
    out.replaceChildren();
    const begun = performance.now();
    try {
      const found = await get("sql", { statement: box.value }, mine.signal);
      state.textContent = `${found.cut ? "the first " : ""}${many(found.rows.length, "row")}, ${short(Number((performance.now() - begun).toPrecision(2)))} ms`;
      show(found);
    } catch (error) {
      if (aborted(error)) return;
      state.textContent = "";
      out.replaceChildren(notice(error));
    }
  }

  function show(found) {
    const place = h("div"), numeric = found.columns.map((_, i) => found.rows.length > 1 && found.rows.every((r) => r[i] === null || (typeof r[i] === "string" && r[i] !== "" && isFinite(r[i]))));
    const draw = (how) => place.replaceChildren(how === "plot" ? chart(found, numeric) : list(found, numeric));
    draw("table");
    out.replaceChildren(h("div", { class: "tools" }, numeric.some(Boolean) && choice("Shown as", [["table", "Table"], ["plot", "Plot"]], "table", draw), h("a", { href: "content/sql.csv" + query({ statement: box.value }), download: "result.csv" }, "Save as CSV")), place);
  }

  (async () => {
    try {
      const found = await get("tables", {}, end.signal);
      tables.replaceChildren(...found.map((t) => h("div", {}, h("p", {}, h("b", {}, t.name), h("span", { class: "soft" }, t.rows >= 0 ? "  " + many(t.rows, "row") : "  keys and values")),
        h("p", { class: "chips" }, t.columns.slice(0, 60).map((c) => h("button", { type: "button", onclick: () => { box.setRangeText(c, box.selectionStart, box.selectionEnd, "end"); box.focus(); } }, c))), h("br"))));
      if (!box.value && found.length) box.value = `SELECT * FROM ${/^[a-z_][a-z0-9_]*$/i.test(found[0].name) ? found[0].name : '"' + found[0].name.replaceAll('"', '""') + '"'} LIMIT 20`;
    } catch (error) {
      if (!aborted(error)) tables.replaceChildren(notice(error));
    }
  })();
  if (box.value) run();
  return { title: "SQL", element, dispose() { abort.abort(); end.abort(); } };
}

function list(found, numeric) {
  if (!found.rows.length) return h("p", { class: "empty" }, "No rows.");
  return h("div", { class: "result", tabindex: 0, role: "region", "aria-label": "Result" }, h("table", { class: "list" }, h("thead", {}, h("tr", {}, found.columns.map((c, i) => h("th", { scope: "col", class: numeric[i] ? "num" : "" }, c)))),
    h("tbody", {}, found.rows.map((r) => h("tr", {}, r.map((v, i) => { const td = h("td", { class: numeric[i] ? "num" : "" }); putCell(td, v); if (v === null) td.textContent = "NULL"; return td; }))))));
}

/** Numbers of an answer over the first column that ascends, or over the rows. */
function chart(found, numeric) {
  const numbers = found.columns.map((name, i) => ({ name, i })).filter(({ i }) => numeric[i]).map(({ name, i }) => ({ name, list: found.rows.map((r) => (r[i] === null ? null : Number(r[i]))) }));
  const ascends = (l) => l.every((v, i) => v !== null && (i === 0 || v > l[i - 1]));
  const first = numbers.length > 1 ? numbers.findIndex((n) => ascends(n.list)) : -1;
  const x = first >= 0 ? numbers.splice(first, 1)[0] : { name: "row", list: found.rows.map((_, i) => i) };
  const style = getComputedStyle(document.documentElement), css = (n) => style.getPropertyValue(n).trim();
  const axis = { stroke: css("--soft"), grid: { stroke: css("--line"), width: 1 }, ticks: { show: false } };
  const colors = [css("--accent"), "#c26b1f", "#7a62cf", "#c2476f", "#4a83c9"];
  const place = h("div", { class: "plot", role: "img", "aria-label": `${numbers.map((n) => n.name).join(", ")} over ${x.name}` });
  requestAnimationFrame(() => new uPlot({ width: Math.max(260, place.clientWidth - 24), height: 320, scales: { x: { time: false } }, axes: [axis, { ...axis, size: 76 }],
    series: [{ label: x.name }, ...numbers.slice(0, 8).map((n, k) => ({ label: n.name, stroke: colors[k % colors.length], width: 1.5 }))] }, [x.list, ...numbers.slice(0, 8).map((n) => n.list)], place));
  return place;
}
