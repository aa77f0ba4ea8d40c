// A button that plays and stops a sound of the gateway.

import { useEffect, useState } from "preact/hooks";

import { alone } from "../data/sounding.js";
import { html } from "../html.js";
import { t } from "../words/words.js";

// label: what is heard, for those who do not see beside what the button stands.
export function Hear({ src, label }) {
  const [audio] = useState(() => new Audio());
  const [state, setState] = useState("still");

  useEffect(() => {
    const still = () => setState("still");
    audio.addEventListener("pause", still);
    return () => {
      audio.removeEventListener("pause", still);
      audio.pause();
    };
  }, []);

  async function turn() {
    if (state === "playing") return audio.pause();
    if (audio.currentSrc === "" || audio.error) audio.src = src;
    alone(audio);
    audio.currentTime = 0;
    setState("playing");
    try {
      await audio.play();
    } catch (fault) {
      // It was stopped before it began.
      if (fault.name !== "AbortError") setState("failed");
    }
  }

  return html`<button
      type="button"
      class="outline secondary small"
      aria-label=${`${t(state === "playing" ? "hear.stop" : "hear")}: ${label}`}
      onClick=${turn}
    >
      ${t(state === "playing" ? "hear.stop" : "hear")}
    </button>
    ${state === "failed" && html`<small class="bad" role="alert">${t("hear.failed")}</small>`}`;
}
