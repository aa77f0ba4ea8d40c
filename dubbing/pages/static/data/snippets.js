// Programs that ask for what is set on the page, ready to be run.

import { body } from "./desk.js";

// Seconds of a line's time, as /api/batch_synthesize has them: more than slow speech takes.
const LEAST_SLOT = 3;
const SLOT_PER_CHARACTER = 0.4;
// What nobody sees, or what turns other characters around.
const HIDDEN = /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;
const KEY = "DUBBING_API_KEY";

// origin: of the gateway. keyed: whether it asks for a key.
export function curl(wanted, origin, keyed) {
  const json = literal(body(wanted)).replaceAll("'", "'\\''");
  return [
    `curl '${origin}/api/synthesize'`,
    "-sS --fail-with-body -o speech.wav",
    ...(keyed ? [`-H "X-Api-Key: $${KEY}"`] : []),
    `--json '${json}'`,
  ].join(" \\\n  ");
}

export function python(wanted, origin, keyed) {
  const json = literal(body(wanted)).replaceAll("\n", "\n    ");
  return [
    ...(keyed ? ["import os", ""] : []),
    "import httpx2",
    "",
    "answer = httpx2.post(",
    `    "${origin}/api/synthesize",`,
    ...(keyed ? [`    headers={"X-Api-Key": os.environ["${KEY}"]},`] : []),
    `    json=${json},`,
    "    timeout=300,",
    ")",
    "answer.raise_for_status()",
    'with open("speech.wav", "wb") as file:',
    "    file.write(answer.content)",
  ].join("\n");
}

// longest: characters that the engine speaks at once, by language; a longer text becomes a line a
// sentence.
export function manifest({ text, engine, voice, language, speed }, longest) {
  const limit = longest[language] ?? longest[language.split("-")[0]] ?? longest["*"];
  let end = 0;
  const segments = lines(text, language, limit).map((line) => {
    const start = end;
    end = start + LEAST_SLOT + Math.ceil(SLOT_PER_CHARACTER * [...line].length);
    return { start, end, text: line };
  });
  return literal({
    language,
    engine,
    cast: { speaker: { voice, speed } },
    segments,
    speak_sounds: true,
    speak_lyrics: true,
  });
}

function lines(text, language, limit) {
  if ([...text].length <= limit) return [text];
  let sentences;
  try {
    sentences = new Intl.Segmenter(language, { granularity: "sentence" });
  } catch {
    // No tag of a language.
    sentences = new Intl.Segmenter("en", { granularity: "sentence" });
  }
  const found = [...sentences.segment(text)].map(({ segment }) => segment.trim());
  return found.filter((sentence) => sentence !== "");
}

// Returns JSON, which Python reads too as far as we use it, and in which everything is seen.
function literal(value) {
  const spelled = (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value, null, 2).replace(HIDDEN, spelled);
}
