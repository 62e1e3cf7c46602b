// The file: what it takes, and whether it is whole.

import { h, notice, throttle } from "./dom.js";
import { get, query, aborted } from "./api.js";
import { readable, link, onChange } from "./vault.js";
import { bytes, count, many, said } from "./format.js";

export function file() {
  const abort = new AbortController();
  const facts = h("dl", { class: "facts" }), bar = h("div", { class: "stack", role: "img" }), measured = h("div"), checked = h("div");
  const fact = (name, text) => h("div", {}, h("dt", {}, name), h("dd", {}, text));
  let source = null;

  async function sizes() {
    try {
      const f = await get("file", {}, abort.signal);
      facts.replaceChildren(fact("file", bytes(f.main)), fact("of it free", bytes(f.free)), fact("log beside it", bytes(f.log)), f.held > 0 ? fact("held by caches", count(f.held)) : "");
      const parts = [f.main - f.free, f.free].filter((n) => n > 0).map((n) => { const i = h("i"); i.style.flexGrow = n; return i; });
      bar.replaceChildren(...parts);
      bar.setAttribute("aria-label", `${bytes(f.free)} of ${bytes(f.main)} are free`);
    } catch (error) {
      if (!aborted(error)) facts.replaceChildren(notice(error));
    }
  }

  async function measure() {
    const columns = readable(), found = [];
    const state = h("p", { class: "soft", role: "status" });
    measured.replaceChildren(state);
    try {
      for (let i = 0; i < columns.length; i += 32) {
        state.textContent = `${count(i)} of ${many(columns.length, "column")}…`;
        found.push(...await get("storage", { column: columns.slice(i, i + 32).map((c) => c.name) }, abort.signal));
      }
    } catch (error) {
      if (!aborted(error)) measured.replaceChildren(notice(error));
      return;
    }
    const sum = (name) => found.reduce((n, s) => n + s[name], 0);
    found.sort((a, b) => b.live + b.dead - a.live - a.dead);
    measured.replaceChildren(h("dl", { class: "facts" }, fact("live", bytes(sum("live"))), fact("dead", bytes(sum("dead") - sum("slack"))), fact("room at the ends of chunks", bytes(sum("slack"))), fact("chunks", count(sum("chunks")))),
      h("div", { class: "wide" }, h("table", { class: "list" }, h("thead", {}, h("tr", {}, ["Column", "Live", "Dead", "Room", "Chunks"].map((t, i) => h("th", { scope: "col", class: i ? "num" : "" }, t)))),
        h("tbody", {}, found.slice(0, 200).map((s) => h("tr", {}, h("td", { class: "name" }, h("a", { href: link("column", { c: s.column }) }, said(s.column))),
          s.error ? h("td", { colspan: 4, class: "type" }, s.error) : [s.live, s.dead - s.slack, s.slack].map((n) => h("td", { class: "num" }, bytes(n))), s.error ? "" : h("td", { class: "num" }, count(s.chunks))))))),
      found.length > 200 ? h("p", { class: "soft" }, `The 200 largest of ${count(found.length)}.`) : "");
  }

  function check(full) {
    source?.close();
    const done = h("progress", { "aria-label": "How far the check is" }), list = h("ul", { class: "items" });
    const state = h("span", { class: "soft", role: "status" }, "looking…");
    const stop = h("button", { type: "button", onclick: () => { source?.close(); done.remove(); stop.remove(); state.textContent = "stopped"; } }, "Stop");
    checked.replaceChildren(h("p", { class: "tools" }, done, state, stop), list);
    const end = (text) => { source.close(); source = null; done.remove(); stop.remove(); state.textContent = text; };
    source = new EventSource("api/check" + query({ full: full ? 1 : 0 }));
    source.addEventListener("progress", (e) => { const p = JSON.parse(e.data); if (p.total > 0) { done.max = p.total; done.value = Math.min(p.done, p.total); } state.textContent = `${bytes(p.done)} of about ${bytes(p.total)}`; });
    source.addEventListener("finding", (e) => { const f = JSON.parse(e.data); list.append(h("li", {}, h("b", {}, f.severity), " ", f.where ? h("span", { class: "soft" }, said(f.where) + ": ") : "", f.text)); });
    source.addEventListener("failure", (e) => { list.append(h("li", {}, notice({ message: JSON.parse(e.data).error }))); end("not finished"); });
    source.addEventListener("end", (e) => { const n = JSON.parse(e.data).findings; end(n ? many(n, "finding") : "Nothing is wrong."); });
    source.onerror = () => end("The check has been interrupted, or another one is running.");
  }

  const again = throttle(1000, sizes);
  const ends = onChange(again);
  again();
  if (readable().length <= 100) measure();
  else measured.append(h("button", { type: "button", onclick: measure }, `Measure ${many(readable().length, "column")}`));
  return { title: "File", element: h("div", {}, h("div", { class: "head" }, h("h1", { tabindex: -1 }, "File")), facts, bar,
    h("section", {}, h("div", { class: "head" }, h("h2", {}, "Check"), h("div", { class: "tools" }, h("button", { type: "button", onclick: () => check(false) }, "Quick check"), h("button", { type: "button", onclick: () => check(true) }, "Full check, every value"))), checked),
    h("section", {}, h("div", { class: "head" }, h("h2", {}, "What columns take")), measured)), dispose() { abort.abort(); ends(); again.stop(); source?.close(); } };
}
