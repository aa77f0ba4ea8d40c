// The dub itself, with its words as subtitles.

import { useEffect, useRef } from "preact/hooks";

import { html } from "../html.js";
import { t } from "../words/words.js";
import { Section } from "./section.js";

const FILMS = ["mp4", "mkv"];
const SOUNDS = ["m4a", "mp3", "ogg", "flac", "wav"];

// outputs: as /v1/jobs/{id}/outputs tells. report: its lines. url: gives where an output is.
// player: a reference to the player, for others. missing: called when the film is not there.
export function Film({ outputs, report, url, player: others, missing }) {
  const kind = (name) => name.replace(/^.*\./, "");
  const best = (kinds) =>
    kinds.map((one) => outputs.find(({ name }) => kind(name) === one)).find(Boolean);
  const film = best(FILMS);
  const output = film ?? best(SOUNDS);
  const own = useRef(null);
  const player = others ?? own;
  useEffect(() => {
    if (!player.current) return;
    const track = player.current.addTextTrack("subtitles", t("film.subtitles"), report.language);
    for (const line of report.lines) {
      const start = line.actual_start ?? line.planned_start;
      const cue = new VTTCue(start, Math.max(start + 0.1, line.actual_end ?? line.planned_end), "");
      cue.text = escaped(line.text);
      track.addCue(cue);
    }
    track.mode = film ? "showing" : "hidden";
    return () => {
      track.mode = "disabled";
    };
  }, [report.lines, output?.name]);
  if (!output) return null;
  const source = url(output);
  return html`<${Section} id="film" title=${t(film ? "film" : "film.sound")}>
    <${film ? "video" : "audio"}
      key=${source}
      ref=${player}
      src=${source}
      controls
      preload="metadata"
      onError=${missing}
    />
  <//>`;
}

// A cue's text has tags of its own.
function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
