// The system in four numbers.

import { html } from "../html.js";
import { number } from "../words/figures.js";
import { t } from "../words/words.js";
import { Section } from "./section.js";

export function Overview({ status }) {
  const sum = (counts) => Object.values(counts).reduce((all, one) => all + one, 0);
  return html`<${Section} id="overview" title=${t("overview")}>
    <dl class="numbers">
      <${Figure} of=${status.online_nodes} name="overview.nodes" among=${status.total_nodes} />
      <${Figure} of=${status.current_concurrent} name="overview.load" />
      <${Figure} of=${sum(status.queues)} name="overview.waiting" />
      <${Figure} of=${sum(status.jobs)} name="overview.jobs" />
    </dl>
  <//>`;
}

function Figure({ of, name, among }) {
  return html`<div>
    <dt>${t(name)}</dt>
    <dd>
      ${number(of)}
      ${among > of && html` <small>${t("of", { count: number(among) })}</small>`}
    </dd>
  </div>`;
}
