// A button for an action of the gateway: it is busy until the end, shows the error of a failure,
// and asks first if the action is hard to undo.

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../html.js";
import { t } from "../words/words.js";
import { visible } from "./name.js";

// name: the words on the button. of: what it is done to. ask: a question, or nothing. run:
// asynchronous; throws Fault.
export function Deed({ name, of, ask, run }) {
  const [phase, setPhase] = useState("");
  const [fault, setFault] = useState("");
  const button = useRef(null);

  async function act() {
    const place = button.current.closest("section");
    setPhase("busy");
    setFault("");
    try {
      await run();
      setPhase("done");
    } catch (refused) {
      setFault(refused.message || t("away"));
      setPhase("");
    }
    // Whoever works by keys goes on from here, when the button went with what it was about.
    setTimeout(() => button.current ?? focusOn(place));
  }

  const press = () => phase !== "busy" && (ask ? setPhase("asking") : act());
  const said = fault || (phase === "done" ? t("deed.done") : "");
  return html`<button
      ref=${button}
      type="button"
      class="outline secondary"
      aria-label=${`${name}: ${visible(of)}`}
      aria-busy=${phase === "busy" ? "true" : null}
      onClick=${press}
    >
      ${name}
    </button>
    <small role="status" class=${fault ? "reason bad" : "reason"} dir="auto">${visible(said)}</small>
    ${phase === "asking" &&
    html`<${Question}
      ask=${ask}
      of=${of}
      yes=${name}
      answer=${(agreed) => (agreed ? act() : setPhase(""))}
    />`}`;
}

function Question({ ask, of, yes, answer }) {
  const dialog = useRef(null);
  const agreed = useRef(false);
  useEffect(() => dialog.current.showModal(), []);
  const leave = (decision) => {
    agreed.current = decision;
    dialog.current.close();
  };
  return html`<dialog ref=${dialog} aria-labelledby="asked" onClose=${() => answer(agreed.current)}>
    <article>
      <p id="asked">${ask}</p>
      <p>
        <strong><bdi>${visible(of)}</bdi></strong>
      </p>
      <footer>
        <button type="button" class="outline secondary" onClick=${() => leave(false)}>
          ${t("deed.cancel")}
        </button>
        <button type="button" class="grave" onClick=${() => leave(true)}>${yes}</button>
      </footer>
    </article>
  </dialog>`;
}

function focusOn(section) {
  const heading = section?.querySelector("h2");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus();
}
