// The timeline: a track per speaker, with the planned time of each line above the actual one.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { fit } from "../data/needs.js";
import { begins, ends, tracksOf, within } from "../data/tracks.js";
import { html } from "../html.js";
import { clock, number } from "../words/figures.js";
import { t } from "../words/words.js";
import { visible } from "./name.js";
import { Section } from "./section.js";

const AXIS = 22;
const TRACK = 40;
const LEAST_SECONDS = 2;
const FIRST_SECONDS = 60;
// Below so many pixels, a line shows only its fit.
const NARROW = 8;
const WORST = ["planned", "fits", "tight", "over", "missing"];
const FITS = ["fits", "tight", "over", "missing", "planned"];
const DARK = matchMedia("(prefers-color-scheme: dark)");

// lines: as in a report. seconds: the programme's length, if it is known. open: the open line.
// pick: called with the line that a person chooses.
export function Timeline({ lines, seconds, open, pick }) {
  const tracks = useMemo(() => tracksOf(lines), [lines]);
  const length = useMemo(
    () => Math.max(LEAST_SECONDS, seconds ?? 0, ...reduced(lines)),
    [lines, seconds],
  );
  const [view, setView] = useState({ from: 0, to: FIRST_SECONDS });
  const canvas = useRef(null);
  const move = (change) => setView((old) => bounded(change(old), length));
  useEffect(() => {
    // Keep the open line in sight.
    if (!open) return;
    const middle = (open.planned_start + open.planned_end) / 2;
    move(({ from, to }) => {
      if (open.planned_start >= from && open.planned_end <= to) return { from, to };
      return { from: middle - (to - from) / 2, to: middle + (to - from) / 2 };
    });
  }, [open?.id]);

  useEffect(() => {
    const place = canvas.current;
    const draw = () => paint(place, tracks, bounded(view, length), open);
    draw();
    const fits = new ResizeObserver(draw);
    fits.observe(place);
    DARK.addEventListener("change", draw);
    return () => {
      fits.disconnect();
      DARK.removeEventListener("change", draw);
    };
  }, [tracks, view, open, length]);

  const keys = {
    ArrowLeft: pan(-0.2),
    ArrowRight: pan(0.2),
    "+": zoom(0.6),
    "-": zoom(1 / 0.6),
    0: () => ({ from: 0, to: length }),
    Home: ({ from, to }) => ({ from: 0, to: to - from }),
    End: ({ from, to }) => ({ from: length - (to - from), to: length }),
  };
  const press = (event) => {
    const change = keys[event.key];
    if (!change || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move(change);
  };
  const shown = bounded(view, length);
  const said = t("timeline.said", {
    from: clock(shown.from),
    to: clock(shown.to),
    speakers: number(tracks.size),
  });
  return html`<${Section} id="timeline" title=${t("timeline")}>
    <div class="bar">
      <${Legend} />
      <span class="buttons">
        <button class="outline secondary" onClick=${() => move(zoom(0.6))}>
          ${t("timeline.in")}
        </button>
        <button class="outline secondary" onClick=${() => move(zoom(1 / 0.6))}>
          ${t("timeline.out")}
        </button>
        <button class="outline secondary" onClick=${() => move(keys[0])}>${t("timeline.all")}</button>
      </span>
    </div>
    <div
      class="timeline"
      role="group"
      tabindex="0"
      aria-label=${said}
      aria-describedby="timeline-keys"
      onKeyDown=${press}
    >
      <canvas
        ref=${canvas}
        role="img"
        aria-label=${said}
        style=${{ height: `${AXIS + tracks.size * TRACK}px` }}
        ...${pointing(canvas, tracks, () => shown, move, pick)}
      ></canvas>
    </div>
    <p><small id="timeline-keys">${t("timeline.keys")}</small></p>
  <//>`;
}

function Legend() {
  return html`<ul class="legend">
    ${FITS.map(
      (name) => html`<li key=${name}><i class=${name} aria-hidden="true"></i>${t(`fit.${name}`)}</li>`,
    )}
  </ul>`;
}

const pan = (share) => ({ from, to }) => ({
  from: from + share * (to - from),
  to: to + share * (to - from),
});

// at: what stays in its place, as a share of the span.
const zoom = (factor, at = 0.5) => ({ from, to }) => {
  const middle = from + at * (to - from);
  return { from: middle - at * (to - from) * factor, to: middle + (1 - at) * (to - from) * factor };
};

function bounded({ from, to }, length) {
  const span = Math.min(length, Math.max(LEAST_SECONDS, to - from));
  const begin = Math.min(Math.max(0, from), length - span);
  return { from: begin, to: begin + span };
}

function* reduced(lines) {
  let last = 0;
  for (const line of lines) last = Math.max(last, ends(line));
  yield last;
}

// Dragging moves the timeline, a wheel with Ctrl zooms it, and a click picks a line.
function pointing(canvas, tracks, shown, move, pick) {
  const drag = useRef(null);
  const share = (event) => event.offsetX / canvas.current.clientWidth;
  return {
    onPointerDown: (event) => {
      drag.current = { x: event.offsetX, moved: false };
      canvas.current.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event) => {
      if (!drag.current) return;
      const by = event.offsetX - drag.current.x;
      if (!drag.current.moved && Math.abs(by) < 4) return;
      drag.current = { x: event.offsetX, moved: true };
      move(pan(-by / canvas.current.clientWidth));
    },
    onPointerUp: (event) => {
      const { moved } = drag.current ?? { moved: true };
      drag.current = null;
      if (moved) return;
      const { from, to } = shown();
      const track = [...tracks.values()][Math.floor((event.offsetY - AXIS) / TRACK)];
      const near = ((to - from) / canvas.current.clientWidth) * 3;
      const at = from + share(event) * (to - from);
      const hit = track && [...within(track, at - near, at + near)].pop();
      if (hit) pick(hit);
    },
    onWheel: (event) => {
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      const way = Math.sign(event.deltaY || event.deltaX);
      move(event.ctrlKey ? zoom(way > 0 ? 1.25 : 0.8, share(event)) : pan(0.15 * way));
    },
  };
}

function paint(canvas, tracks, { from, to }, open) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const ratio = devicePixelRatio;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const known = {};
  const colour = (name) => (known[name] ??= style.getPropertyValue(name));
  const x = (time) => ((time - from) / (to - from)) * width;
  pen.font = `12px ${style.fontFamily}`;
  pen.textBaseline = "middle";
  axis(pen, x, from, to, width, height, colour);
  let top = AXIS;
  for (const [speaker, track] of tracks) {
    pen.fillStyle = colour("--grid");
    pen.fillRect(0, top, width, 1);
    // Lines of few pixels are drawn together, and of those that share a pixel the worst one is seen.
    const narrow = new Int8Array(Math.ceil(width)).fill(-1);
    const wide = [];
    for (const line of within(track, from, to)) {
      const [left, right] = [Math.floor(x(begins(line))), x(ends(line))];
      if (right - left >= NARROW || line.id === open?.id) wide.push(line);
      else {
        const bad = WORST.indexOf(fit(line));
        for (let at = Math.max(0, left); at < right; at += 1) narrow[at] = Math.max(narrow[at], bad);
      }
    }
    runs(pen, narrow, top, colour);
    for (const line of wide) bars(pen, line, x, top, colour, line.id === open?.id);
    label(pen, visible(speaker), top, colour);
    top += TRACK;
  }
}

function axis(pen, x, from, to, width, height, colour) {
  const steps = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
  const step = steps.find((one) => (one / (to - from)) * width > 80) ?? 7200;
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    pen.fillStyle = colour("--grid");
    pen.fillRect(x(at), AXIS, 1, height);
    pen.fillStyle = colour("--pico-muted-color");
    pen.fillText(clock(at), x(at) + 3, AXIS / 2);
  }
}

// columns: for each pixel, the index in WORST of its fit; -1 for none.
function runs(pen, columns, top, colour) {
  for (let at = 0, end = 0; at < columns.length; at = end) {
    while (end < columns.length && columns[end] === columns[at]) end += 1;
    if (columns[at] >= 0) bar(pen, WORST[columns[at]], at, end - at, at, end - at, top, colour);
  }
}

// The planned time, and the actual one below it.
function bar(pen, name, left, width, begin, long, top, colour) {
  pen.fillStyle = colour("--planned");
  pen.fillRect(left, top + 16, width, 4);
  pen.fillStyle = colour(`--fit-${name}`);
  if (name === "planned") pen.globalAlpha = 0.45;
  pen.fillRect(begin, top + 21, long, 15);
  pen.globalAlpha = 1;
}

function bars(pen, line, x, top, colour, isOpen) {
  const name = fit(line);
  const left = x(line.planned_start);
  const width = Math.max(1, x(line.planned_end) - left);
  const actual = name === "planned" || name === "missing" ? null : line.actual_start;
  const begin = actual === null ? left : x(actual);
  const long = actual === null ? width : Math.max(1, x(line.actual_end) - begin);
  bar(pen, name, left, width, begin, long, top, colour);
  if (line.overflow > 0 && actual !== null) {
    // Hatched: not by its colour alone.
    const over = Math.min(long, x(line.overflow) - x(0));
    hatch(pen, begin + long - over, top + 21, over, 15, colour("--pico-background-color"));
  } else if (name === "missing") hatch(pen, begin, top + 21, long, 15, colour("--pico-background-color"));
  if (isOpen) {
    pen.strokeStyle = colour("--pico-color");
    pen.lineWidth = 2;
    pen.strokeRect(Math.min(left, begin) - 1, top + 14, Math.max(left + width, begin + long) - Math.min(left, begin) + 2, 24);
  }
  if (long < 34) return;
  pen.save();
  pen.beginPath();
  pen.rect(begin, top + 21, long - 2, 15);
  pen.clip();
  pen.fillStyle = colour("--on-fit");
  const rate = line.rate && Math.abs(line.rate - 1) > 0.005 ? `×${number(line.rate, 2)} ` : "";
  pen.fillText(`${rate}${visible(line.text.slice(0, 80))}`, begin + 4, top + 29);
  pen.restore();
}

function hatch(pen, left, top, width, height, colour) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  for (let at = left - height; at < left + width; at += 6) {
    pen.moveTo(at, top + height);
    pen.lineTo(at + height, top);
  }
  pen.stroke();
  pen.restore();
}

function label(pen, speaker, top, colour) {
  pen.fillStyle = colour("--pico-color");
  pen.fillText(speaker.length > 40 ? `${speaker.slice(0, 39)}…` : speaker, 4, top + 9);
}
