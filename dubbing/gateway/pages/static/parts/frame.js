// What stands around each page: its name, the way to the others, who looks at it, and the sign that
// tells whether it is live.

import { html } from "../html.js";
import { time } from "../words/figures.js";
import { LANGUAGES, language, t } from "../words/words.js";
import { Mark } from "./mark.js";
import { SignIn } from "./signin.js";

// The pages that there are, by their addresses.
const PAGES = { "/status": "page.status" };
const TONES = { live: "good", connecting: "quiet", away: "bad", "signed-out": "quiet" };

// speak: called with a language that is chosen.
export function Frame({ live, speak, children }) {
  const { phase, person } = live;
  return html`
    <a class="skip" href="#main">${t("skip")}</a>
    <header class="container">
      <nav aria-label=${t("pages")}>
        <ul>
          <li><strong>dubbing</strong></li>
          ${Object.entries(PAGES).map(
            ([page, name]) => html`<li key=${page}>
              <a href=${page} aria-current=${page === location.pathname ? "page" : null}
                >${t(name)}</a
              >
            </li>`,
          )}
        </ul>
        <ul>
          <li aria-live="polite"><${Mark} tone=${TONES[phase]}>${t(`sign.${phase}`)}<//></li>
          ${person?.key &&
          html`<li><bdi class="name">${t("person", { tenant: person.tenant })}</bdi></li>`}
          ${person?.key &&
          html`<li>
            <button class="outline secondary" onClick=${() => live.signOut()}>
              ${t("sign-out")}
            </button>
          </li>`}
          <li>
            <select
              aria-label=${t("language")}
              value=${language()}
              onChange=${(event) => speak(event.target.value)}
            >
              ${Object.entries(LANGUAGES).map(
                ([tag, name]) => html`<option key=${tag} value=${tag} lang=${tag}>${name}</option>`,
              )}
            </select>
          </li>
        </ul>
      </nav>
    </header>
    <main id="main" class="container" tabindex="-1">
      <${Troubles} live=${live} />
      ${phase === "signed-out" ? html`<${SignIn} done=${() => live.connect()} />` : children}
    </main>
  `;
}

// What is wrong, said aloud when it comes.
function Troubles({ live }) {
  const { phase, fault, status, heard } = live;
  const words = fault || (phase === "away" && t("away"));
  return html`<div role="status">
    ${words &&
    html`<p class="trouble">
      <bdi>${words}</bdi>
      ${phase === "away" && status ? ` ${t("sign.stale", { time: time(heard) })}` : ""}
    </p>`}
  </div>`;
}
