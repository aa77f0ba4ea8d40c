// The frame of each page: its name, links to the other pages, the person, and the live sign.

import { render } from "preact";
import { useEffect, useMemo, useReducer } from "preact/hooks";

import { Session } from "../data/session.js";
import { html } from "../html.js";
import { time } from "../words/figures.js";
import { t } from "../words/words.js";
import { Language } from "./language.js";
import { Mark } from "./mark.js";
import { SignIn } from "./signin.js";

// The pages that there are, by their addresses.
const PAGES = {
  "/status": "page.status",
  "/jobs": "page.jobs",
  "/playground": "page.playground",
  "/admin": "page.admin",
};
// Scopes of restricted pages: other people get no link to them.
const NEEDED = { "/admin": "admin" };
const TONES = { live: "good", connecting: "quiet", away: "bad", "signed-out": "quiet" };

// Shows a page. content: a component that gets the session, once a person has signed in.
export function start(content) {
  render(html`<${Frame} content=${content} />`, document.body);
}

function Frame({ content }) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const session = useMemo(() => new Session(redraw), []);
  useEffect(() => void session.open(), []);
  const { phase, person } = session;
  const keyed = Boolean(person?.key) && !session.isOver;
  return html`
    <a class="skip" href="#main">${t("skip")}</a>
    <header class="container">
      <nav aria-label=${t("pages")}>
        <ul>
          <li><strong>dubbing</strong></li>
          ${Object.entries(PAGES)
            .filter(([page]) => !(page in NEEDED) || session.may(NEEDED[page]))
            .map(
              ([page, name]) => html`<li key=${page}>
                <a href=${page} aria-current=${current(page)}>${t(name)}</a>
              </li>`,
            )}
        </ul>
        <ul>
          <li aria-live="polite">
            ${phase !== "open" && html`<${Mark} tone=${TONES[phase]}>${t(`sign.${phase}`)}<//>`}
          </li>
          ${keyed &&
          html`<li><bdi class="name">${t("person", { tenant: person.tenant })}</bdi></li>`}
          ${keyed &&
          html`<li>
            <button class="outline secondary" onClick=${() => session.signOut()}>
              ${t("sign-out")}
            </button>
          </li>`}
          <li>
            <${Language} changed=${redraw} />
          </li>
        </ul>
      </nav>
    </header>
    <main id="main" class="container" tabindex="-1">
      <${Troubles} session=${session} />
      ${session.isOver &&
      html`<${SignIn} ended=${person !== null} done=${() => session.open()} />`}
      ${person &&
      html`<div key=${person.tenant} hidden=${session.isOver}>
        <${content} session=${session} />
      </div>`}
    </main>
  `;
}

// Whether the page is the one at an address, or one below it.
function current(address) {
  if (address === location.pathname) return "page";
  return location.pathname.startsWith(`${address}/`) ? "true" : null;
}

// A fault, which screen readers announce when it appears.
function Troubles({ session }) {
  const { phase, fault, heard } = session;
  const words = fault || (phase === "away" && t("away"));
  return html`<div role="status">
    ${words &&
    html`<p class="trouble">
      <bdi>${words}</bdi>
      ${phase === "away" && heard > 0 ? ` ${t("sign.stale", { time: time(heard) })}` : ""}
    </p>`}
  </div>`;
}
