// The warnings of a report, folded: there may be one for every line.

import { html } from "../html.js";
import { number } from "../words/figures.js";
import { t } from "../words/words.js";
import { visible } from "./name.js";

const MOST = 500;

export function Warnings({ warnings }) {
  if (warnings.length === 0) return null;
  return html`<details>
    <summary>${t("dub.warnings", { count: number(warnings.length) })}</summary>
    <ul class="warnings" tabindex="0">
      ${warnings.slice(0, MOST).map((one) => html`<li key=${one} dir="auto">${visible(one)}</li>`)}
    </ul>
  </details>`;
}
