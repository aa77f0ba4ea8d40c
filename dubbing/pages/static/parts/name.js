// A text of a user or of a program elsewhere. It is shown as it is, whatever it holds: characters
// that would turn other ones around are spelled out, and its direction reaches nothing beside it.

import { html } from "../html.js";

// After so many characters, a text scrolls within itself.
const LONG = 600;
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

// In tables, a name that is too long is cut off; its title is whole.
export function Name({ of }) {
  const seen = visible(of);
  return html`<bdi class="name" title=${seen}>${seen}</bdi>`;
}

// Why something is as it is, below it in a table: whole, as nobody asks a title by touch.
export function Reason({ of }) {
  return html`<small class="reason" dir="auto">${visible(of)}</small>`;
}

export function Text({ of }) {
  const scrolls = of.length > LONG ? { tabindex: 0, role: "group" } : {};
  return html`<p class="text" dir="auto" ...${scrolls}>${visible(of)}</p>`;
}

export function visible(text) {
  return text.replace(TURNING, (one) => `\\u${one.charCodeAt(0).toString(16)}`);
}
