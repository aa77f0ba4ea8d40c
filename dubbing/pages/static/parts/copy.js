// A text to copy: in its own field, with a button that copies it.

import { useEffect, useRef, useState } from "preact/hooks";

import { html } from "../html.js";
import { t } from "../words/words.js";

// label: what the text is.
export function Copy({ label, text }) {
  const [copied, setCopied] = useState(false);
  const field = useRef(null);
  useEffect(() => {
    setCopied(false);
    field.current.focus();
    field.current.select();
  }, [text]);

  async function copy() {
    field.current.select();
    // A browser has a clipboard for pages that came by TLS, or from its own machine.
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else document.execCommand("copy");
    setCopied(true);
  }

  return html`<div class="copy">
    <label>${label} <input ref=${field} readonly autocomplete="off" value=${text} /></label>
    <button type="button" onClick=${copy}>${t("copy")}</button>
    <small role="status">${copied && t("copied")}</small>
  </div>`;
}
