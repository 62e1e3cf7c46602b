// The plot of columns: zoomed and moved with the pointer, the wheel or the keys,
// and drawn from at most some hundred points, whatever lies behind them.

import { h, notice, throttle } from "./dom.js";
import { get, aborted } from "./api.js";
import { count, short, time, said } from "./format.js";

const dark = matchMedia("(prefers-color-scheme: dark)");
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const palette = () => [color("--accent"), ...(dark.matches ? ["#f0a35e", "#a99cf3", "#e07a9b", "#8fb7e8"] : ["#b45309", "#6d4fc4", "#b0305f", "#2563a8"])];

const DAY = 86400;

/** How times on an axis are written: the least step, what each has, and what is
 * added where a year, a month or a day begins. */
const DATES = [
  [365 * DAY, "{YYYY}", null, null, null, null, null, null, 1],
  [28 * DAY, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [DAY, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [3600, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
  [60, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
  [0.001, ":{ss}.{fff}", "\n{D} {MMM} {YYYY} {HH}:{mm}", null, "\n{D} {MMM} {HH}:{mm}", null, "\n{HH}:{mm}", null, 1],
];

export class Plot {
  /** columns are names; x is the name of a column, or empty for positions. */
  constructor({ columns, x, style, label, length }) {
    Object.assign(this, { columns, x, style: style || "line", length });
    this.range = null; // of the axis, null for all
    this.canvas = h("div");
    this.wait = h("p", { class: "wait", "aria-hidden": "true" });
    this.box = h("div", { class: "plot", tabindex: 0, role: "application", "aria-roledescription": "plot", "aria-label": `${label}. Plus and minus zoom, arrows move, 0 shows all.`,
      onkeydown: (e) => this.key(e), ondblclick: () => this.all() }, this.wait, this.canvas);
    this.box.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    this.box.addEventListener("pointerdown", (e) => this.grab(e));
    this.legend = h("p", { class: "legend" });
    this.element = h("div", {}, this.box, this.legend);
    this.ask = throttle(120, () => this.load());
    this.askAgain = throttle(600, () => this.load());
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.box);
    this.recolor = () => this.draw();
    dark.addEventListener("change", this.recolor);
    this.load();
  }

  dispose() {
    this.ask.stop();
    this.askAgain.stop();
    this.abort?.abort();
    this.observer.disconnect();
    dark.removeEventListener("change", this.recolor);
    this.chart?.destroy();
  }

  set(options) {
    const over = options.x !== undefined && options.x !== this.x || options.columns !== undefined;
    Object.assign(this, options);
    if (over) this.range = null;
    if (over) this.load(); else this.draw();
  }

  /** Rows have been written. */
  changed(length) {
    const grown = length - this.length;
    if (this.range && !this.x && grown > 0 && this.range[1] >= this.length - 1) {
      this.range = [this.range[0] + grown, this.range[1] + grown]; // the end stays in sight
    }
    this.length = length;
    this.askAgain();
  }

  all() { if (this.range) { this.range = null; this.moved(); } }

  moved() {
    this.onrange?.(this.range);
    this.ask();
  }

  async load() {
    this.abort?.abort();
    const abort = this.abort = new AbortController();
    const width = Math.min(4096, Math.max(200, Math.round((this.box.clientWidth || 800) - 80)));
    const params = { column: this.columns, width };
    if (this.x) {
      params.x = this.x;
      if (this.range) [params.low, params.high] = this.range;
    } else if (this.range) {
      params.from = Math.max(0, Math.floor(this.range[0]));
      params.to = Math.ceil(this.range[1]) + 1;
    }
    const slow = setTimeout(() => { this.wait.textContent = "reading…"; }, 250);
    try {
      this.data = await get("plot", params, abort.signal);
      this.box.removeAttribute("data-failed");
      this.draw();
    } catch (error) {
      if (aborted(error)) return;
      this.box.setAttribute("data-failed", "");
      this.chart?.destroy();
      this.chart = null;
      this.canvas.replaceChildren(notice(error));
    } finally {
      clearTimeout(slow);
      if (this.abort === abort) this.wait.textContent = "";
    }
  }

  /** The range that is seen. */
  seen() {
    const { data, range } = this;
    if (range) return range;
    if (this.x) return [data.x[0], data.x[data.x.length - 1]];
    return [data.from, Math.max(data.from + 1, data.to - 1)];
  }

  draw() {
    const { data } = this;
    if (!data) return;
    if (!data.x.length) {
      this.chart?.destroy();
      this.chart = null;
      this.canvas.replaceChildren(h("p", { class: "empty" }, data.length ? "Nothing here." : "No elements yet."));
      this.say(null);
      return;
    }
    const columns = [data.x], series = [{}], bands = [], colors = palette();
    data.series.forEach((s, k) => {
      const stroke = colors[k % colors.length];
      const points = this.style === "points";
      columns.push(s.y);
      series.push({
        label: said(s.column), stroke, width: points ? 0 : 1.5, scale: s.time ? "t" : "y",
        paths: points ? () => null : undefined, spanGaps: false,
        points: { show: points || data.x.length < 120, size: points ? 4 : 5, fill: stroke, stroke, width: 0 },
      });
      if (s.low) {
        const at = columns.length;
        columns.push(s.high, s.low);
        const edge = { scale: s.time ? "t" : "y", points: { show: points, size: 3, fill: stroke, stroke, width: 0 }, stroke: points ? stroke : "transparent", width: 0, paths: points ? () => null : undefined };
        series.push(edge, { ...edge });
        if (!points) bands.push({ series: [at, at + 1], fill: stroke + "38" });
      }
    });
    const line = color("--line"), soft = color("--soft"), font = "12px " + getComputedStyle(document.body).fontFamily;
    const axis = { stroke: soft, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    const values = (u, splits) => splits.map((v) => (v == null ? "" : short(v)));
    const isTime = data.series.some((s) => s.time);
    const zone = { time: true };
    const options = {
      width: this.width(), height: 300, tzDate: (ts) => uPlot.tzDate(new Date(ts * 1e3), "Etc/UTC"),
      scales: { x: { time: !!data.time, range: () => this.seen() }, y: {}, t: zone },
      axes: [
        { ...axis, values: data.time ? DATES : (u, splits) => splits.map((v) => (Number.isInteger(v) || this.x ? short(v) : "")) },
        { ...axis, scale: isTime && data.series.every((s) => s.time) ? "t" : "y", size: isTime ? 96 : 76, values: isTime ? DATES : values },
      ],
      series, bands, legend: { show: false }, padding: [8, 14, 0, 0],
      cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
      hooks: { setCursor: [(u) => this.say(u.cursor.idx)], setSelect: [(u) => this.selected(u)] },
    };
    this.chart?.destroy();
    this.canvas.replaceChildren();
    this.chart = new uPlot(options, columns, this.canvas);
    this.say(null);
  }

  width() { return Math.max(240, this.box.clientWidth - 22); }

  resize() {
    if (!this.chart || this.chart.width === this.width()) return;
    this.chart.setSize({ width: this.width(), height: 300 });
    this.ask();
  }

  /** Says what is under the pointer, or what is seen. */
  say(at) {
    const { data } = this;
    const parts = [];
    if (at == null || data.x[at] == null) {
      const rows = data.to - data.from;
      if (data.exact) parts.push(`${count(data.x.length)} of ${count(data.length)} elements`);
      else parts.push(`${count(rows)} of ${count(data.length)} elements: means, and the range between smallest and largest`);
    } else {
      const x = data.time ? time(data.x[at]) : this.x ? short(data.x[at]) : "#" + count(data.x[at]);
      parts.push(!this.x && data.step > 1 ? `${x} to #${count(Math.min(data.x[at] + data.step, data.to) - 1)}` : x);
      for (const s of data.series) {
        const show = s.time ? time : short;
        const name = data.series.length > 1 ? said(s.column) + " " : "";
        parts.push(h("span", {}, name, h("b", {}, show(s.y[at])), s.low && s.low[at] != null ? ` from ${show(s.low[at])} to ${show(s.high[at])}` : ""));
      }
    }
    this.legend.replaceChildren(...parts.map((p) => h("span", {}, p)));
  }

  selected(u) {
    if (u.select.width < 6) return;
    const range = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
    u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
    this.zoomTo(range);
  }

  zoomTo([low, high]) {
    const all = this.x ? null : [0, Math.max(1, this.data.length - 1)];
    if (all) {
      if (high - low < 4) { const middle = (low + high) / 2; low = middle - 2; high = middle + 2; }
      if (high - low >= all[1]) return this.all();
      const shift = Math.max(0, -low) - Math.max(0, high - all[1]);
      low += shift;
      high += shift;
    }
    if (!(high > low)) return;
    this.range = [low, high];
    this.chart?.setScale("x", { min: low, max: high });
    this.moved();
  }

  zoom(factor, at) {
    if (!this.data?.x.length) return;
    const [low, high] = this.seen(), center = at ?? (low + high) / 2;
    this.zoomTo([center - (center - low) * factor, center + (high - center) * factor]);
  }

  pan(share) {
    if (!this.range) return;
    const by = (this.range[1] - this.range[0]) * share;
    this.zoomTo([this.range[0] + by, this.range[1] + by]);
  }

  wheel(e) {
    if (!this.chart || !(e.ctrlKey || e.metaKey || e.shiftKey || document.activeElement === this.box)) return;
    e.preventDefault();
    if (Math.abs(e.deltaX) > Math.abs(e.deltaY)) return this.pan(e.deltaX / 800);
    const at = this.chart.posToVal(e.clientX - this.chart.over.getBoundingClientRect().left, "x");
    this.zoom(Math.exp(Math.sign(e.deltaY) * 0.25), at);
  }

  /** With the shift key, or the middle button, the pointer moves the plot. */
  grab(e) {
    if (!this.range || !(e.shiftKey || e.button === 1)) return;
    e.preventDefault();
    e.stopPropagation();
    const start = e.clientX, [low, high] = this.range, per = (high - low) / this.chart.over.clientWidth;
    const move = (m) => this.zoomTo([low - (m.clientX - start) * per, high - (m.clientX - start) * per]);
    const up = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", up); };
    addEventListener("pointermove", move);
    addEventListener("pointerup", up);
  }

  key(e) {
    if (e.target !== this.box || e.ctrlKey || e.metaKey || e.altKey) return;
    const does = { "+": () => this.zoom(0.6), "=": () => this.zoom(0.6), "-": () => this.zoom(1 / 0.6), "0": () => this.all(), ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2) }[e.key];
    if (!does) return;
    e.preventDefault();
    does();
  }
}
