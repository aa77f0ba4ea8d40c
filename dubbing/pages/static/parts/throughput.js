// Lines a minute over the last hour, done and failed.

import { useEffect, useRef } from "preact/hooks";
import Plot from "uplot";

import { html } from "../html.js";
import { number, time } from "../words/figures.js";
import { language, t } from "../words/words.js";
import { Section } from "./section.js";

const HEIGHT = 220;
const HOUR = 3600;
const MINUTE = 60;
const DARK = matchMedia("(prefers-color-scheme: dark)");

// throughput: as /api/status tells it, in minutes.
export function Throughput({ throughput }) {
  const sum = (counts) => counts.reduce((all, one) => all + one, 0);
  const [done, failed] = [sum(throughput.done), sum(throughput.failed)];
  const said = t("pace.sum", { done: number(done), failed: number(failed) });
  return html`<${Section} id="pace" title=${t("pace")}>
    <${Drawing} key=${language()} throughput=${throughput} said=${said} />
    <p><small>${done + failed === 0 ? t("pace.none") : said}</small></p>
  <//>`;
}

// Returns what is plotted: the ends of the minutes that are over, and their counts.
function points({ since, done, failed }) {
  const begun = Date.parse(since) / 1000;
  const over = done.slice(0, -1);
  return [over.map((_, minute) => begun + (minute + 1) * MINUTE), over, failed.slice(0, -1)];
}

// The plot draws itself on a canvas: it is made once, and gets new points.
function Drawing({ throughput, said }) {
  const place = useRef(null);
  const plot = useRef(null);

  useEffect(() => {
    const made = new Plot(options(place.current.clientWidth), [[], [], []], place.current);
    plot.current = made;
    const fits = new ResizeObserver(([{ contentRect }]) =>
      made.setSize({ width: contentRect.width, height: HEIGHT }),
    );
    fits.observe(place.current);
    const recolour = () => made.redraw(false, true);
    DARK.addEventListener("change", recolour);
    return () => {
      DARK.removeEventListener("change", recolour);
      fits.disconnect();
      made.destroy();
    };
  }, []);

  // Each news tells the same minutes anew.
  const drawn = JSON.stringify(points(throughput));
  useEffect(() => plot.current.setData(JSON.parse(drawn)), [drawn]);

  return html`<div class="plot" role="img" aria-label=${said} ref=${place}></div>`;
}

function options(width) {
  const axis = { stroke: colour("--pico-muted-color"), grid: { stroke: colour("--grid") } };
  const rate = (plot, value) => number(value);
  const line = (name, stroke, fill) => ({
    label: t(name),
    stroke: colour(stroke),
    fill: fill && colour(fill),
    width: 2,
    points: { show: false },
    value: rate,
  });
  const minutes = { hour: "2-digit", minute: "2-digit" };
  return {
    width,
    height: HEIGHT,
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { range: () => [Date.now() / 1000 - HOUR, Date.now() / 1000] },
      y: { range: (plot, least, most) => [0, Math.max(5, (most ?? 0) * 1.1)] },
    },
    axes: [
      { ...axis, values: (plot, ticks) => ticks.map((tick) => time(tick * 1000, minutes)) },
      { ...axis, size: 48, values: (plot, ticks) => ticks.map((tick) => number(tick, 1)) },
    ],
    series: [
      { label: t("pace.time"), value: (plot, at) => (at === null ? "–" : time(at * 1000)) },
      line("pace.done", "--good", "--good-fill"),
      line("pace.failed", "--bad"),
    ],
  };
}

// uPlot asks for a colour whenever it draws, so a change of scheme reaches it.
function colour(name) {
  return () => getComputedStyle(document.documentElement).getPropertyValue(name);
}
