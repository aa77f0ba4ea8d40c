// The contents of the page, and a link to Flower, if its address is set.

import { html } from "../../html.js";
import { t } from "../../words/words.js";

const SECTIONS = ["nodes", "queues", "models", "endpoints", "keys", "announcements", "dead"];

export function Contents({ flower }) {
  return html`<nav class="contents" aria-label=${t("admin.contents")}>
    <ul>
      ${SECTIONS.map((name) => html`<li key=${name}><a href="#${name}">${t(name)}</a></li>`)}
      ${flower &&
      html`<li>
        <a href=${flower} target="_blank" rel="noreferrer">${t("admin.flower")}</a>
      </li>`}
    </ul>
  </nav>`;
}
