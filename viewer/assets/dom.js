// Making elements. What comes from a vault becomes text, and never HTML.

/** Makes an element: properties that begin with "on" are listeners, the others
 * attributes; children are elements or text. */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** Makes an element of SVG. */
export function svg(tag, props, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((c) => c != null && c !== false));
  return element;
}

/** A notice about an error. */
export function notice(error) {
  return h("p", { class: "notice" }, error.message, error.hint && h("span", { class: "hint" }, error.hint));
}

/** A small graph of numbers, of which some may be null. */
export function spark(values, label) {
  const there = values.filter((v) => v != null);
  if (there.length < 2) return h("span");
  const low = Math.min(...there), high = Math.max(...there), span = high - low || 1;
  const width = 132, height = 26;
  let line = "", area = "", begun = false, last = 0;
  values.forEach((v, i) => {
    if (v == null) return;
    const x = ((i / (values.length - 1)) * width).toFixed(1);
    const y = (high === low ? height / 2 : 1 + (1 - (v - low) / span) * (height - 2)).toFixed(1);
    line += (begun ? "L" : "M") + x + " " + y;
    area += (begun ? "L" : `M${x} ${height}L`) + x + " " + y;
    begun = true;
    last = x;
  });
  return svg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("path", { class: "area", d: `${area}L${last} ${height}Z` }), svg("path", { d: line }));
}

/** A choice of one of several, as buttons. */
export function choice(label, options, chosen, onchange) {
  const buttons = options.map(([value, text]) => h("button", {
    type: "button", "aria-pressed": String(value === chosen),
    onclick() {
      for (const b of buttons) b.setAttribute("aria-pressed", String(b === this));
      onchange(value);
    },
  }, text));
  return h("span", { class: "choice", role: "group", "aria-label": label }, buttons);
}

/** Calls fn at most once in so many milliseconds, the last time for certain. */
export function throttle(ms, fn) {
  let timer = 0, again = false;
  const run = () => {
    timer = setTimeout(() => {
      timer = 0;
      if (again) { again = false; run(); }
    }, ms);
    fn();
  };
  const call = () => { if (timer) again = true; else run(); };
  call.stop = () => { clearTimeout(timer); again = false; };
  return call;
}

/** Calls fn when what has been drawn is seen, which is when the frame after it
 * begins. Returns what takes that back. */
export function afterSeen(fn) {
  let frame = requestAnimationFrame(() => { frame = requestAnimationFrame(() => { timer = setTimeout(fn); }); }), timer = 0;
  return () => { cancelAnimationFrame(frame); clearTimeout(timer); };
}
