// The nodes and their commands. Heartbeats show the effect of a command.

import { html } from "../../html.js";
import { number } from "../../words/figures.js";
import { named, t } from "../../words/words.js";
import { Deed } from "../deed.js";
import { Mark } from "../mark.js";
import { Name, Reason } from "../name.js";
import { Section, Table } from "../section.js";
import { NODE_TONES } from "../nodes.js";
import { stateOf } from "./holding.js";

const HEADS = ["node", "node.state", "engines", "node.load", "commands"];
const ASSEMBLY = "assembly";

export function Commands({ session, nodes }) {
  return html`<${Section} id="nodes" title=${t("nodes")}>
    ${nodes.length === 0
      ? html`<p>${t("nodes.none")}</p>`
      : html`<${Table} label="nodes" heads=${HEADS.map((head) => t(head))}>
          ${nodes.map(
            (node) => html`<${Node} key=${node.node_id} session=${session} node=${node} />`,
          )}
        <//>`}
  <//>`;
}

function Node({ session, node }) {
  const { node_id: id, status } = node;
  const tell = (command, engine) =>
    session.call("POST", `/api/nodes/${encodeURIComponent(id)}/command`, { command, engine });
  return html`<tr>
    <th scope="row"><${Name} of=${id} /></th>
    <td>
      <${Mark} tone=${NODE_TONES[status] ?? "quiet"}>${named("node-state", status)}<//>
      ${node.errors.map((error) => html`<${Reason} key=${error} of=${error} />`)}
    </td>
    <td>
      ${node.engines.map(
        (engine) => html`<${Engine} key=${engine} node=${node} engine=${engine} tell=${tell} />`,
      )}
    </td>
    <td>${number(node.current_load)} / ${number(node.slots)}</td>
    <td>${status !== "offline" && html`<${Orders} node=${node} tell=${tell} />`}</td>
  </tr>`;
}

// Only a node with one process loads engines on command.
function obeys(node) {
  return node.kind === "server" || (node.slots === 1 && !node.engines.includes(ASSEMBLY));
}

function Engine({ node, engine, tell }) {
  const state = stateOf(node, engine);
  const several = node.engines.length > 1 && node.status !== "offline" && obeys(node);
  const rests = state === "resting" || state === "fault";
  const command = rests ? "load_model" : "unload_model";
  return html`<div class="held">
    <${Name} of=${engine} />
    <small>${t(`held.${state}`)}</small>
    ${several &&
    html`<${Deed}
      name=${t(`command.${command}`)}
      of=${`${engine}, ${node.node_id}`}
      run=${() => tell(command, engine)}
    />`}
  </div>`;
}

function Orders({ node, tell }) {
  const { node_id: id, kind, status } = node;
  const order = status === "standby" || status === "error" ? "activate" : "standby";
  return html`<div class="deeds">
    ${obeys(node) &&
    html`<${Deed} name=${t(`command.${order}`)} of=${id} run=${() => tell(order)} />`}
    ${kind === "worker" &&
    html`<${Deed}
      name=${t("command.stop")}
      of=${id}
      ask=${t("command.stop.ask")}
      run=${() => tell("stop")}
    />`}
    ${kind === "worker" && node.slots > 1 && html`<small>${t("command.several")}</small>`}
  </div>`;
}
