// The findings of the dry run about a whole job.

import { html } from "../html.js";
import { money, number, span } from "../words/figures.js";
import { t } from "../words/words.js";
import { visible } from "./name.js";

// The gateway lists faults one a line, those of a line by its cue.
const OF_CUE = /^cue (\S+) at \S+: (.*)$/;

// Returns the messages of a dry run: by a line's id, and of the whole job. A message that names no
// cue that the page knows is of the whole job.
export function sorted(draft, lines) {
  const { script } = draft;
  const told = draft.isTold ? draft.told : null;
  const known = new Set(lines.map(({ id }) => id));
  const found = { faults: new Map(), cautions: new Map(), fault: [], caution: [] };
  const put = (map, id, words) => map.set(id, [...(map.get(id) ?? []), words]);
  for (const fault of [script?.fault, told?.fault].filter(Boolean)) {
    for (const line of draft.readable(fault.message).split("\n")) {
      const [, id, words] = OF_CUE.exec(line.trim()) ?? [];
      if (known.has(id)) put(found.faults, id, words);
      found.fault.push(line.trim());
    }
  }
  for (const { segment, message } of told?.preview?.cautions ?? script?.cautions ?? []) {
    if (known.has(segment)) put(found.cautions, segment, message.replace(OF_CUE, "$2"));
    else found.caution.push(draft.readable(message));
  }
  return found;
}

export function DryRun({ draft, found }) {
  const preview = draft.isTold ? draft.told.preview : null;
  return html`<div class="told" aria-live="polite">
    ${found.fault.length > 0 &&
    html`<div class="trouble">
      <strong>${t("told.refused")}</strong>
      <ul>
        ${found.fault.map((one) => html`<li key=${one} dir="auto">${visible(one)}</li>`)}
      </ul>
    </div>`}
    ${preview && html`<${Summary} preview=${preview} />`}
    ${found.caution.length > 0 &&
    html`<div class="trouble doubtful">
      <strong>${t("told.notes")}</strong>
      <ul>
        ${found.caution.map((one) => html`<li key=${one} dir="auto">${visible(one)}</li>`)}
      </ul>
    </div>`}
    ${draft.told && !draft.isTold && html`<p><small>${t("told.before")}</small></p>`}
  </div>`;
}

function Summary({ preview }) {
  const { lines, clips_there, seconds, estimate, cautions, engines } = preview;
  const costs = Object.entries(estimate?.costs ?? {}).map(([currency, sum]) => money(sum, currency));
  const figures = {
    lines: number(lines),
    there: number(clips_there),
    speech: span(seconds),
    ready: span(estimate?.ready_in),
    costs: estimate?.costs ? costs.join(" + ") || t("told.costs.none") : "–",
    cautions: number(cautions.length),
  };
  return html`<dl class="numbers">
      ${Object.entries(figures).map(
        ([name, figure]) => html`<div key=${name}>
          <dt>${t(`told.${name}`)}</dt>
          <dd>${figure}</dd>
        </div>`,
      )}
    </dl>
    <p><small>${t("told.engines")} <bdi>${engines.join(", ")}</bdi></small></p>
    ${estimate?.lacks.length > 0 &&
    html`<p class="trouble">${t("job.lacks", { engines: estimate.lacks.join(", ") })}</p>`}`;
}
