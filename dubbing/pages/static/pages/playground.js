// /playground: hear a text in any voice, and make voices of recordings.

import { useEffect, useMemo, useReducer } from "preact/hooks";

import { Desk } from "../data/desk.js";
import { html } from "../html.js";
import { start } from "../parts/frame.js";
import { NewVoice } from "../parts/newvoice.js";
import { Refusal } from "../parts/refusal.js";
import { Said } from "../parts/said.js";
import { Title } from "../parts/section.js";
import { Snippets } from "../parts/snippets.js";
import { Speak } from "../parts/speak.js";
import { Voices } from "../parts/voices.js";
import { language, t } from "../words/words.js";

// Nodes come and go.
const CHECKED_MS = 15_000;

start(function Playground({ session }) {
  const [, changed] = useReducer((count) => count + 1, 0);
  const desk = useMemo(() => Desk.of(session.person, language()), [session.person.tenant]);
  useEffect(() => void load("load"), [desk, session.opened]);

  useEffect(() => {
    const checks = setInterval(() => document.hidden || load("loadEngines"), CHECKED_MS);
    return () => clearInterval(checks);
  }, [desk]);

  async function load(what) {
    try {
      await desk[what](session);
      if (what === "load") desk.fault = null;
    } catch (fault) {
      // The frame tells that the gateway is away, and opens the session anew.
      if (fault.status !== 0 && fault.status !== 401) desk.fault = fault;
    }
    changed();
  }

  async function reload() {
    await desk.loadVoices(session);
    changed();
  }

  async function remove(voice) {
    await session.call("DELETE", `/api/voices/${encodeURIComponent(voice.voice_id)}`);
    await reload();
  }

  function use(voice, engine) {
    const { wanted } = desk;
    const able = voice.engines.includes(wanted.engine) ? wanted.engine : engine;
    desk.want({ engine: able, voice: voice.voice_id, language: voice.language || wanted.language });
    changed();
    document.querySelector(".speak textarea")?.focus();
  }

  return html`<${Title} of=${t("page.playground")} />
    ${desk.engines
      ? html`
          <${Speak} desk=${desk} session=${session} changed=${changed} />
          <div class="halves">
            <${Said} desk=${desk} changed=${changed} />
            <${Snippets} desk=${desk} keyed=${session.person.key !== ""} />
          </div>
          <${NewVoice} session=${session} engines=${desk.engines} made=${reload} />
          <${Voices}
            voices=${desk.voices}
            engines=${desk.engines}
            may=${session.may("voices")}
            use=${use}
            remove=${remove}
          />
        `
      : html`<p aria-busy="true">${t("waiting")}</p>
          <${Refusal} fault=${desk.fault} />`}`;
});
