// The engines that nodes were started for, and whether a node runs them now.

import { html } from "../html.js";
import { number } from "../words/figures.js";
import { t } from "../words/words.js";
import { Mark } from "./mark.js";
import { Name } from "./name.js";
import { Section } from "./section.js";

export function Engines({ engines }) {
  const found = Object.entries(engines);
  return html`<${Section} id="engines" title=${t("engines")}>
    ${found.length === 0
      ? html`<p>${t("engines.none")}</p>`
      : html`<ul class="cards">
          ${found.map(
            ([name, { available, node_count }]) => html`<li key=${name}>
              <strong><${Name} of=${name} /></strong>
              <${Mark} tone=${available ? "good" : "bad"}>
                ${t(available ? "engine.available" : "engine.away")}
              <//>
              <small>${t("engine.nodes", { count: number(node_count) })}</small>
            </li>`,
          )}
        </ul>`}
  <//>`;
}
