// What there is in the vault: the groups and columns, kept as new as the changes
// that are heard of.

import { get } from "./api.js";
import { listen } from "./live.js";

export const vault = { groups: [], keys: [], more: 0, columns: new Map(), loaded: null };
const listeners = new Set();

/** Calls fn after each change; returns what ends that. */
export function onChange(fn) {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

export async function load() {
  const found = await get("overview");
  vault.groups = found.groups;
  vault.keys = found.keys;
  vault.more = found.more || 0;
  vault.columns = new Map(found.groups.flatMap((g) => g.columns.map((c) => [c.name, { ...c, group: g.name }])));
}

export const ready = () => (vault.loaded ??= load().catch((error) => { vault.loaded = null; throw error; }));

listen(async (change) => {
  for (const [name, n] of Object.entries(change.lengths || {})) {
    const c = vault.columns.get(name);
    if (!c) continue;
    if (c.bytes >= 0 && c.len > 0) c.bytes = (c.bytes / c.len) * n;
    c.len = n;
  }
  if (change.catalog) try { await (vault.loaded = load()); } catch { return; }
  for (const fn of [...listeners]) fn(change);
});

/** The columns that can be read. */
export const readable = () => [...vault.columns.values()].filter((c) => !c.note);

/** Those that can be plotted. */
export const isNumber = (c) => c.kind === "number" || c.kind === "time";

/** The address of a part of the page. */
export function link(part, params) {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(params || {})) for (const v of Array.isArray(value) ? value : [value]) if (v != null && v !== "") q.append(name, v);
  return `#/${part}` + (q.size ? "?" + q : "");
}
