// The quality of a voice's recording: its measurements, and doubts about a clone.

import { html } from "../html.js";
import { number, percent } from "../words/figures.js";
import { t } from "../words/words.js";
import { Mark } from "./mark.js";
import { Reason } from "./name.js";

export function Judged({ voice }) {
  const { doubts, judgement } = voice;
  const unfit = Object.entries(voice.unfit);
  return html`
    <${Mark} tone=${doubts.length > 0 ? "bad" : judgement ? "good" : "quiet"}>
      ${doubts.length > 0
        ? t("judged.doubts", { count: number(doubts.length) })
        : t(judgement ? "judged.good" : "judged.not")}
    <//>
    ${doubts.map((doubt) => html`<${Reason} key=${doubt} of=${doubt} />`)}
    ${judgement && html`<small class="measured">${measured(judgement).join(" · ")}</small>`}
    ${unfit.length > 0 &&
    html`<details class="unfit">
      <summary>${t("judged.unfit", { count: number(unfit.length) })}</summary>
      ${unfit.map(([engine, fault]) => html`<${Reason} key=${engine} of=${fault} />`)}
    </details>`}
  `;
}

function measured({ snr, loudness, clipped, likeness }) {
  const found = [t("judged.snr", { decibels: number(snr) })];
  if (loudness !== null) found.push(t("judged.loudness", { decibels: number(loudness) }));
  if (clipped > 0) found.push(t("judged.clipped", { share: percent(clipped * 100, 2) }));
  if (likeness !== null) found.push(t("judged.likeness", { likeness: number(likeness, 2) }));
  return found;
}
