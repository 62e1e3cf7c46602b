// The page: which part of the vault is shown.

import { h, notice, afterSeen } from "./dom.js";
import { connect } from "./live.js";
import { vault, ready } from "./vault.js";
import { overview } from "./overview.js";

// The list of columns is seen first. What only the other parts need comes after
// it: uPlot too, which is a script and not a module.
let drawing = null;
const added = (tag, props) => new Promise((done, fail) => {
  document.head.append(h(tag, { ...props, onload: done, onerror() { this.remove(); fail(new Error("A part of the page is missing: load it again.")); } }));
});
const uplot = () => (drawing ??= Promise.all([
  added("link", { rel: "stylesheet", href: "assets/uplot/uPlot.min.css" }), added("script", { src: "assets/uplot/uPlot.iife.min.js" }),
]).catch((error) => { drawing = null; throw error; }));
const withPlots = async (part) => (await Promise.all([part, uplot()]))[0];
const parts = {
  "": async () => overview,
  column: async () => (await withPlots(import("./column.js"))).column,
  table: async () => (await withPlots(import("./table.js"))).table,
  keys: async () => (await withPlots(import("./keys.js"))).keys,
  sql: async () => (await withPlots(import("./sql.js"))).sql,
  file: async () => (await import("./file.js")).file,
};
const main = document.getElementById("main");
const title = document.title;
let shown = null, number = 0;

async function route() {
  const [path, search] = location.hash.replace(/^#\/?/, "").split("?");
  const part = parts[path] ? path : "", params = new URLSearchParams(search), mine = ++number;
  shown?.dispose?.();
  shown = null;
  for (const a of document.querySelectorAll(".bar nav a")) {
    if (a.getAttribute("href") === "#/" + (part === "column" ? "" : part)) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  try {
    const [show] = await Promise.all([parts[part](), ready()]);
    if (mine !== number) return;
    const next = show(params);
    shown = next;
    document.title = next.title ? `${next.title} · ${title}` : title;
    main.replaceChildren(next.element);
    next.shown?.();
  } catch (error) {
    if (mine === number) main.replaceChildren(h("h1", { tabindex: -1 }, title), notice(error), h("p", {}, h("button", { type: "button", onclick: route }, "Try again")));
  }
}

addEventListener("hashchange", async () => {
  scrollTo(0, 0);
  await route();
  main.querySelector("h1")?.focus({ preventScroll: true });
});
addEventListener("keydown", (e) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName);
  if (e.key === "/" && !typing && !e.ctrlKey && !e.metaKey) {
    const find = main.querySelector("input[type=search]");
    if (find) { e.preventDefault(); find.focus(); find.select(); }
  }
});
// What is there has been seen when the frame has ended.
route().then(() => afterSeen(() => {
  connect();
  for (const part of Object.values(parts)) part().catch(() => {}); // whoever opens it asks again
}));
export { vault };
