// Announcements of operators.

import { html } from "../html.js";
import { time } from "../words/figures.js";
import { named, t } from "../words/words.js";
import { Text, visible } from "./name.js";
import { Section } from "./section.js";

export function Announcements({ announcements }) {
  if (announcements.length === 0) return null;
  return html`<${Section} id="announcements" title=${t("announcements")}>
    <div aria-live="polite">
      ${announcements.map((one) => html`<${Announcement} key=${one.id} one=${one} />`)}
    </div>
  <//>`;
}

const WHEN = { dateStyle: "medium", timeStyle: "short" };

export function Announcement({ one }) {
  return html`<article class="announcement ${one.type}">
    <header>
      <strong>${named("announcement-type", one.type)}: <bdi>${visible(one.title)}</bdi></strong>
      <small>
        ${time(one.created_at, WHEN)}
        ${one.expires_at && ` · ${t("announcement.until", { time: time(one.expires_at, WHEN) })}`}
      </small>
    </header>
    ${one.message && html`<${Text} of=${one.message} />`}
  </article>`;
}
