// A button that asks before an action that cannot be undone.

import { useRef } from "preact/hooks";

import { html } from "../html.js";
import { t } from "../words/words.js";

export function Confirm({ label, question, act }) {
  const dialog = useRef(null);
  const confirm = () => {
    dialog.current.close();
    act();
  };
  return html`<button class="outline secondary" onClick=${() => dialog.current.showModal()}>
      ${label}
    </button>
    <dialog ref=${dialog} aria-label=${label}>
      <article>
        <p>${question}</p>
        <footer>
          <button class="secondary" onClick=${() => dialog.current.close()}>${t("confirm.no")}</button>
          <button onClick=${confirm}>${label}</button>
        </footer>
      </article>
    </dialog>`;
}
