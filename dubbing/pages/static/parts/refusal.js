// The gateway's error, in its own words, which screen readers announce when it appears.

import { html } from "../html.js";
import { t } from "../words/words.js";
import { visible } from "./name.js";

// fault: a Fault, or null.
export function Refusal({ fault }) {
  return html`<div role="alert">
    ${fault && html`<p class="trouble"><bdi>${visible(fault.message || t("away"))}</bdi></p>`}
  </div>`;
}
