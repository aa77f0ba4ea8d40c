// The speakers, their voices, and samples of these voices.

import { useEffect, useState } from "preact/hooks";

import { Player } from "../data/player.js";
import { html } from "../html.js";
import { number } from "../words/figures.js";
import { t } from "../words/words.js";
import { Name, visible } from "./name.js";
import { Section, Table } from "./section.js";

const HEADS = ["speaker", "speaker.hear", "speaker.voice", "speaker.lines"];
// A film's crowd; more speakers than this are set in a cast file.
const MOST = 200;
// Characters that are spoken to hear a voice.
const SAMPLE = 200;

export function Speakers({ draft, session }) {
  const [player] = useState(() => new Player(session));
  const [playing, setPlaying] = useState({});
  useEffect(() => {
    player.show(setPlaying);
    return () => player.stop();
  }, [player]);
  const speakers = draft.speakers;
  if (speakers.length === 0) return null;
  return html`<${Section} id="speakers" title=${t("speakers")}>
    <${Table} label="speakers" heads=${HEADS.map((head) => t(head))}>
      ${speakers.slice(0, MOST).map(
        (speaker) => html`<${Speaker}
          key=${speaker.name}
          speaker=${speaker}
          draft=${draft}
          player=${player}
          playing=${playing}
        />`,
      )}
    <//>
    ${speakers.length > MOST &&
    html`<p><small>${t("speakers.more", { count: number(speakers.length) })}</small></p>`}
  <//>`;
}

function Speaker({ speaker, draft, player, playing }) {
  const { name, lines, sample } = speaker;
  const role = draft.cast[name] ?? {};
  const engine = draft.engines.find((one) => one.name === (role.engine ?? draft.engine));
  // The dry run shows which voice the engine chooses.
  const given = draft.isTold && draft.told.preview?.speakers.find((one) => one.name === name)?.voice;
  const voice = role.voice ?? (role.reference ? null : given);
  const file = role.reference && draft.fileFor(role.reference)?.file;
  const hear = () => {
    if (playing.name === name && playing.on) return player.stop();
    if (file) return player.playFile(name, file);
    const speed = Math.min(2, Math.max(0.5, role.speed ?? 1));
    const text = sample.slice(0, SAMPLE);
    return player.speak(name, { text, voice_id: voice, engine: engine?.name, language: draft.language, speed });
  };
  const choose = (event) => draft.play(name, recast(role, event.target.value));
  const on = playing.name === name && playing.on;
  const can = Boolean(file || (voice && engine?.online && draft.language.trim() && sample.trim()));
  return html`<tr>
    <th scope="row"><${Name} of=${name} /></th>
    <td>
      <button
        class="outline secondary small"
        aria-label=${t(on ? "speaker.stop.of" : "speaker.hear.of", { name: visible(name) })}
        aria-busy=${playing.name === name && playing.busy ? "true" : null}
        disabled=${!can}
        onClick=${hear}
      >
        ${on ? "■" : "▶"}
      </button>
      ${playing.name === name &&
      playing.fault !== undefined &&
      html`<small class="bad reason" role="alert"><bdi>${playing.fault || t("speaker.mute")}</bdi></small>`}
      ${!can && !role.reference && !voice && html`<small>${t("speaker.hear.later")}</small>`}
    </td>
    <td>
      <select
        class="small"
        aria-label=${t("speaker.voice.of", { name: visible(name) })}
        value=${chosen(role)}
        onChange=${choose}
      >
        <${Voices} role=${role} engine=${engine} own=${draft.voices} given=${given} />
      </select>
    </td>
    <td>${number(lines)}</td>
  </tr>`;
}

function Voices({ role, engine, own, given }) {
  const stock = engine?.voices ?? [];
  const cloned = own.filter((one) => one.engines.includes(engine?.name)).map((one) => one.name);
  const automatic = given ? t("voice.automatic.given", { voice: visible(given) }) : t("voice.automatic");
  const known = [...stock, ...cloned];
  const option = (voice) => html`<option key=${voice} value=${`v:${voice}`}>${visible(voice)}</option>`;
  return html`
    <option value="">${automatic}</option>
    ${role.reference &&
    role.reference !== "source" &&
    html`<option value=${`r:${role.reference}`}>
      ${t("voice.recording", { name: visible(String(role.reference)) })}
    </option>`}
    ${engine?.clones && html`<option value="r:source">${t("voice.source")}</option>`}
    ${role.voice && !known.includes(role.voice) && option(role.voice)}
    ${stock.length > 0 && html`<optgroup label=${t("voice.stock")}>${stock.map(option)}</optgroup>`}
    ${cloned.length > 0 && html`<optgroup label=${t("voice.own")}>${cloned.map(option)}</optgroup>`}
  `;
}

function chosen({ voice, reference }) {
  return reference ? `r:${reference}` : voice ? `v:${voice}` : "";
}

// Returns a role with another voice: one of the engine's or one's own, a recording, or none.
function recast(role, value) {
  const { voice: _voice, reference: _reference, ...rest } = role;
  const name = value.slice(2);
  if (value.startsWith("v:")) return { ...rest, voice: name };
  return value.startsWith("r:") ? { ...rest, reference: name } : rest;
}
