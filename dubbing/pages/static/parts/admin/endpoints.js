// The servers of remote engines, and whether they get lines.

import { useState } from "preact/hooks";

import { useLoaded } from "../../data/loaded.js";
import { html } from "../../html.js";
import { number } from "../../words/figures.js";
import { t } from "../../words/words.js";
import { Deed } from "../deed.js";
import { Field, Form, listed } from "../form.js";
import { Mark } from "../mark.js";
import { Name, Reason } from "../name.js";
import { Section, Table } from "../section.js";

const HEADS = ["engine", "endpoint", "endpoint.slots", "endpoint.model", "endpoint.price"];
const MORE_HEADS = ["endpoint.state", "commands"];

export function Endpoints({ session }) {
  const { found, fault, reload } = useLoaded(session, () => session.call("GET", "/v1/endpoints"));
  // The result of each server's last check: "" if it is usable.
  const [checked, setChecked] = useState(new Map());
  const pools = found?.engines ?? [];
  const servers = pools.flatMap((pool) => pool.endpoints.map((server) => ({ pool, server })));
  const path = (engine) => `/v1/endpoints/${encodeURIComponent(engine)}`;
  const change = async (method, address, body) => {
    await session.call(method, address, body);
    await reload();
  };
  const deeds = {
    drain: ({ pool, server }) =>
      change("POST", `${path(pool.engine)}/drain`, { url: server.url, draining: !server.draining }),
    remove: ({ pool, server }) =>
      change("DELETE", `${path(pool.engine)}?url=${encodeURIComponent(server.url)}`),
    check: async (engine) => {
      const { checks } = await session.call("POST", `${path(engine)}/check`);
      setChecked((before) => new Map([...before, ...checks.map((one) => [one.url, one.error])]));
    },
  };
  return html`<${Section} id="endpoints" title=${t("endpoints")}>
    ${fault && html`<p class="trouble"><bdi>${fault}</bdi></p>`}
    ${found && servers.length === 0 && html`<p>${t("endpoints.none")}</p>`}
    ${servers.length > 0 &&
    html`<${Table} label="endpoints" heads=${[...HEADS, ...MORE_HEADS].map((head) => t(head))}>
      ${servers.map(
        (one) => html`<${Server}
          key=${`${one.pool.engine} ${one.server.url}`}
          of=${one}
          answered=${checked.get(one.server.url)}
          deeds=${deeds}
        />`,
      )}
    <//>`}
    <details>
      <summary>${t("endpoints.add")}</summary>
      <${Adding} send=${(engine, body) => change("POST", path(engine), body)} />
    </details>
  <//>`;
}

function Server({ of, answered, deeds }) {
  const { pool, server } = of;
  return html`<tr>
    <th scope="row"><${Name} of=${pool.engine} /></th>
    <td><${Name} of=${server.url} /></td>
    <td>${number(server.slots)}</td>
    <td><${Name} of=${pool.model || "–"} /></td>
    <td>${server.price ?? "–"}</td>
    <td>
      <${Mark} tone=${server.draining ? "quiet" : "good"}>
        ${t(server.draining ? "endpoint.draining" : "endpoint.used")}
      <//>
      ${answered === "" && html`<small>${t("endpoint.answers")}</small>`}
      ${answered && html`<${Reason} of=${answered} />`}
    </td>
    <td>
      <div class="deeds">
        <${Deed}
          name=${t("endpoint.check")}
          of=${server.url}
          run=${() => deeds.check(pool.engine)}
        />
        <${Deed}
          name=${t(server.draining ? "endpoint.undrain" : "endpoint.drain")}
          of=${server.url}
          run=${() => deeds.drain(of)}
        />
        <${Deed}
          name=${t("endpoint.remove")}
          of=${server.url}
          ask=${t("endpoint.remove.ask")}
          run=${() => deeds.remove(of)}
        />
      </div>
    </td>
  </tr>`;
}

function Adding({ send }) {
  const add = (form) =>
    send(form.get("engine").trim(), {
      url: form.get("url").trim(),
      slots: Number(form.get("slots")),
      model: form.get("model").trim(),
      voices: listed(form.get("voices")),
      languages: listed(form.get("languages")),
      clones: form.get("clones") !== null,
      key_from: form.get("key_from").trim(),
      price: form.get("price").trim() || null,
    });
  return html`<${Form} name=${t("endpoints.add")} send=${add}>
    <${Field} label=${t("engine")} help=${t("endpoint.engine.help")}>
      <input name="engine" required maxlength="100" pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*" />
    <//>
    <${Field} label=${t("endpoint")} help=${t("endpoint.url.help")}>
      <input name="url" type="url" required maxlength="1000" />
    <//>
    <${Field} label=${t("endpoint.slots")} help=${t("endpoint.slots.help")}>
      <input name="slots" type="number" required min="1" max="1000" defaultValue="1" />
    <//>
    <${Field} label=${t("endpoint.model")} help=${t("endpoint.model.help")}>
      <input name="model" maxlength="200" />
    <//>
    <${Field} label=${t("endpoint.voices")} help=${t("endpoint.voices.help")}>
      <input name="voices" />
    <//>
    <${Field} label=${t("endpoint.languages")} help=${t("endpoint.languages.help")}>
      <input name="languages" />
    <//>
    <${Field} label=${t("endpoint.key-from")} help=${t("endpoint.key-from.help")}>
      <input name="key_from" maxlength="100" />
    <//>
    <${Field} label=${t("endpoint.price")} help=${t("endpoint.price.help")}>
      <input name="price" maxlength="50" />
    <//>
    <label class="wide">
      <input name="clones" type="checkbox" />
      ${t("endpoint.clones")}
    </label>
  <//>`;
}
