// The lines of a script, each with the findings of the dry run. More are drawn as a person scrolls
// to the end.

import { useState } from "preact/hooks";

import { html } from "../html.js";
import { clock, number } from "../words/figures.js";
import { t } from "../words/words.js";
import { Name, visible } from "./name.js";
import { Section, Table } from "./section.js";

const STEP = 200;
const NEAR = 800;

// lines: segments of a script. words: messages by a line's id; of faults and of cautions.
export function ScriptLines({ lines, faults, cautions }) {
  const [drawn, setDrawn] = useState(STEP);
  const [marked, setMarked] = useState(false);
  if (lines.length === 0) return null;
  const isMarked = ({ id }) => faults.has(id) || cautions.has(id);
  const count = lines.filter(isMarked).length;
  const shown = marked && count > 0 ? lines.filter(isMarked) : lines;
  const scroll = ({ target }) => {
    const left = target.scrollHeight - target.scrollTop - target.clientHeight;
    if (left < NEAR && drawn < shown.length) setDrawn(drawn + STEP);
  };
  const heads = ["line", "speaker", "line.text"].map((head) => t(head));
  return html`<${Section} id="lines" title=${t("lines", { count: number(lines.length) })}>
    ${count > 0 &&
    html`<label>
      <input
        type="checkbox"
        role="switch"
        checked=${marked}
        onChange=${(event) => setMarked(event.target.checked)}
      />
      ${t("lines.marked", { count: number(count) })}
    </label>`}
    <div class="lines" onScrollCapture=${scroll}>
      <${Table} label="lines" heads=${heads}>
        ${shown.slice(0, drawn).map(
          (line, place) => html`<${Line}
            key=${`${place}:${line.id}`}
            line=${line}
            faults=${faults.get(line.id)}
            cautions=${cautions.get(line.id)}
          />`,
        )}
      <//>
    </div>
  <//>`;
}

function Line({ line, faults = [], cautions = [] }) {
  return html`<tr class=${faults.length > 0 ? "faulty" : cautions.length > 0 ? "doubtful" : null}>
    <th scope="row"><${Name} of=${line.id} /></th>
    <td><${Name} of=${line.speaker} /><small>${clock(line.start, 1)} – ${clock(line.end, 1)}</small></td>
    <td class="said" dir="auto">
      ${visible(line.text)}
      ${faults.map(
        (one) => html`<small key=${one} class="bad" dir="auto">✕ ${visible(one)}</small>`,
      )}
      ${cautions.map((one) => html`<small key=${one} class="doubt" dir="auto">⚠ ${visible(one)}</small>`)}
    </td>
  </tr>`;
}
