// One value, as large as it is: a tree, text, bytes, numbers.

import { h, notice, choice } from "./dom.js";
import { get, query } from "./api.js";
import { count, bytes, many, short, said } from "./format.js";

/** Reads JSON, and keeps numbers that JavaScript would round as they are written. */
export function parse(text) {
  return JSON.parse(text, (key, value, context) => {
    const exact = typeof value === "number" && context?.source !== undefined && Number.isInteger(value) && !Number.isSafeInteger(value);
    return exact ? new Written(context.source) : value;
  });
}

class Written {
  constructor(text) { this.text = text; }
}

const MOST = 200; // children that are shown at once

/** A tree of a value of JSON. What is closed is not made. */
export function tree(value, key, open = true) {
  const name = key === undefined ? [] : [h("span", { class: "key" }, String(key)), ": "];
  if (value === null || typeof value !== "object" || value instanceof Written) {
    const text = value instanceof Written ? value.text : JSON.stringify(value);
    return h("div", { class: "leaf" }, name, text);
  }
  const list = Array.isArray(value), keys = list ? null : Object.keys(value), n = list ? value.length : keys.length;
  if (n === 0) return h("div", { class: "leaf" }, name, list ? "[]" : "{}");
  const node = h("details", { open }, h("summary", {}, name, h("span", { class: "plain" }, list ? many(n, "element") : many(n, "key"))));
  let made = 0;
  const more = () => {
    const end = Math.min(n, made + MOST);
    for (; made < end; made++) node.append(tree(list ? value[made] : value[keys[made]], list ? made : keys[made], n <= 20 && open));
    if (made < n) node.append(h("button", { type: "button", onclick() { this.remove(); more(); } }, `${count(n - made)} more`));
  };
  if (open) more();
  else node.addEventListener("toggle", more, { once: true });
  return node;
}

/** Hexadecimal digits as lines of 16 bytes, with the letters among them. */
function dump(hex, size) {
  const shown = hex.slice(0, 2 * 16384), lines = [];
  for (let i = 0; i < shown.length; i += 32) {
    const pairs = shown.slice(i, i + 32).match(/../g) || [];
    const letters = pairs.map((p) => { const c = parseInt(p, 16); return c >= 32 && c < 127 ? String.fromCharCode(c) : "·"; }).join("");
    lines.push(`${(i / 2).toString(16).padStart(6, "0")}  ${pairs.join(" ").padEnd(47)}  ${letters}`);
  }
  if (shown.length / 2 < size) lines.push(`… ${bytes(size)} in all`);
  return h("pre", { class: "hex", tabindex: 0 }, lines.join("\n"));
}

/** What the server says of a value, as elements. */
export function body(value) {
  switch (value.kind) {
    case "missing":
      return h("p", { class: "soft" }, "The value is missing.");
    case "bytes":
      return dump(value.text, value.size);
    case "vector":
      return h("div", {}, h("p", { class: "soft" }, value.shape?.length > 1 ? `${value.shape.join(" × ")}, ` : "", many(value.size, "number"),
        value.vector?.length ? `, from ${short(Math.min(...value.vector.filter((v) => v != null)))} to ${short(Math.max(...value.vector.filter((v) => v != null)))}` : "",
        value.vector?.length < value.size ? " (means of neighbors)" : ""), chart(value.vector || []), h("pre", {}, value.text + (value.cut ? "…" : "")));
    case "json":
      if (!value.cut) {
        const box = h("div");
        const show = (how) => {
          let parsed;
          try { parsed = parse(value.text); } catch { how = "text"; } // NaN, for example
          box.replaceChildren(how === "tree" ? h("div", { class: "tree" }, tree(parsed)) : h("pre", {}, value.text));
        };
        show("tree");
        return h("div", {}, h("p", { class: "tools" }, choice("Form", [["tree", "Tree"], ["text", "JSON"]], "tree", show)), h("br"), box);
      }
  }
  return h("div", {}, h("pre", {}, value.text), value.cut && h("p", { class: "soft" }, `… cut here: it has ${bytes(value.size)}. The download is whole.`));
}

/** The numbers of a vector as a plot. */
function chart(numbers) {
  const box = h("div", { role: "img", "aria-label": `${numbers.length} numbers` });
  if (numbers.length > 1) {
    const style = getComputedStyle(document.documentElement), axis = { stroke: style.getPropertyValue("--soft"), grid: { stroke: style.getPropertyValue("--line"), width: 1 }, ticks: { show: false } };
    const width = Math.min(800, Math.max(260, innerWidth * 0.94 - 60));
    new uPlot({ width, height: 180, legend: { show: false }, cursor: { drag: { x: false } }, scales: { x: { time: false } }, axes: [axis, { ...axis, size: 64 }],
      series: [{}, { stroke: style.getPropertyValue("--accent").trim(), width: 1.5 }] }, [numbers.map((_, i) => i), numbers], box);
  }
  return box;
}

/** Shows an element of a column in a dialog, from which its neighbors can be
 * reached. */
export function openElement(column, position, length) {
  const title = h("h2"), inside = h("div", { class: "inside" }), save = h("a", { download: "" }, "Download");
  const step = (by) => h("button", { type: "button", "aria-label": by < 0 ? "The one before" : "The next", onclick: () => show(position + by) }, by < 0 ? "←" : "→");
  const back = step(-1), on = step(1);
  const dialog = h("dialog", { "aria-label": `An element of ${said(column.name)}`, onclose() { this.remove(); }, onclick(e) { if (e.target === this) this.close(); },
    onkeydown(e) { if (e.key === "ArrowLeft" && e.target.tagName !== "PRE") show(position - 1); if (e.key === "ArrowRight" && e.target.tagName !== "PRE") show(position + 1); } },
    h("div", { class: "head" }, title, h("div", { class: "tools" }, back, on, save, h("button", { type: "button", onclick: () => dialog.close() }, "Close"))), inside);
  async function show(at) {
    if (at < 0 || at >= length) return;
    position = at;
    title.textContent = `${said(column.name)} [${count(at)}]`;
    save.href = "content/element" + query({ column: column.name, position: at });
    back.disabled = at === 0;
    on.disabled = at === length - 1;
    try {
      const value = await get("element", { column: column.name, position: at });
      if (at === position) inside.replaceChildren(body(value));
    } catch (error) {
      inside.replaceChildren(notice(error));
    }
  }
  document.body.append(dialog);
  show(position);
  dialog.showModal();
}
