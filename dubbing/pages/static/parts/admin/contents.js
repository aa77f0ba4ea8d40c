// What the page has, and the way to Flower, if somebody told where that is.

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
