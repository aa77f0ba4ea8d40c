// The nodes: workers and remote servers, with their load and that of their machines.

import { html } from "../html.js";
import { memory, number, percent, span } from "../words/figures.js";
import { named, t } from "../words/words.js";
import { Mark } from "./mark.js";
import { Name, Reason } from "./name.js";
import { Section, Table } from "./section.js";

const HEADS = ["node", "node.state", "node.model", "node.load", "node.cpu", "node.memory"];
const MORE_HEADS = ["node.gpu", "node.gpu-memory", "node.requests", "node.mean"];
export const NODE_TONES = { ready: "good", busy: "busy", loading: "busy", error: "bad", offline: "bad" };

export function Nodes({ nodes }) {
  const heads = [...HEADS, ...MORE_HEADS].map((head) => t(head));
  return html`<${Section} id="nodes" title=${t("nodes")}>
    ${nodes.length === 0
      ? html`<p>${t("nodes.none")}</p>`
      : html`<${Table} label="nodes" heads=${heads}>
          ${nodes.map((node) => html`<${Node} key=${node.node_id} node=${node} />`)}
        <//>`}
  <//>`;
}

function Node({ node }) {
  const models = node.loaded.length > 0 ? node.loaded.join(", ") : t("node.nothing-loaded");
  return html`<tr>
    <th scope="row"><${Name} of=${node.node_id} /></th>
    <td>
      <${Mark} tone=${NODE_TONES[node.status] ?? "quiet"}>${named("node-state", node.status)}<//>
      ${node.errors.map((error) => html`<${Reason} key=${error} of=${error} />`)}
    </td>
    <td><${Name} of=${models} /></td>
    <td>${number(node.current_load)} / ${number(node.slots)}</td>
    <td>${percent(node.cpu_percent)}</td>
    <td><${Used} mebibytes=${node.memory_used_mb} share=${node.memory_percent} /></td>
    <td>${percent(node.gpu_percent)}</td>
    <td><${Used} mebibytes=${node.gpu_memory_used_mb} share=${node.gpu_memory_percent} /></td>
    <td>
      ${number(node.request_count)}
      ${node.error_count > 0 &&
      html`<small class="bad">${t("node.failed", { count: number(node.error_count) })}</small>`}
    </td>
    <td>${span(node.avg_response_time)}</td>
  </tr>`;
}

function Used({ mebibytes, share }) {
  if (share === null) return memory(mebibytes);
  return html`${percent(share)} <small>${memory(mebibytes)}</small>`;
}
