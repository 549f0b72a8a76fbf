"use strict";
// The time line: geometry, axis, marks, zoom, the pointer. Selecting is the server's, curves are Python's.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const span = data.end - data.begin;
const percent = (time) => `${(100 * (time - data.begin)) / span}%`;

// m:ss.s under an hour, else h:mm:ss; the same as collect.py's.
function clock(seconds) {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  const two = (n) => String(n).padStart(2, "0");
  if (tenths < 36000) return `${Math.floor(tenths / 600)}:${((tenths % 600) / 10).toFixed(1).padStart(4, "0")}`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

function tickLabel(seconds, step) {
  if (step < 1 || data.end < 60) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const two = (n) => String(n).padStart(2, "0");
  return minutes >= 60
    ? `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`
    : `${minutes}:${two(whole % 60)}`;
}

const timeline = {
  zoom: 1,
  plot: byId("plot"),
  steps: [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400],

  // Labels stand at least 84 pixels apart.
  drawAxis() {
    const fit = Math.max(1, Math.floor(this.plot.clientWidth / 84));
    const step = this.steps.find((s) => span / s <= fit) ?? 3600 * Math.ceil(span / fit / 3600);
    const labels = [];
    for (let i = Math.ceil(data.begin / step); i * step < data.end - 0.3 * step; i += 1) {
      const label = document.createElement("span");
      label.textContent = tickLabel(i * step, step);
      label.style.left = percent(i * step);
      labels.push(label);
    }
    byId("axis").replaceChildren(...labels);
  },

  // The strip shows every n-th picture, so that none is squeezed; a slot of the strip keeps its place in time.
  thinStrip() {
    const pictures = [...byId("strip").children];
    const fit = Math.max(1, Math.floor(this.plot.clientWidth / 76));
    const step = Math.max(1, Math.ceil(pictures.length / fit));
    pictures.forEach((p, i) => p.classList.toggle("left-out", i % step !== Math.floor(step / 2)));
  },

  // Ranks that have room in rows of one line; where they crowd, the better one has it.
  placed(clips, rows, apart) {
    const width = this.plot.clientWidth;
    const taken = Array.from({ length: rows }, () => []);
    const found = [];
    for (const clip of [...clips].sort((a, b) => a.rank - b.rank)) {
      const middle = ((clip.start + clip.end) / 2 - data.begin) / span;
      const x = Math.min(Math.max(middle * width, apart / 2), width - apart / 2);
      const row = taken.findIndex((others) => others.every((other) => Math.abs(other - x) >= apart));
      if (row < 0) continue;
      taken[row].push(x);
      const flag = document.createElement("b");
      flag.className = `rank flag row-${row}`;
      flag.textContent = clip.rank;
      flag.style.left = `${(100 * x) / width}%`;
      found.push(flag);
    }
    return found;
  },

  band(clip) {
    const band = document.createElement("div");
    band.className = "band";
    band.dataset.index = clip.index;
    band.style.left = percent(clip.start);
    band.style.width = `${(100 * (clip.end - clip.start)) / span}%`;
    return band;
  },

  // Flags in one row, or in two where they crowd.
  drawMarks(clips) {
    const flags = this.placed(clips, 2, 29);
    this.plot.classList.toggle("two-rows", flags.some((flag) => flag.classList.contains("row-1")));
    byId("flags").replaceChildren(...flags);
    byId("bands").replaceChildren(...clips.map((clip) => this.band(clip)));
    byId("bands").style.height = `${byId("lanes").offsetHeight}px`;
    document.querySelectorAll(".lane-marks").forEach((lane, i) => {
      const own = data.lanes[i] ?? [];
      lane.replaceChildren(...own.map((clip) => this.band(clip)), ...this.placed(own, 1, 20));
    });
  },

  draw(clips) {
    this.drawAxis();
    this.thinStrip();
    this.drawMarks(clips);
  },

  timeAt(event) {
    const box = this.plot.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
    return data.begin + share * span;
  },

  // The clip on show at a time; -1 between clips.
  clipAt(time) {
    let low = 0;
    let high = data.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (data.starts[middle] <= time) low = middle + 1;
      else high = middle;
    }
    return low > 0 && time < data.ends[low - 1] ? low - 1 : -1;
  },

  say(time) {
    const index = this.clipAt(time);
    const what = index < 0 ? "" : ` · clip ${index} · score ${scoreText(data.scores[index])}`;
    byId("readout").textContent = clock(time) + what;
  },

  moveHead(time) {
    byId("head").style.left = percent(Math.min(Math.max(time, data.begin), data.end));
    const slider = byId("timeline");
    slider.setAttribute("aria-valuenow", time.toFixed(1));
    slider.setAttribute("aria-valuetext", clock(time));
  },

  // Zooms about the playhead.
  setZoom(zoom, time) {
    this.zoom = Math.min(Math.max(zoom, 1), 32);
    this.plot.style.width = `${100 * this.zoom}%`;
    byId("zoom").textContent = `${this.zoom}×`;
    const scroller = byId("scroller");
    scroller.scrollLeft = ((time - data.begin) / span) * this.plot.clientWidth - scroller.clientWidth / 2;
  },
};
