// The form for speech: a text, an engine, its voice, a language and a speed.

import { html } from "../html.js";
import { number } from "../words/figures.js";
import { t } from "../words/words.js";
import { Languages } from "./languages.js";
import { visible } from "./name.js";
import { Refusal } from "./refusal.js";
import { Section } from "./section.js";

export function Speak({ desk, session, changed }) {
  const { wanted, engine } = desk;
  const may = session.may("submit");
  const want = (fields) => {
    desk.want(fields);
    changed();
  };
  const speak = (event) => {
    event.preventDefault();
    if (may) desk.speak(session, changed);
  };
  const pressed = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) speak(event);
  };
  return html`<${Section} id="speak" title=${t("speak")}>
    <form class="speak" onSubmit=${speak} onKeyDown=${pressed}>
      <label>
        ${t("speak.text")}
        <textarea
          rows="4"
          maxlength="5000"
          dir="auto"
          required
          placeholder=${t("speak.example")}
          value=${wanted.text}
          onInput=${(event) => want({ text: event.target.value })}
        ></textarea>
      </label>
      <div class="fields">
        <${Engines} desk=${desk} want=${want} />
        <${Voices} desk=${desk} want=${want} />
        <label>
          ${t("speak.language")}
          <${Languages}
            tags=${engine?.languages ?? []}
            value=${wanted.language}
            set=${(language) => want({ language })}
          />
        </label>
        <${Speed} desk=${desk} want=${want} />
      </div>
      <div class="does">
        <button type="submit" disabled=${!may || !desk.ready} aria-busy=${String(desk.speaking)}>
          ${t(desk.speaking ? "speak.busy" : "speak.now")}
        </button>
        <small>${may ? t("speak.keys") : t("speak.may-not")}</small>
      </div>
      <${Refusal} fault=${desk.fault} />
    </form>
  <//>`;
}

function Engines({ desk, want }) {
  const named = ({ name, online }) => (online ? name : t("speak.offline", { engine: name }));
  const engines = [...desk.engines].sort((one, other) => other.online - one.online);
  const { engine } = desk;
  const summary = engine?.online ? engine.summary : t(engine ? "speak.away" : "speak.none");
  return html`<label>
    ${t("speak.engine")}
    <select
      value=${desk.wanted.engine}
      aria-describedby="engine-summary"
      onChange=${(event) => want({ engine: event.target.value })}
    >
      ${engines.map(
        (one) => html`<option key=${one.name} value=${one.name} disabled=${!one.online}>
          ${named(one)}
        </option>`,
      )}
    </select>
    <small id="engine-summary">${summary}</small>
  </label>`;
}

function Voices({ desk, want }) {
  const { engine, wanted } = desk;
  const stock = engine?.voices ?? [];
  const own = engine ? desk.own(engine.name).map((voice) => voice.voice_id) : [];
  const none = stock.length + own.length === 0;
  const set = (event) => want({ voice: event.target.value });
  if (none && engine && !engine.clones) {
    return html`<label>
      ${t("speak.voice")}
      <input value=${wanted.voice} maxlength="100" required onInput=${set} />
      <small>${t("speak.any-voice")}</small>
    </label>`;
  }
  return html`<label>
    ${t("speak.voice")}
    <select value=${wanted.voice} disabled=${none} onChange=${set}>
      <${Group} label=${t("speak.own")} voices=${own} />
      <${Group} label=${t("speak.stock")} voices=${stock} />
    </select>
    ${none && engine && html`<small>${t("speak.no-voice")}</small>`}
  </label>`;
}

function Group({ label, voices }) {
  if (voices.length === 0) return null;
  return html`<optgroup label=${label}>
    ${voices.map((name) => html`<option key=${name} value=${name}>${visible(name)}</option>`)}
  </optgroup>`;
}

function Speed({ desk, want }) {
  const [slowest, fastest] = desk.speeds;
  const { speed } = desk.wanted;
  const alone = slowest === fastest;
  return html`<label>
    <span class="ends">${t("speak.speed")} <span>${number(speed, 2)}×</span></span>
    <input
      type="range"
      min=${slowest}
      max=${fastest}
      step="0.05"
      value=${speed}
      disabled=${alone}
      aria-valuetext=${`${number(speed, 2)}×`}
      onInput=${(event) => want({ speed: Number(event.target.value) })}
    />
    ${alone && html`<small>${t("speak.one-speed")}</small>`}
  </label>`;
}
