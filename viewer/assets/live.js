// What others write is heard of by server-sent events. A page that nobody looks at
// listens to nothing.

import { onAnswer } from "./api.js";

const listeners = new Set();
let source = null, retry = 0, gone = false;
const sign = document.getElementById("live");

/** Calls fn with each change; returns what ends that. */
export function listen(fn) {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

function show(state, text) {
  sign.className = "live " + state;
  if (sign.textContent !== text) sign.textContent = text;
}

function connect() {
  clearTimeout(retry);
  if (source || document.hidden) return;
  source = new EventSource("api/live");
  source.onopen = () => show("on", "live");
  source.addEventListener("change", (event) => {
    const change = JSON.parse(event.data);
    if (change.gone) return lost();
    gone = false;
    show("on", "live");
    for (const fn of [...listeners]) fn(change);
  });
  source.onerror = lost;
}

function disconnect() {
  source?.close();
  source = null;
}

function lost() {
  disconnect();
  gone = true;
  show("off", "not connected");
  retry = setTimeout(again, 3000);
}

/** Asks whether the server is there again. One that has ended has another token
 * afterwards, and says no until the address that it prints is opened. */
async function again() {
  let answer = null;
  try {
    answer = await fetch("api/file", { method: "HEAD" });
  } catch { /* it is not there */ }
  if (source || document.hidden) return;
  if (answer?.ok) return connect();
  show("off", answer?.status === 403 ? "not permitted: open the address anew" : "not connected");
  retry = setTimeout(again, 3000);
}

onAnswer((there) => { if (!there && !gone) lost(); });
document.addEventListener("visibilitychange", () => { if (document.hidden) { clearTimeout(retry); disconnect(); } else connect(); });
addEventListener("pagehide", disconnect);

export { connect };
