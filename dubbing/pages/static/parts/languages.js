// A field for a language: one of those of an engine, or any tag for an engine that speaks any.

import { useId } from "preact/hooks";

import { html } from "../html.js";
import { languageName } from "../words/figures.js";

// Proposed where any tag is taken.
const COMMON = "ar de en es fr hi it ja ko nl pl pt-BR ru tr zh".split(" ");

// tags: BCP 47, or "*". none: what stands for no language, where one may be left out.
export function Languages({ tags, value, set, none }) {
  const list = useId();
  const change = (event) => set(event.target.value);
  if (tags.includes("*")) {
    return html`<input
        list=${list}
        value=${value}
        maxlength="35"
        autocomplete="off"
        placeholder=${none}
        required=${!none}
        onInput=${change}
      />
      <datalist id=${list}>
        ${COMMON.map((tag) => html`<option key=${tag} value=${tag}>${languageName(tag)}</option>`)}
      </datalist>`;
  }
  const named = tags.map((tag) => [tag, languageName(tag)]);
  named.sort(([, one], [, other]) => one.localeCompare(other));
  return html`<select value=${value} onChange=${change}>
    ${none && html`<option value="">${none}</option>`}
    ${named.map(
      ([tag, name]) => html`<option key=${tag} value=${tag}>
        ${name === tag ? tag : `${name} (${tag})`}
      </option>`,
    )}
  </select>`;
}
