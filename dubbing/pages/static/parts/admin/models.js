// The models: the nodes of each, and the nodes that have it in memory. Only nodes know the files of
// their models; they report the engines that they were started for and that they hold.

import { html } from "../../html.js";
import { useLoaded } from "../../data/loaded.js";
import { number } from "../../words/figures.js";
import { t } from "../../words/words.js";
import { Name } from "../name.js";
import { Section, Table } from "../section.js";
import { stateOf } from "./holding.js";

const HEADS = ["model", "model.licence", "model.nodes", "model.loaded", "model.loading", "model.resting"];
const ASSEMBLY = "assembly";

export function Models({ session, nodes }) {
  const { found } = useLoaded(session, () => session.call("GET", "/api/engines"));
  const known = new Map((found?.engines ?? []).map((engine) => [engine.name, engine]));
  const engines = [...new Set(nodes.flatMap((node) => node.engines))]
    .filter((name) => name !== ASSEMBLY)
    .sort();
  return html`<${Section} id="models" title=${t("models")}>
    ${engines.length === 0
      ? html`<p>${t("models.none")}</p>`
      : html`<${Table} label="models" heads=${HEADS.map((head) => t(head))}>
          ${engines.map(
            (name) => html`<${Model} key=${name} name=${name} spec=${known.get(name)} nodes=${nodes} />`,
          )}
        <//>`}
    <p><small>${t("models.elsewhere")}</small></p>
  <//>`;
}

function Model({ name, spec, nodes }) {
  const having = nodes.filter((node) => node.engines.includes(name));
  const within = (...states) => having.filter((node) => states.includes(stateOf(node, name)));
  return html`<tr>
    <th scope="row"><${Name} of=${name} /></th>
    <td><${Name} of=${spec?.licence ?? "–"} /></td>
    <${Where} nodes=${having} />
    <${Where} nodes=${within("loaded")} />
    <${Where} nodes=${within("loading")} />
    <${Where} nodes=${within("resting", "fault")} />
  </tr>`;
}

function Where({ nodes }) {
  if (nodes.length === 0) return html`<td>–</td>`;
  return html`<td>
    ${number(nodes.length)}
    <small><${Name} of=${nodes.map((node) => node.node_id).join(", ")} /></small>
  </td>`;
}
