// report.html: how every line of a job turned out, in one file beside the film.

import { render } from "preact";
import { useReducer, useRef, useState } from "preact/hooks";

import { html } from "../html.js";
import { Film } from "../parts/film.js";
import { InPlace } from "../parts/inplace.js";
import { Judge } from "../parts/judge.js";
import { Language } from "../parts/language.js";
import { Mark } from "../parts/mark.js";
import { visible } from "../parts/name.js";
import { Title } from "../parts/section.js";
import { Warnings } from "../parts/warnings.js";
import { number, span } from "../words/figures.js";
import { named, t } from "../words/words.js";

// sounds: URLs of the takes that are within this file, by line.
const { report, sounds } = JSON.parse(document.getElementById("data").textContent);
const ASKED = ["long", "missing", "words", "voice"];
const NAME = "report.html";

// Files that were fetched together have names that begin alike.
function beside(output) {
  const own = decodeURIComponent(location.pathname.split("/").pop());
  const begins = own.endsWith(NAME) ? own.slice(0, -NAME.length) : "";
  return encodeURIComponent(begins + output.name);
}

function Report() {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const [alone, setAlone] = useState(false);
  const film = useRef(null);
  const urls = { take: (line) => sounds[line.id] ?? null, original: () => null };
  const inFilm = report.outputs.length > 0 && !alone;
  return html`<header class="container">
      <nav>
        <ul>
          <li><strong>dubbing</strong></li>
        </ul>
        <ul>
          <li><${Language} changed=${redraw} /></li>
        </ul>
      </nav>
    </header>
    <main class="container">
      <${Title} of=${report.job} />
      <div class="job-head">
        <${Facts} />
        <${Warnings} warnings=${report.warnings} />
      </div>
      ${alone && html`<p class="trouble">${t("report.alone")}</p>`}
      ${inFilm &&
      html`<${Film}
        outputs=${report.outputs}
        report=${report}
        url=${beside}
        player=${film}
        missing=${() => setAlone(true)}
      />`}
      <${Judge}
        report=${report}
        sounds=${urls}
        asked=${ASKED}
        actions=${(line) => inFilm && html`<${InPlace} line=${line} player=${film} />`}
      />
    </main>`;
}

function Facts() {
  const { state, language, seconds, loudness, lines } = report;
  return html`<p class="facts">
    <${Mark} tone=${state === "completed" ? "good" : "bad"}>${named("job-state", state)}<//>
    <span><bdi>${visible(language)}</bdi></span>
    <span>${t("report.lines", { count: number(lines.length) })}</span>
    ${seconds !== null && html`<span>${span(seconds)}</span>`}
    ${loudness && loudness.integrated !== null &&
    html`<span>${number(loudness.integrated, 1)} LUFS, ${number(loudness.true_peak, 1)} dBTP</span>`}
  </p>`;
}

render(html`<${Report} />`, document.body);
