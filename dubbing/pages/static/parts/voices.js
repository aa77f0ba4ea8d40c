// The voices that the tenant made of recordings: hear them, speak in them, delete them.

import { useRef, useState } from "preact/hooks";

import { html } from "../html.js";
import { languageName, number, span, time } from "../words/figures.js";
import { t } from "../words/words.js";
import { Hear } from "./hear.js";
import { Judged } from "./judged.js";
import { Name, visible } from "./name.js";
import { Refusal } from "./refusal.js";
import { Section, Table } from "./section.js";

const HEADS = ["voice", "voice.speech", "voice.judged", "voice.engines", "voice.does"];

// use: called with a voice that is to speak. remove: called with one that is to go.
export function Voices({ voices, engines, may, use, remove }) {
  const online = new Set(engines.filter((engine) => engine.online).map((engine) => engine.name));
  return html`<${Section} id="voices" title=${t("voices")}>
    ${voices.length === 0
      ? html`<p>${t("voices.none")}</p>`
      : html`<${Table} label="voices" heads=${HEADS.map((head) => t(head))}>
          ${voices.map(
            (voice) => html`<tr key=${voice.voice_id}>
              <th scope="row">
                <${Name} of=${voice.voice_id} />
                <small class="measured">
                  ${[
                    voice.language && languageName(voice.language),
                    voice.created_at && time(voice.created_at, { dateStyle: "medium" }),
                  ]
                    .filter(Boolean)
                    .join(" · ")}
                </small>
              </th>
              <td>${span(voice.seconds)}</td>
              <td class="judged"><${Judged} voice=${voice} /></td>
              <td class="able"><${Able} engines=${voice.engines} online=${online} /></td>
              <td>
                <${Does} voice=${voice} online=${online} may=${may} use=${use} remove=${remove} />
              </td>
            </tr>`,
          )}
        <//>`}
  <//>`;
}

// The engines that can speak in a voice: those that nobody works for now are told on demand.
function Able({ engines, online }) {
  const others = engines.filter((engine) => !online.has(engine));
  return html`${engines.filter((engine) => online.has(engine)).join(", ")}
  ${others.length > 0 &&
  html`<details>
    <summary>${t("voice.offline", { count: number(others.length) })}</summary>
    ${others.join(", ")}
  </details>`}`;
}

function Does({ voice, online, may, use, remove }) {
  const [asking, setAsking] = useState(false);
  const [fault, setFault] = useState(null);
  const sure = useRef(null);
  const first = useRef(null);
  const name = visible(voice.voice_id);
  const able = voice.engines.find((engine) => online.has(engine));

  // The button that was pressed is gone: the one in its place has the keys.
  const turn = (to) => {
    setAsking(to);
    requestAnimationFrame(() => (to ? sure : first).current?.focus());
  };

  async function go() {
    setAsking(false);
    setFault(null);
    try {
      await remove(voice);
    } catch (refused) {
      // That the gateway is away is told by the frame, until it is back.
      if (refused.status !== 0) setFault(refused);
    }
  }

  if (asking) {
    return html`<span class="buttons">
      <button type="button" class="small grave" ref=${sure} onClick=${go}>
        ${t("voice.delete-now")}
      </button>
      <button type="button" class="outline secondary small" onClick=${() => turn(false)}>
        ${t("voice.keep")}
      </button>
    </span>`;
  }
  return html`<span class="buttons">
      <${Hear} src=${`/api/voices/${encodeURIComponent(voice.voice_id)}/recording`} label=${name} />
      <button
        type="button"
        class="outline secondary small"
        disabled=${!able}
        aria-label=${`${t("voice.use")}: ${name}`}
        onClick=${() => use(voice, able)}
      >
        ${t("voice.use")}
      </button>
      ${may &&
      html`<button
        type="button"
        class="outline secondary small"
        ref=${first}
        aria-label=${`${t("voice.delete")}: ${name}`}
        onClick=${() => turn(true)}
      >
        ${t("voice.delete")}
      </button>`}
    </span>
    <${Refusal} fault=${fault} />`;
}
