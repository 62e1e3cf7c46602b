// A table of rows by position, of any length: it holds what is seen, and asks for
// the rest when that is scrolled to.

import { h, spark, notice } from "./dom.js";
import { count, brief, said } from "./format.js";
import { aborted } from "./api.js";

const ROW = 30, HEAD = 36; // as in style.css
const TALLEST = 8e6; // pixels, which all browsers can scroll through
const BLOCK = 100, KEPT = 40;

/** The widths of columns, the least in rem and the most. */
const WIDTHS = { number: [8, "15rem"], bool: [6, "8rem"], time: [12, "15rem"], text: [11, "1fr"], json: [18, "2fr"], bytes: [18, "1fr"], vector: [11, "1fr"] };

const right = (kind) => kind === "number" || kind === "bool" || kind === "time";

export class Grid {
  /** columns have name, label and kind; load(from, count) gives an answer of
   * api/rows; open(column, position) shows a value. */
  constructor({ columns, length, load, open, label, tall }) {
    Object.assign(this, { columns, length, load, open });
    this.row = 0; // the first that is seen; may have a fraction
    this.blocks = new Map();
    this.waiting = new Map();
    this.found = -1;
    const width = (c) => WIDTHS[c.kind] || [11, "1fr"];
    this.template = `minmax(${Math.max(6, String(length).length + 3)}ch, max-content) ${columns.map((c) => `minmax(${width(c)[0]}rem, ${width(c)[1]})`).join(" ")}`;
    this.minimum = columns.reduce((sum, c) => sum + width(c)[0], 7);
    this.body = h("div", { class: "body", role: "rowgroup" });
    this.top = h("div", { class: "line top", role: "row" }, h("span", { class: "at", role: "columnheader" }, "#"),
      columns.map((c) => h("span", { role: "columnheader", title: said(c.name), class: right(c.kind) ? "r" : "" }, said(c.label))));
    this.top.style.gridTemplateColumns = this.template;
    this.view = h("div", { class: "view" }, h("div", { role: "rowgroup" }, this.top), this.body);
    this.space = h("div", { class: "space" }, this.view);
    this.space.style.minWidth = `max(100%, ${this.minimum}rem)`;
    this.error = h("div");
    this.box = h("div", { class: "grid" + (tall ? " tall" : ""), tabindex: 0, role: "table", "aria-label": label, onscroll: () => this.scrolled(), onkeydown: (e) => this.key(e) }, this.space);
    this.element = h("div", {}, this.error, this.box);
    this.lines = [];
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.box);
    this.resize();
  }

  dispose() {
    this.observer.disconnect();
    for (const w of this.waiting.values()) w.abort();
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
  }

  /** How many rows are seen, and the last row that can be the first. */
  get seen() { return Math.max(1, (this.box.clientHeight - HEAD) / ROW); }
  get last() { return Math.max(0, this.length - this.seen); }

  resize() {
    const height = Math.min(TALLEST, HEAD + this.length * ROW);
    this.space.style.height = height + "px";
    this.view.style.height = Math.min(this.box.clientHeight, height) + "px";
    this.exact = HEAD + this.length * ROW <= TALLEST;
    this.box.setAttribute("aria-rowcount", this.length + 1);
    this.go(this.row);
  }

  setLength(n) {
    if (n === this.length) return;
    const ended = this.row >= this.last - 1 && this.length > this.seen;
    this.length = n;
    this.resize();
    if (ended) this.go(this.last);
  }

  /** What is shown may be old: it is asked for again, and stays until then. */
  stale() {
    for (const block of this.blocks.values()) block.stale = true;
    this.draw();
  }

  /** Scrolls to a row. */
  go(row) {
    this.row = Math.min(Math.max(0, row), this.last);
    const room = this.box.scrollHeight - this.box.clientHeight;
    const top = this.exact ? this.row * ROW : this.last && (this.row / this.last) * room;
    if (Math.abs(this.box.scrollTop - top) >= 1) this.box.scrollTop = top;
    this.at = this.box.scrollTop;
    this.draw();
  }

  /** Shows a row in the middle. */
  show(position) {
    this.found = position;
    this.go(position - Math.floor(this.seen / 2));
  }

  scrolled() {
    const top = this.box.scrollTop, moved = top - this.at;
    if (moved === 0) return;
    const room = this.box.scrollHeight - this.box.clientHeight;
    this.at = top;
    if (this.exact) {
      this.row = top / ROW;
      this.draw();
    } else if (Math.abs(moved) < this.box.clientHeight) {
      this.go(this.row + moved / ROW); // a little, so by rows
    } else {
      this.row = (top / room) * this.last; // the bar has been moved
      this.draw();
    }
  }

  key(e) {
    const page = Math.floor(this.seen) - 1;
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[e.key];
    if (move === undefined || e.target !== this.box || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    this.go(move === Infinity ? this.last : move === -Infinity ? 0 : Math.round(this.row) + move);
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    const first = Math.floor(this.row), n = Math.min(this.length - first, Math.ceil(this.seen) + 1);
    while (this.lines.length < n) this.lines.push(this.line());
    while (this.lines.length > Math.max(0, n)) this.lines.pop().element.remove();
    this.body.style.transform = `translateY(${-(this.row - first) * ROW}px)`;
    const wanted = new Set();
    for (let i = 0; i < n; i++) {
      const position = first + i, block = Math.floor(position / BLOCK), got = this.blocks.get(block);
      if (!got || got.stale) wanted.add(block);
      this.put(this.lines[i], position, got && got.cells[position - block * BLOCK]);
    }
    for (const [block, w] of this.waiting) if (!wanted.has(block)) { w.abort(); this.waiting.delete(block); }
    clearTimeout(this.timer);
    if (wanted.size) this.timer = setTimeout(() => { for (const b of wanted) this.fetch(b); }, 30);
  }

  line() {
    const at = h("span", { class: "at", role: "rowheader" });
    const cells = this.columns.map((c) => h("span", { class: "cell", role: "cell" }));
    const element = h("div", { class: "line", role: "row" }, at, cells);
    element.style.gridTemplateColumns = this.template;
    const line = { element, at, cells, position: -1, row: null };
    cells.forEach((cell, k) => cell.addEventListener("click", () => { if (line.row) this.open(this.columns[k], line.position); }));
    this.body.append(element);
    return line;
  }

  put(line, position, row) {
    line.element.classList.toggle("found", position === this.found);
    if (line.position === position && line.row === row) return;
    line.position = position;
    line.row = row;
    line.at.textContent = count(position);
    line.element.setAttribute("aria-rowindex", position + 2);
    line.cells.forEach((cell, k) => {
      const kind = this.columns[k].kind;
      cell.className = "cell" + (right(kind) ? " r" : "");
      if (!row) cell.textContent = "…";
      else putCell(cell, row[k]);
    });
  }

  async fetch(block) {
    if (this.waiting.has(block)) return;
    const abort = new AbortController();
    this.waiting.set(block, abort);
    try {
      const answer = await this.load(block * BLOCK, BLOCK, abort.signal);
      const cells = [];
      for (let i = 0; i < BLOCK; i++) cells.push(answer.columns.map((c) => (c.error ? { kind: "error", text: c.error } : c.cells[i])));
      this.blocks.delete(block);
      this.blocks.set(block, { cells });
      if (this.blocks.size > KEPT) this.blocks.delete(this.blocks.keys().next().value);
      this.error.replaceChildren();
    } catch (error) {
      if (!aborted(error)) this.error.replaceChildren(notice(error));
      return;
    } finally {
      if (this.waiting.get(block) === abort) this.waiting.delete(block);
    }
    this.draw();
  }
}

/** Puts a cell of an answer into an element. */
export function putCell(cell, value) {
  cell.removeAttribute("title");
  if (value === undefined) {
    cell.textContent = ""; // after the end of the column
  } else if (value === null) {
    cell.classList.add("none");
    cell.textContent = "missing";
  } else if (typeof value === "string") {
    cell.textContent = brief(value);
    if (value.length > 18) cell.title = value;
  } else if (value.kind === "vector") {
    cell.replaceChildren(value.vector ? spark(value.vector, `${value.size} numbers`) : "[]");
  } else if (value.kind === "bytes") {
    cell.textContent = value.text.slice(0, 32) + (value.size > 16 ? "…" : "") + `  ${count(value.size)} B`;
  } else {
    cell.classList.toggle("none", value.kind === "error");
    cell.textContent = value.text + (value.cut ? "…" : "");
  }
}
