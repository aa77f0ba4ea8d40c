// Markup in modules: html`<p>${text}</p>`. Texts stay texts: nothing here parses markup.

import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
