// The dead letters: messages that webhooks of the tenant did not receive within a day.

import { useLoaded } from "../../data/loaded.js";
import { html } from "../../html.js";
import { number, time } from "../../words/figures.js";
import { t } from "../../words/words.js";
import { Deed } from "../deed.js";
import { Name, Reason } from "../name.js";
import { Section, Table } from "../section.js";

const PATH = "/v1/webhooks";
const HEADS = ["webhook", "dead.event", "job", "dead.at", "dead.tries", "dead.error", "commands"];
const WHEN = { dateStyle: "medium", timeStyle: "short" };

export function DeadLetters({ session }) {
  const { found, fault, reload } = useLoaded(session, () => load(session));
  const letters = found?.letters ?? [];
  const send = ({ webhook, message }) =>
    session.call("POST", `${PATH}/${webhook.id}/dead/${encodeURIComponent(message.id)}/resend`);
  const resend = async (...some) => {
    try {
      for (const letter of some) await send(letter);
    } finally {
      await reload();
    }
  };
  return html`<${Section} id="dead" title=${t("dead")}>
    ${fault && html`<p class="trouble"><bdi>${fault}</bdi></p>`}
    ${found &&
    letters.length === 0 &&
    html`<p>${t("dead.none", { count: number(found.webhooks) })}</p>`}
    ${letters.length > 0 &&
    html`<${Table} label="dead" heads=${HEADS.map((head) => t(head))}>
        ${letters.map(
          (one) => html`<${Letter}
            key=${`${one.webhook.id} ${one.message.id}`}
            of=${one}
            resend=${resend}
          />`,
        )}
      <//>
      <div class="deeds">
        <${Deed}
          name=${t("dead.resend-all")}
          of=${number(letters.length)}
          run=${() => resend(...letters)}
        />
      </div>`}
  <//>`;
}

// Returns the dead letters of all webhooks, and the number of webhooks.
async function load(session) {
  const { webhooks } = await session.call("GET", PATH);
  const of = async (webhook) => {
    const { messages } = await session.call("GET", `${PATH}/${webhook.id}/dead`);
    return messages.map((message) => ({ webhook, message }));
  };
  const letters = await Promise.all(webhooks.map(of));
  return { webhooks: webhooks.length, letters: letters.flat() };
}

function Letter({ of, resend }) {
  const { webhook, message } = of;
  return html`<tr>
    <th scope="row"><${Name} of=${webhook.url} /></th>
    <td>${message.event}</td>
    <td><${Name} of=${message.job || "–"} /></td>
    <td>${time(message.at, WHEN)}</td>
    <td>${number(message.tries)}</td>
    <td><${Reason} of=${message.error} /></td>
    <td>
      <${Deed}
        name=${t("dead.resend")}
        of=${message.job || message.id}
        run=${() => resend(of)}
      />
    </td>
  </tr>`;
}
