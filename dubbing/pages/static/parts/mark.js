// A coloured mark with its word, because not everybody can tell the colours apart.

import { html } from "../html.js";

// tone: "good", "busy", "quiet" or "bad".
export function Mark({ tone, children }) {
  return html`<span class="mark ${tone}"><i aria-hidden="true"></i>${children}</span>`;
}
