// A foreign text, shown unchanged: characters that would reverse others are spelled out, and its
// direction affects nothing beside it.

import { html } from "../html.js";

// After so many characters, a text scrolls within itself.
const LONG = 600;
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

// In tables, a name that is too long is cut off; its title is whole.
export function Name({ of }) {
  const seen = visible(of);
  return html`<bdi class="name" title=${seen}>${seen}</bdi>`;
}

// A reason below its entry in a table: in full, because touch screens show no titles.
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
