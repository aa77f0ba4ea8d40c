// A line, heard in the film: the player goes there, and stops after the line.

import { useEffect, useState } from "preact/hooks";

import { html } from "../html.js";
import { t } from "../words/words.js";

// player: a reference to the player of the film.
export function InPlace({ line, player }) {
  const [playing, setPlaying] = useState(false);
  const start = line.actual_start ?? line.planned_start;
  const end = line.actual_end ?? line.planned_end;
  useEffect(() => {
    const film = player.current;
    if (!playing || !film) return;
    const stop = () => setPlaying(false);
    const follow = () => film.currentTime >= end && stop();
    film.addEventListener("timeupdate", follow);
    film.addEventListener("pause", stop);
    film.currentTime = start;
    film.play().catch(stop);
    return () => {
      film.removeEventListener("timeupdate", follow);
      film.removeEventListener("pause", stop);
      film.pause();
    };
  }, [playing, line.id]);
  return html`<p>
    <button class="outline" onClick=${() => setPlaying(!playing)}>
      ${t(playing ? "sound.stop" : "report.in-film")}
    </button>
  </p>`;
}
