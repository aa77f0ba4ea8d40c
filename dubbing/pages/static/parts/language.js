// The choice of the page's language.

import { html } from "../html.js";
import { LANGUAGES, language, speak, t } from "../words/words.js";

// changed: called after a choice, because all texts have to be drawn again.
export function Language({ changed }) {
  const choose = (event) => {
    speak(event.target.value);
    changed();
  };
  return html`<select aria-label=${t("language")} value=${language()} onChange=${choose}>
    ${Object.entries(LANGUAGES).map(
      ([tag, name]) => html`<option key=${tag} value=${tag} lang=${tag}>${name}</option>`,
    )}
  </select>`;
}
