// The queues with waiting work, the deepest first, and the names of the others.

import { html } from "../html.js";
import { number, span } from "../words/figures.js";
import { t } from "../words/words.js";
import { Name } from "./name.js";
import { Section, Table } from "./section.js";

const HEADS = ["queue", "queue.depth", "queue.oldest"];

// oldest: age of the oldest batch in each queue, in seconds.
export function Queues({ queues, oldest }) {
  const found = Object.entries(queues).sort(
    ([one, depth], [other, more]) => more - depth || one.localeCompare(other),
  );
  const filled = found.filter(([, depth]) => depth > 0);
  const empty = found.filter(([, depth]) => depth === 0);
  return html`<${Section} id="queues" title=${t("queues")}>
    ${filled.length === 0
      ? html`<p>${t("queues.none")}</p>`
      : html`<${Table} label="queues" heads=${HEADS.map((head) => t(head))}>
          ${filled.map(
            ([name, depth]) => html`<tr key=${name}>
              <th scope="row"><${Name} of=${name} /></th>
              <td>
                <span class="figure">${number(depth)}</span>
                <meter aria-hidden="true" min="0" max=${filled[0][1]} value=${depth}></meter>
              </td>
              <td>${span(oldest[name])}</td>
            </tr>`,
          )}
        <//>`}
    ${empty.length > 0 &&
    html`<details>
      <summary>${t("queues.empty", { count: number(empty.length) })}</summary>
      <ul>
        ${empty.map(([name]) => html`<li key=${name}><${Name} of=${name} /></li>`)}
      </ul>
    </details>`}
  <//>`;
}
