// Key-value tables: keys by prefix, and the value of one.

import { h, notice, throttle } from "./dom.js";
import { get, query, aborted } from "./api.js";
import { vault, link, onChange } from "./vault.js";
import { bytes, said, many } from "./format.js";
import { body } from "./value.js";

export function keys(params) {
  const table = params.get("t") || (vault.keys.includes("kv") ? "kv" : vault.keys[0]);
  if (!table) return { title: "Keys", element: h("div", {}, h("h1", { tabindex: -1 }, "Keys"), h("p", { class: "empty" }, "The vault has no keys.")) };
  let abort = new AbortController(), chosen = params.get("k");
  const list = h("ul", { class: "items" }), more = h("div"), panel = h("div", { "aria-live": "polite" }, h("p", { class: "empty" }, "Choose a key."));
  const prefix = h("input", { type: "search", placeholder: "Keys that begin with …  ( / )", "aria-label": "Keys that begin with", value: params.get("p") || "", oninput: throttle(200, () => load()) });
  const tables = vault.keys.length > 1 && h("label", {}, "table", h("select", { onchange() { location.hash = link("keys", { t: this.value }); } }, vault.keys.map((t) => h("option", { value: t, selected: t === table }, said(t)))));

  async function load(after) {
    abort.abort();
    abort = new AbortController();
    try {
      const found = await get("keys", { table, prefix: prefix.value, after }, abort.signal);
      const items = found.keys.map((k) => h("li", {}, h("button", { type: "button", "aria-current": k.key === chosen ? "true" : null, onclick() { choose(k.key, this); } },
        h("span", { class: "text", title: k.text }, k.text), h("span", { class: "soft optional" }, k.error || `${k.encoding} · ${bytes(k.size)}`))));
      if (after) list.append(...items); else list.replaceChildren(...items);
      if (!after && !items.length) list.append(h("li", { class: "empty" }, "There are no such keys."));
      more.replaceChildren(found.more ? h("button", { type: "button", onclick: () => load(found.keys[found.keys.length - 1].key) }, "More") : "",
        found.long ? h("p", { class: "soft" }, `${many(found.long, "key")} of more than 24 KiB not listed`) : "");
    } catch (error) {
      if (!aborted(error)) more.replaceChildren(notice(error));
    }
  }

  async function choose(key, button) {
    chosen = key;
    for (const b of list.querySelectorAll("[aria-current]")) b.removeAttribute("aria-current");
    button?.setAttribute("aria-current", "true");
    history.replaceState(null, "", link("keys", { t: table, p: prefix.value, k: key }));
    try {
      const v = await get("key", { table, key });
      if (chosen !== key) return;
      const content = "content/key" + query({ table, key });
      const picture = v.type.startsWith("image/");
      panel.replaceChildren(h("div", { class: "head" }, h("h2", {}, v.text), h("p", { class: "soft" }, `${v.encoding}, ${bytes(v.size)}${picture ? ", " + v.type : ""}`),
        h("div", { class: "tools" }, h("a", { href: content + "&download=1", download: "" }, "Download"))),
      v.error ? notice({ message: v.error }) : picture ? h("img", { class: "picture", src: content, alt: `The picture ${v.text}` }) : v.value ? body(v.value) : h("p", { class: "soft" }, "The value is too large to be shown here."));
    } catch (error) {
      panel.replaceChildren(notice(error));
    }
  }

  const end = onChange(throttle(1000, () => { if (list.children.length <= 200) load(); }));
  load();
  if (chosen) choose(chosen);
  return { title: "Keys", element: h("div", {}, h("div", { class: "head" }, h("h1", { tabindex: -1 }, table === "kv" ? "Keys" : said(table)), h("div", { class: "tools" }, tables || "")),
    h("div", { class: "split" }, h("section", { "aria-label": "Keys" }, h("p", {}, prefix), list, more), h("section", { "aria-label": "Value" }, panel))), dispose() { end(); abort.abort(); } };
}
