// The texts spoken in this visit, the latest first, to compare by ear.

import { useEffect, useRef, useState } from "preact/hooks";

import { alone } from "../data/sounding.js";
import { html } from "../html.js";
import { number, span } from "../words/figures.js";
import { t } from "../words/words.js";
import { Name, visible } from "./name.js";
import { Section } from "./section.js";

export function Said({ desk, changed }) {
  const again = (asked) => {
    desk.want(asked);
    changed();
    document.querySelector(".speak textarea")?.focus();
  };
  return html`<${Section} id="said" title=${t("said")}>
    ${desk.said.length === 0
      ? html`<p>${t("said.none")}</p>`
      : html`<ol class="heard">
          ${desk.said.map((one) => html`<${One} key=${one.number} one=${one} again=${again} />`)}
        </ol>`}
  <//>`;
}

function One({ one, again }) {
  const audio = useRef(null);
  const [lasts, setLasts] = useState(null);
  const { asked } = one;

  useEffect(() => {
    if (one.played) return;
    one.played = true;
    // A browser may forbid sound without a click: then the player remains.
    audio.current.play().catch(() => {});
  }, []);

  const label = t("said.one", { number: number(one.number), voice: visible(asked.voice) });
  return html`<li>
    <p class="ends">
      <strong>${number(one.number)}. <${Name} of=${asked.voice} /></strong>
      <small>
        <bdi>${asked.engine}</bdi> · <bdi>${visible(asked.language)}</bdi> ·${" "}
        ${number(asked.speed, 2)}×
      </small>
    </p>
    <p class="spoken" dir="auto" title=${visible(asked.text)}>${visible(asked.text)}</p>
    <audio
      ref=${audio}
      controls
      src=${one.url}
      aria-label=${label}
      onPlay=${(event) => alone(event.target)}
      onLoadedMetadata=${(event) => setLasts(event.target.duration)}
    ></audio>
    <p class="ends">
      <small>
        ${t("said.lasts", { span: span(lasts), took: span(one.took) })}
        ${" · "}<${Name} of=${one.node ?? "–"} />
      </small>
      <span class="buttons">
        <a role="button" class="outline secondary small" href=${one.url} download=${one.file}>
          ${t("said.download")}
        </a>
        <button type="button" class="outline secondary small" onClick=${() => again(asked)}>
          ${t("said.again")}
        </button>
      </span>
    </p>
  </li>`;
}
