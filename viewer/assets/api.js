// Questions to the server. All paths are relative to the page.

export class Failure extends Error {
  constructor(message, hint, gone) {
    super(message);
    this.hint = hint;
    this.gone = gone;
  }
}

/** The query of parameters: lists stand for several of one name. */
export function query(params) {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(params || {})) {
    for (const v of Array.isArray(value) ? value : [value]) if (v != null && v !== "") q.append(name, v);
  }
  const text = q.toString();
  return text && "?" + text;
}

const watchers = new Set();

/** Calls fn whenever the server has answered, with whether the vault is there. */
export const onAnswer = (fn) => watchers.add(fn);

/** Asks for JSON. */
export async function get(path, params, signal) {
  let response, body;
  try {
    response = await fetch("api/" + path + query(params), { signal, headers: { Accept: "application/json" } });
    body = await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    for (const w of watchers) w(false);
    throw new Failure(response?.status === 403 ? "This page has lost its permission." : "The server does not answer.",
      "Open the address again that columnvault view prints.", true);
  }
  if (response.ok) {
    for (const w of watchers) w(true);
    return body;
  }
  if (body.gone) for (const w of watchers) w(false);
  throw new Failure(sentence(body.error), body.hint && sentence(body.hint), body.gone);
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** Tells whether an error is only that nobody waits for the answer any more. */
export const aborted = (error) => error?.name === "AbortError";
