// One line: its sounds, its measurements, and its actions.

import { useEffect, useRef } from "preact/hooks";

import { needs } from "../data/needs.js";
import { html } from "../html.js";
import { clock, number, percent, span } from "../words/figures.js";
import { t } from "../words/words.js";
import { Compare } from "./compare.js";
import { Text, visible } from "./name.js";

// sounds: {take(line), original(line)}, which give where a sound is, or null. children: what may be
// done about the line.
export function Line({ line, sounds, close, children }) {
  const head = useRef(null);
  useEffect(() => head.current.focus(), [line.id]);
  const urls = { take: sounds.take(line), original: sounds.original(line) };
  const found = needs(line).filter((need) => need !== "unapproved");
  return html`<section
    class="open-line"
    aria-labelledby="open-line"
    onKeyDown=${(event) => event.key === "Escape" && close()}
  >
    <header>
      <h2 id="open-line" tabindex="-1" ref=${head}>
        ${t("line.title", { id: line.id })} · <bdi>${visible(line.speaker)}</bdi>
      </h2>
      <button class="outline secondary" onClick=${close}>${t("line.close")}</button>
    </header>
    <${Text} of=${line.text} />
    ${line.approved && html`<p class="mark good"><i aria-hidden="true"></i>${t("line.approved")}</p>`}
    ${found.map(
      (need) => html`<p key=${need} class=${`tag ${need}`}>${t(`need.${need}`)}</p>`,
    )}
    ${line.error && html`<p class="trouble"><bdi>${visible(line.error.message)}</bdi></p>`}
    ${line.note && html`<p><small><bdi>${visible(line.note)}</bdi></small></p>`}
    ${urls.take || urls.original
      ? html`<${Compare} urls=${urls} rate=${line.rate} drift=${line.drift} />`
      : html`<${Unheard} line=${line} />`}
    ${children}
    <${Figures} line=${line} />
  </section>`;
}

// A line without its own sound here may still be heard in the film.
function Unheard({ line }) {
  if (line.silent) return html`<p>${t("line.silent")}</p>`;
  return line.state === "waiting" && html`<p>${t("line.waiting")}</p>`;
}

function Figures({ line }) {
  const told = [
    ["planned", `${clock(line.planned_start, 2)} – ${clock(line.planned_end, 2)}`],
    line.actual_start !== null && [
      "actual",
      `${clock(line.actual_start, 2)} – ${clock(line.actual_end, 2)}`,
    ],
    figure(line, "drift", (value) => signed(value)),
    figure(line, "rate", (value) => `×${number(value, 3)}`),
    figure(line, "speed", (value) => `×${number(value, 2)}`),
    line.pauses_cut > 0 && ["pauses", span(line.pauses_cut)],
    figure(line, "stretch", (value) => `×${number(value, 3)}`),
    line.overflow > 0 && ["overflow", span(line.overflow)],
    line.characters_over > 0 && ["characters", number(line.characters_over)],
    figure(line, "loudness", (value) => `${number(value, 1)} LUFS`),
    figure(line, "similarity", (value) => number(value, 3)),
    line.sounds_like && ["sounds-like", visible(line.sounds_like)],
    line.words?.right === false && ["heard", visible(line.words.text)],
    line.words?.uncertain?.length > 0 && [
      "uncertain",
      visible(line.words.uncertain.join(", ")),
    ],
    line.words?.unjudged && ["unjudged", visible(line.words.unjudged)],
    line.words && !line.words.unjudged && [
      "words",
      t("figure.words.value", {
        evidence: number(line.words.evidence ?? 0, 1),
        errors: percent(line.words.errors * 100, 0),
      }),
    ],
    line.takes_refused > 0 && ["refused", number(line.takes_refused)],
    line.seconds && ["natural", span(line.seconds)],
    line.engine && ["engine", visible(line.engine)],
    line.voice && ["voice", visible(line.voice)],
    line.spoken && line.spoken !== line.text && ["spoken", visible(line.spoken)],
    line.take !== null && ["take", number(line.take + 1)],
    line.attempts > 0 && ["attempts", number(line.attempts)],
    line.engine && ["seed", String(line.seed)],
    line.round > 0 && ["round", number(line.round)],
  ].filter(Boolean);
  return html`<dl class="figures">
    ${told.map(
      ([name, value]) => html`<div key=${name}>
        <dt>${t(`figure.${name}`)}</dt>
        <dd><bdi>${value}</bdi></dd>
      </div>`,
    )}
  </dl>`;
}

function figure(line, name, say) {
  return line[name] !== null && line[name] !== undefined && [name, say(line[name])];
}

function signed(seconds) {
  return `${seconds < 0 ? "−" : "+"}${span(Math.abs(seconds))}`;
}
