// Numbers, sizes and times as text.

const whole = new Intl.NumberFormat("en");

/** An integer with separators. */
export const count = (n) => whole.format(n);

/** A number of bytes. */
export function bytes(n) {
  if (n < 0 || n == null) return "";
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) { n /= 1024; unit++; }
  return `${unit === 0 || n >= 100 ? whole.format(Math.round(n)) : n.toFixed(1)} ${units[unit]}`;
}

/** A number for an axis or a legend. */
export function short(v) {
  if (v == null) return "–";
  const a = Math.abs(v);
  if (a !== 0 && (a < 1e-4 || a >= 1e15)) return v.toExponential(3);
  return new Intl.NumberFormat("en", { maximumSignificantDigits: a >= 1e6 ? 12 : 6 }).format(v);
}

/** What the server has written, with fewer digits where they are many, and times
 * without letters. */
export function brief(text) {
  const moment = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(?:\.\d+)?)(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (moment) return `${moment[1]} ${moment[2]}${moment[3] === ":00" ? "" : moment[3]}${moment[4] === "Z" ? "" : " " + moment[4]}`;
  return /^-?\d+\.\d{5,}$/.test(text) ? String(Number(Number(text).toPrecision(7))) : text;
}

/** Seconds since 1970 as a time in UTC. */
export function time(seconds) {
  if (seconds == null) return "–";
  const d = new Date(seconds * 1000);
  if (isNaN(d)) return short(seconds);
  const text = d.toISOString();
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, -14) : text.slice(0, -1).replace("T", " ").replace(/:00\.000$|\.000$/, "");
}

/** Whether a name is one that addresses and statements cannot have as it is. */
export const isCoded = (name) => name.startsWith("base64:");

/** A name as it is shown: the server codes those that are not text. */
export function said(name) {
  if (!isCoded(name)) return name;
  const raw = Uint8Array.from(atob(name.slice(7).replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  if (!raw.length) return "(no name)";
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    return [...raw].map((b) => (b === 0x5c ? "\\\\" : b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : "\\x" + b.toString(16).padStart(2, "0"))).join("");
  }
}

/** How many things there are. */
export const many = (n, one, several = one + "s") => `${count(n)} ${n === 1 ? one : several}`;
