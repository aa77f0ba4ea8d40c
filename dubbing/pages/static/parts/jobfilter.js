// The filter of the list of jobs. It is in the address of the page, so a link shows the same jobs.

import { html } from "../html.js";
import { named, t } from "../words/words.js";

const STATES = ["queued", "synthesizing", "assembling", "completed", "failed", "cancelled"];

// change: called with the new filter.
export function JobFilter({ filter, change, isAdmin }) {
  const set = (event) => change({ ...filter, [event.target.name]: event.target.value });
  const field = (name, more) => html`<label>
    ${t(`filter.${name}`)}
    <input
      name=${name}
      value=${filter[name]}
      maxlength="100"
      autocomplete="off"
      spellcheck="false"
      onInput=${set}
      ...${more}
    />
  </label>`;
  return html`<form
    class="filter"
    aria-label=${t("filter")}
    onSubmit=${(event) => event.preventDefault()}
  >
    ${field("part", { type: "search", placeholder: t("filter.part.hint") })}
    <label>
      ${t("job.state")}
      <select name="state" value=${filter.state} onChange=${set}>
        <option value="">${t("filter.any")}</option>
        <option value="open">${t("filter.open")}</option>
        ${STATES.map(
          (state) => html`<option key=${state} value=${state}>${named("job-state", state)}</option>`,
        )}
      </select>
    </label>
    ${field("collection")} ${isAdmin && field("tenant")} ${field("since", { type: "date" })}
    ${field("metadata", { maxlength: 600, placeholder: t("filter.metadata.hint") })}
  </form>`;
}
