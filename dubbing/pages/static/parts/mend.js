// The actions on a line: approve it, or change it and speak it again.

import { useEffect, useState } from "preact/hooks";

import { html } from "../html.js";
import { t } from "../words/words.js";

// job: a Job. voices: names that the line's engine can speak in, as far as they are known.
export function Mend({ job, line, voices }) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    setFault("");
    setAsked(0);
  }, [line.id]);

  async function speak(event) {
    event.preventDefault();
    const fields = new FormData(event.target);
    const change = {
      text: fields.get("text"),
      voice: fields.get("voice").trim() || null,
      speed: fields.get("speed") ? Number(fields.get("speed")) : null,
    };
    // A stored voice is given by its digest, which callers may not use as a name.
    if (change.voice === shownVoice(line)) delete change.voice;
    setBusy(true);
    const round = job.now.round;
    const granted = await job.wish("PATCH", job.at("lines", line.id), change);
    setBusy(false);
    setFault(granted ? "" : job.fault || t("away"));
    if (granted) setAsked(job.now.round === round ? -1 : job.now.round);
  }

  const waits = asked > 0 && line.state === "waiting";
  const said = waits
    ? t("mend.waits")
    : asked > 0 && line.round >= asked
      ? t("mend.done")
      : asked < 0
        ? t("mend.same")
        : "";
  return html`
    ${line.sound &&
    html`<button
      class=${line.approved ? "outline secondary" : ""}
      onClick=${() => job.approve(line, !line.approved)}
    >
      ${t(line.approved ? "line.take-back" : "line.approve")}
    </button>`}
    <p role="status">${said && html`<span aria-busy=${waits ? "true" : null}>${said}</span>`}</p>
    <details>
      <summary>${t("mend")}</summary>
      <form key=${`${line.id} ${line.round} ${line.text}`} onSubmit=${speak}>
        <label>
          ${t("mend.text")}
          <textarea name="text" rows="3" dir="auto" maxlength="20000" defaultValue=${line.text}></textarea>
        </label>
        <div class="grid">
          <label>
            ${t("mend.voice")}
            <input
              name="voice"
              list="mend-voices"
              maxlength="100"
              placeholder=${t("mend.as-speaker")}
              defaultValue=${shownVoice(line)}
            />
          </label>
          <datalist id="mend-voices">
            ${voices.map((voice) => html`<option key=${voice} value=${voice}></option>`)}
          </datalist>
          <label>
            ${t("mend.speed")}
            <input
              name="speed"
              type="number"
              min="0.5"
              max="2"
              step="0.05"
              placeholder=${t("mend.as-speaker")}
              defaultValue=${line.own_speed ?? ""}
            />
          </label>
        </div>
        <button type="submit" disabled=${busy || !job.ended} aria-busy=${busy ? "true" : null}>
          ${t("mend.speak")}
        </button>
        ${!job.ended && html`<p><small>${t("mend.later")}</small></p>`}
        <small class="bad" role="alert"><bdi>${fault}</bdi></small>
      </form>
    </details>
  `;
}

function shownVoice(line) {
  const own = line.own_voice ?? "";
  return /^[0-9a-f]{64}$/.test(own) ? "" : own;
}
