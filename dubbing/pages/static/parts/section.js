// The frame of a page's content: a title, and parts under headings, which guide screen readers.

import { html } from "../html.js";
import { visible } from "./name.js";

// The name of a page, in the title of its window too.
export function Title({ of }) {
  document.title = `${visible(of)} · dubbing`;
  return html`<h1><bdi>${visible(of)}</bdi></h1>`;
}

export function Section({ id, title, children }) {
  return html`<section aria-labelledby=${id}>
    <h2 id=${id}>${title}</h2>
    ${children}
  </section>`;
}

// A table that scrolls within itself on a narrow screen, also by keys. heads: texts of its columns.
export function Table({ label, heads, children }) {
  return html`<div class="table" role="group" aria-labelledby=${label} tabindex="0">
    <table aria-labelledby=${label}>
      <thead>
        <tr>
          ${heads.map((head) => html`<th key=${head} scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${children}
      </tbody>
    </table>
  </div>`;
}
