// A form whose fields go to the gateway: it is busy until the answer, and keeps its input after a
// refusal.

import { cloneElement } from "preact";
import { useId, useState } from "preact/hooks";

import { html } from "../html.js";
import { t } from "../words/words.js";
import { visible } from "./name.js";

// name: the words on the button. send: gets the FormData; asynchronous, throws Fault.
export function Form({ name, send, children }) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");

  async function submit(event) {
    event.preventDefault();
    if (busy) return;
    const form = event.target;
    setBusy(true);
    setFault("");
    try {
      await send(new FormData(form));
      form.reset();
    } catch (refused) {
      setFault(refused.message || t("away"));
    }
    setBusy(false);
  }

  return html`<form class="fields" onSubmit=${submit}>
    ${children}
    <div class="wide">
      <button type="submit" aria-busy=${busy ? "true" : null}>${name}</button>
      <p role="alert" class="bad" dir="auto">${visible(fault)}</p>
    </div>
  </form>`;
}

// children: the control. help: a word on what to write, which screen readers say after the label.
export function Field({ label, help, wide, children }) {
  const described = useId();
  return html`<div class=${wide ? "wide" : ""}>
    <label>${label} ${cloneElement(children, { "aria-describedby": help && described })}</label>
    ${help && html`<small id=${described}>${help}</small>`}
  </div>`;
}

// Returns what was written in a field, a line or a word each; what stands between is left out.
export function listed(text) {
  return text.split(/[\s,，]+/).filter(Boolean);
}
