// Makes a voice from a dropped or chosen recording, with the facts that engines need.

import { useEffect, useState } from "preact/hooks";

import { alone } from "../data/sounding.js";
import { html } from "../html.js";
import { bytes, number } from "../words/figures.js";
import { t } from "../words/words.js";
import { Judged } from "./judged.js";
import { Languages } from "./languages.js";
import { Name, visible } from "./name.js";
import { Refusal } from "./refusal.js";
import { Section } from "./section.js";

// The limit of the gateway, which breaks the connection of a larger upload.
const LARGEST = 50_000_000;

// made: called with a voice that was made.
export function NewVoice({ session, engines, made }) {
  const [file, setFile] = useState(null);
  const [fields, setFields] = useState({ voice_name: "", engine: "", language: "" });
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState(null);
  const [voice, setVoice] = useState(null);
  const may = session.may("voices");
  const set = (more) => setFields((now) => ({ ...now, ...more }));
  const cloning = engines.filter((engine) => engine.clones);
  const engine = cloning.find((one) => one.name === fields.engine);

  function take(one) {
    setVoice(null);
    setFile(one.size > LARGEST ? null : one);
    setFault(one.size > LARGEST ? { message: t("new.large", sized(one)) } : null);
    if (one.size <= LARGEST) set({ voice_name: nameOf(one) });
  }

  async function make(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    form.set("audio", file);
    form.set("language", fields.language);
    setBusy(true);
    setFault(null);
    try {
      const found = await session.call("POST", "/api/extract_voice", form);
      setVoice(found);
      setFile(null);
      event.target.reset();
      set({ voice_name: "" });
      await made(found);
    } catch (refused) {
      setFault(refused);
    }
    setBusy(false);
  }

  return html`<${Section} id="new" title=${t("new")}>
    <form class="new" onSubmit=${make}>
      <${Drop} file=${file} take=${take} />
      <div class="fields">
        <label>
          ${t("new.name")}
          <input
            name="voice_name"
            maxlength="100"
            autocomplete="off"
            required
            value=${fields.voice_name}
            onInput=${(event) => set({ voice_name: event.target.value })}
          />
        </label>
        <label>
          ${t("new.engine")}
          <select
            name="engine"
            value=${fields.engine}
            onChange=${(event) => set({ engine: event.target.value })}
          >
            <option value="">${t("new.any")}</option>
            ${cloning.map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}
          </select>
          ${engine?.reference_seconds &&
          html`<small>${t("new.seconds", bounds(engine.reference_seconds))}</small>`}
        </label>
        <label>
          ${t("new.language")}
          <${Languages}
            tags=${["*"]}
            none=${t("new.unknown")}
            value=${fields.language}
            set=${(language) => set({ language })}
          />
        </label>
        <label>
          ${t("new.consent")}
          <input name="consent" maxlength="1000" autocomplete="off" placeholder=${t("new.who")} />
        </label>
      </div>
      <label>
        ${t(engine?.needs_transcript ? "new.transcript" : "new.transcript-perhaps")}
        <textarea
          name="reference_text"
          rows="2"
          maxlength="5000"
          dir="auto"
          required=${Boolean(engine?.needs_transcript)}
        ></textarea>
      </label>
      <div class="does">
        <button type="submit" disabled=${!may || file === null || busy} aria-busy=${String(busy)}>
          ${t(busy ? "new.busy" : "new.make")}
        </button>
        <small>${may ? "" : t("new.may-not")}</small>
      </div>
      <${Refusal} fault=${fault} />
    </form>
    <div role="status">
      ${voice &&
      html`<article class="made">
        <strong>${t("new.made")} <${Name} of=${voice.voice_id} /></strong>
        <div><${Judged} voice=${voice} /></div>
      </article>`}
    </div>
  <//>`;
}

function Drop({ file, take }) {
  const [over, setOver] = useState(false);
  const [url, setUrl] = useState("");

  useEffect(() => {
    if (file === null) return setUrl("");
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);

  const held = (is) => (event) => {
    event.preventDefault();
    setOver(is);
  };
  const dropped = (event) => {
    held(false)(event);
    if (event.dataTransfer.files.length > 0) take(event.dataTransfer.files[0]);
  };
  const chosen = (event) => {
    if (event.target.files.length > 0) take(event.target.files[0]);
    // The same file may be chosen again.
    event.target.value = "";
  };
  return html`<div
    class=${over ? "drop over" : "drop"}
    onDragOver=${held(true)}
    onDragLeave=${held(false)}
    onDrop=${dropped}
  >
    <label>
      <strong>${t("new.drop")}</strong><br />
      <small>${t("new.drop-what")}</small>
      <input type="file" accept="audio/*,video/*" onChange=${chosen} />
    </label>
    ${file &&
    html`<p class="ends">
      <span><bdi>${visible(file.name)}</bdi> <small>${bytes(file.size)}</small></span>
      ${url &&
      html`<audio
        controls
        src=${url}
        aria-label=${visible(file.name)}
        onPlay=${(event) => alone(event.target)}
      ></audio>`}
    </p>`}
  </div>`;
}

// Returns a name for the voice of a recording: letters that a name may have.
function nameOf(file) {
  const stem = file.name.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9._-]+/g, "-");
  return stem.replace(/^[^A-Za-z0-9]+|-+$/g, "").slice(0, 100);
}

function sized(file) {
  return { size: bytes(file.size), most: bytes(LARGEST) };
}

function bounds([least, most]) {
  return { least: number(least, 1), most: number(most, 1) };
}
