// The name of a job, its language and its engine.

import { html } from "../html.js";
import { locale, t } from "../words/words.js";
import { visible } from "./name.js";
import { Section } from "./section.js";

export function Settings({ draft }) {
  const set = (event) => draft.set({ [event.target.name]: event.target.value });
  const { engines, engine } = draft;
  const chosen = engines.find((one) => one.name === engine);
  const languages = (chosen?.languages ?? []).filter((tag) => tag !== "*");
  return html`<${Section} id="settings" title=${t("settings")}>
    <div class="fields">
      <label>
        ${t("settings.language")}
        <input
          name="language"
          list="languages"
          value=${draft.language}
          maxlength="35"
          required
          autocomplete="off"
          spellcheck="false"
          placeholder="de, pt-BR"
          onInput=${set}
        />
        <datalist id="languages">
          ${languages.map((tag) => html`<option key=${tag} value=${tag}>${languageName(tag)}</option>`)}
        </datalist>
      </label>
      <label>
        ${t("settings.engine")}
        <select name="engine" value=${engine} onChange=${set}>
          ${!chosen && html`<option value=${engine}>${engine ? visible(engine) : "–"}</option>`}
          ${engines.map(
            ({ name, online }) => html`<option key=${name} value=${name}>
              ${online ? visible(name) : t("settings.engine.away", { engine: visible(name) })}
            </option>`,
          )}
        </select>
        ${chosen && html`<small><bdi>${visible(chosen.summary)}</bdi></small>`}
      </label>
      <label>
        ${t("settings.id")}
        <input
          name="id"
          value=${draft.id}
          maxlength="100"
          pattern="[A-Za-z0-9][A-Za-z0-9._\\-]*"
          autocomplete="off"
          spellcheck="false"
          placeholder=${t("settings.id.hint")}
          onInput=${set}
        />
      </label>
      <label>
        ${t("settings.collection")}
        <input
          name="collection"
          value=${draft.collection}
          maxlength="100"
          autocomplete="off"
          spellcheck="false"
          onInput=${set}
        />
      </label>
    </div>
    ${draft.script &&
    html`<label>
      <input
        type="checkbox"
        role="switch"
        checked=${Boolean(draft.prefix)}
        onChange=${(event) => draft.set({ prefix: event.target.checked })}
      />
      ${t("settings.prefix")}
    </label>`}
  <//>`;
}

function languageName(tag) {
  try {
    return new Intl.DisplayNames(locale(), { type: "language" }).of(tag);
  } catch {
    return tag;
  }
}
