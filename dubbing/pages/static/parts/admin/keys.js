// The API keys: their holders and last uses; making and revoking keys.

import { useState } from "preact/hooks";

import { useLoaded } from "../../data/loaded.js";
import { html } from "../../html.js";
import { time } from "../../words/figures.js";
import { named, t } from "../../words/words.js";
import { Copy } from "../copy.js";
import { Deed } from "../deed.js";
import { Field, Form, listed } from "../form.js";
import { Name } from "../name.js";
import { Section, Table } from "../section.js";

const HEADS = ["key", "key.name", "key.tenant", "key.scopes", "key.created", "key.used", "commands"];
const SCOPES = ["read", "submit", "voices", "admin"];
const WHEN = { dateStyle: "medium", timeStyle: "short" };

export function Keys({ session }) {
  const { found, fault, reload } = useLoaded(session, () => session.call("GET", "/v1/keys"));
  const [made, setMade] = useState(null);
  const keys = found?.keys ?? [];
  const own = session.person.key;

  async function make(asked) {
    const key = await session.call("POST", "/v1/keys", asked);
    // It stays shown, because it cannot be read again.
    setMade(key);
    // From now on, every caller needs a key: the maker of the first one continues with it.
    if (!own) await session.signIn(key.key);
    await reload();
  }

  async function revoke({ id }) {
    await session.call("DELETE", `/v1/keys/${id}${id === own ? "?own=true" : ""}`);
    await (id === own ? session.signOut() : reload());
  }

  return html`<${Section} id="keys" title=${t("keys")}>
    ${fault && html`<p class="trouble"><bdi>${fault}</bdi></p>`}
    ${found && keys.length === 0 && html`<p>${t("keys.none")}</p>`}
    ${keys.length > 0 &&
    html`<${Table} label="keys" heads=${HEADS.map((head) => t(head))}>
      ${keys.map(
        (key) => html`<${Key} key=${key.id} of=${key} own=${key.id === own} revoke=${revoke} />`,
      )}
    <//>`}
    ${made && html`<${Made} key=${made.id} of=${made} done=${() => setMade(null)} />`}
    <details>
      <summary>${t("keys.add")}</summary>
      <${Making} first=${found !== null && keys.length === 0} make=${make} />
    </details>
  <//>`;
}

function Key({ of, own, revoke }) {
  return html`<tr>
    <th scope="row">
      ${of.id}
      ${own && html`<small>${t("key.own")}</small>`}
    </th>
    <td><${Name} of=${of.name || "–"} /></td>
    <td><${Name} of=${of.tenant} /></td>
    <td>
      ${of.scopes.map((scope) => named("scope", scope)).join(", ")}
      ${of.granted.map((place) => html`<small key=${place}><${Name} of=${place} /></small>`)}
    </td>
    <td>${time(of.created, WHEN)}</td>
    <td>${of.used ? time(of.used, WHEN) : t("key.never")}</td>
    <td>
      <${Deed}
        name=${t("key.revoke")}
        of=${of.name ? `${of.id} (${of.name})` : of.id}
        ask=${t(own ? "key.revoke.ask-own" : "key.revoke.ask")}
        run=${() => revoke(of)}
      />
    </td>
  </tr>`;
}

function Made({ of, done }) {
  return html`<article class="made">
    <p>
      <strong>${t("key.made")}</strong> <bdi><${Name} of=${of.name || of.id} /></bdi>
    </p>
    <${Copy} label=${t("key.once")} text=${of.key} />
    <button type="button" class="outline secondary" onClick=${done}>${t("key.kept")}</button>
  </article>`;
}

// first: whether there is no key yet. Then it has to be an admin's.
function Making({ first, make }) {
  const send = (form) =>
    make({
      name: form.get("name").trim(),
      tenant: form.get("tenant").trim(),
      scopes: first ? SCOPES : form.getAll("scope"),
      granted: listed(form.get("granted")),
      requests_per_minute: Number(form.get("requests")) || null,
    });
  return html`<${Form} name=${t("keys.add")} send=${send}>
    <${Field} label=${t("key.name")} help=${t("key.name.help")}>
      <input name="name" maxlength="200" autocomplete="off" />
    <//>
    <${Field} label=${t("key.tenant")} help=${t("key.tenant.help")}>
      <input
        name="tenant"
        required
        maxlength="100"
        pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*"
        defaultValue="default"
        autocomplete="off"
      />
    <//>
    <${Field} label=${t("key.granted")} help=${t("key.granted.help")}>
      <input name="granted" autocomplete="off" />
    <//>
    <${Field} label=${t("key.requests")} help=${t("key.requests.help")}>
      <input name="requests" type="number" min="1" max="1000000" />
    <//>
    ${first
      ? html`<p class="wide">${t("keys.first")}</p>`
      : html`<fieldset class="wide">
          <legend>${t("key.scopes")}</legend>
          ${SCOPES.map(
            (scope) => html`<label key=${scope}>
              <input name="scope" type="checkbox" value=${scope} defaultChecked=${scope !== "admin"} />
              ${named("scope", scope)}: ${t(`scope.${scope}.help`)}
            </label>`,
          )}
        </fieldset>`}
  <//>`;
}
