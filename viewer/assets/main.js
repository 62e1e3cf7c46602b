// The page: which part of the vault is shown.

import { h, notice } from "./dom.js";
import { connect } from "./live.js";
import { vault, ready } from "./vault.js";
import { overview } from "./overview.js";
import { column } from "./column.js";
import { table } from "./table.js";
import { keys } from "./keys.js";
import { sql } from "./sql.js";
import { file } from "./file.js";

const parts = { "": overview, column, table, keys, sql, file };
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
    await ready();
    if (mine !== number) return;
    const next = parts[part](params);
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
connect();
route();
export { vault };
