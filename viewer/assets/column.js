// One column: its plot, how its values are spread, and the values themselves.

import { h, svg, notice, choice, throttle } from "./dom.js";
import { get, aborted } from "./api.js";
import { vault, readable, isNumber, link, onChange } from "./vault.js";
import { count, bytes, many, short, time, brief, isCoded, said } from "./format.js";
import { Plot } from "./plot.js";
import { Grid } from "./grid.js";
import { openElement } from "./value.js";

export function column(params) {
  const name = params.get("c") || "", column = vault.columns.get(name);
  if (!column || column.note) {
    return { title: said(name), element: h("div", {}, h("h1", { tabindex: -1 }, said(name)), h("p", { class: "empty" }, column ? `The column cannot be read: ${column.note}.` : "There is no column with this name.")) };
  }
  const abort = new AbortController(), ends = [() => abort.abort()];
  const length = h("span"), facts = h("dl", { class: "facts", "aria-live": "off" });
  const plots = isNumber(column);
  const element = h("div", {}, h("div", { class: "head" }, h("h1", { tabindex: -1 }, said(name)), h("p", { class: "soft" }, [column.dtype, column.meaning].filter(Boolean).join(" "), " · ", length),
    h("div", { class: "tools" }, h("a", { href: link("table", { c: [name] }) }, "As a table"), !isCoded(name) && document.querySelector('nav a[href="#/sql"]') && h("a", { href: link("sql", { q: question(column) }) }, "Ask in SQL"))), facts);

  const sayLength = () => {
    const c = vault.columns.get(name);
    length.textContent = many(c.len, "element") + (c.bytes >= 0 ? `, ${bytes(c.bytes)}` : "");
  };
  sayLength();

  let plot = null;
  if (plots) {
    const rest = readable().filter((c) => isNumber(c) && c.name !== name);
    const times = rest.filter((c) => c.kind === "time"), others = rest.filter((c) => c.kind !== "time");
    const sameGroup = (c) => c.group === column.group;
    let x = params.get("x") ?? "";
    if (!params.has("x")) x = (times.find((c) => sameGroup(c) && c.len === column.len) || {}).name || "";
    plot = new Plot({ columns: [name], x, style: "line", label: `Plot of ${said(name)}`, length: column.len });
    const option = (c, chosen) => h("option", { value: c.name, selected: c.name === chosen }, said(c.name));
    const over = h("select", { onchange: () => plot.set({ x: over.value }) }, h("option", { value: "" }, "position"), times.length > 0 && h("optgroup", { label: "Times" }, times.map((c) => option(c, x))),
      others.length > 0 && h("optgroup", { label: "Numbers" }, others.slice(0, 300).map((c) => option(c, x))));
    const beside = h("select", { onchange: () => plot.set({ columns: [name, beside.value].filter(Boolean) }) }, h("option", { value: "" }, "nothing"), others.slice(0, 300).map((c) => option(c)));
    const all = h("button", { type: "button", hidden: true, onclick: () => plot.all() }, "Show all");
    plot.onrange = (range) => { all.hidden = !range; };
    element.append(h("section", {}, h("div", { class: "head" }, h("h2", {}, "Plot"), h("div", { class: "tools" }, all, h("label", {}, "over", over), others.length > 0 && h("label", {}, "beside", beside),
      choice("Drawn as", [["line", "Line"], ["points", "Points"]], "line", (style) => plot.set({ style })))), plot.element));
    ends.push(() => plot.dispose());
  }

  const spread = h("div");
  const grid = new Grid({
    columns: [{ name, label: column.field, kind: column.kind }], length: column.len, label: `The values of ${said(name)}`,
    load: (from, n, signal) => get("rows", { column: name, from, count: n }, signal),
    open: (c, position) => openElement(column, position, vault.columns.get(name)?.len ?? 0),
  });
  ends.push(() => grid.dispose());
  const values = h("section", {}, h("div", { class: "head" }, h("h2", {}, "Values"), search(column, grid, ends)), grid.element);
  element.append(plots ? h("div", { class: "half" }, h("section", {}, h("div", { class: "head" }, h("h2", {}, "How they are spread")), spread), values) : values);

  async function describe() {
    try {
      const d = await get("column", { column: name }, abort.signal);
      facts.replaceChildren(...d.facts.map((f) => fact(f.name, brief(f.text))), d.missing > 0 ? fact("missing", count(d.missing)) : "", d.nan > 0 ? fact("NaN", count(d.nan)) : "");
    } catch (error) {
      if (!aborted(error)) facts.replaceChildren(notice(error));
    }
    if (plots) await histogram(name, spread, abort.signal);
  }
  const again = throttle(2000, calmly(describe));
  ends.push(() => again.stop());
  again();
  ends.push(onChange(() => {
    const now = vault.columns.get(name);
    if (!now) return;
    sayLength();
    plot?.changed(now.len);
    grid.setLength(now.len);
    grid.stale();
    again();
  }));
  return { title: said(name), element, dispose() { for (const end of ends) end(); } };
}

/** Keeps what reads the whole column from taking more than a tenth of the time. */
function calmly(fn) {
  let free = 0;
  return async () => {
    if (performance.now() < free) return;
    const begun = performance.now();
    free = Infinity;
    await fn();
    free = performance.now() + 10 * (performance.now() - begun);
  };
}

const fact = (name, text) => h("div", {}, h("dt", {}, name), h("dd", {}, text));

/** A statement to begin with. */
function question(column) {
  const quote = (s) => (/^[a-z_][a-z0-9_]*$/i.test(s) ? s : '"' + s.replaceAll('"', '""') + '"');
  const from = quote(column.group || "columns"), field = quote(column.field);
  return column.kind === "number" ? `SELECT position, ${field} FROM ${from} ORDER BY ${field} DESC LIMIT 20` : `SELECT ${field}, count(*) AS n FROM ${from} GROUP BY 1 ORDER BY n DESC LIMIT 20`;
}

/** Draws how numbers are spread. */
async function histogram(name, box, signal) {
  let found;
  try {
    found = await get("histogram", { column: name, bins: 48 }, signal);
  } catch (error) {
    if (!aborted(error)) box.replaceChildren(notice(error));
    return;
  }
  if (!found.counts.length) return box.replaceChildren(h("p", { class: "soft" }, "There are no numbers."));
  const n = found.counts.length, most = Math.max(...found.counts), text = found.time ? time : short, span = found.to - found.from;
  const edge = (i) => text(found.from + (span * i) / n);
  const say = h("p", { class: "legend" });
  const bars = found.counts.map((c, i) => svg("g", { onpointerenter: () => { say.textContent = `${edge(i)} to ${edge(i + 1)}: ${count(c)}`; } },
    svg("rect", { x: i * 10 + 0.75, width: 8.5, y: c ? Math.min(148, 150 - (c / most) * 148) : 150, height: c ? Math.max(2, (c / most) * 148) : 0, rx: 1 }), svg("rect", { class: "hit", x: i * 10, width: 10, y: 0, height: 150 })));
  box.replaceChildren(svg("svg", { class: "bars", viewBox: `0 0 ${n * 10} 150`, preserveAspectRatio: "none", role: "img", "aria-label": `Histogram of ${said(name)}, from ${text(found.from)} to ${text(found.to)}` }, bars),
    h("p", { class: "ends" }, h("span", {}, text(found.from)), h("span", {}, text(found.to))), say);
}

/** A form that goes to a position, and looks for values. */
function search(column, grid, ends) {
  const ordered = isNumber(column);
  const text = h("input", { type: "search", placeholder: ordered ? "a value" : "a text", "aria-label": "What to look for", size: 14 });
  const op = ordered ? h("select", { "aria-label": "Which values" }, h("option", { value: "eq" }, "="), h("option", { value: "ge" }, "≥"), h("option", { value: "le" }, "≤")) : null;
  const at = h("input", { type: "text", inputmode: "numeric", placeholder: "position", "aria-label": "Position", size: 9 });
  const state = h("span", { class: "soft", role: "status" });
  let abort = null;
  ends.push(() => abort?.abort());
  async function find() {
    abort?.abort();
    const mine = abort = new AbortController();
    let from = grid.found + 1, wrapped = from === 0;
    state.textContent = "looking…";
    try {
      for (;;) {
        const found = await get("find", { column: column.name, value: text.value, op: op?.value, from }, mine.signal);
        if (found.position >= 0) {
          state.textContent = `at ${count(found.position)}`;
          return grid.show(found.position);
        }
        from = found.next;
        state.textContent = `looked at ${count(from)}…`;
        if (!found.done) continue;
        if (wrapped) break;
        wrapped = true;
        from = 0;
      }
      state.textContent = "not found";
    } catch (error) {
      if (!aborted(error)) state.textContent = error.message;
    }
  }
  function go() {
    const n = parseInt(at.value.replace(/[,\s#]/g, ""), 10);
    if (Number.isNaN(n)) return;
    grid.show(Math.min(Math.max(0, n < 0 ? grid.length + n : n), Math.max(0, grid.length - 1)));
  }
  return h("div", { class: "tools" }, state, h("form", { class: "tools", onsubmit: (e) => { e.preventDefault(); find(); } }, op, text, h("button", {}, "Find")),
    h("form", { class: "tools", onsubmit: (e) => { e.preventDefault(); go(); } }, at, h("button", {}, "Go")));
}
