// Files that a person dropped on the page, and what each is for a job.

const SCRIPTS = ["srt", "vtt", "ass", "ssa", "ttml"];
// A larger one is a script of very many lines: the page does not read it.
const MOST_JSON = 16 << 20;
// Fields that only a manifest has; a transcript has segments and a language too.
const OF_MANIFEST = ["media", "script", "engine", "cast", "output", "background", "fallback", "fit"];
const OF_TRANSCRIPT = ["text", "duration", "task", "words", "word_segments", "transcription_options"];

// Returns what a file is: "script", "manifest", "cast" or "media"; and the content of the middle two.
export async function recognised(file) {
  const ending = file.name.toLowerCase().split(".").pop();
  if (SCRIPTS.includes(ending)) return { kind: "script" };
  if (ending !== "json") return { kind: "media" };
  if (file.size > MOST_JSON) return { kind: "script" };
  try {
    return ofJson(JSON.parse(await file.text()));
  } catch {
    // The gateway tells where it is no JSON.
    return { kind: "script" };
  }
}

export function ofJson(content) {
  if (!isObject(content)) return { kind: "script" };
  const names = Object.keys(content);
  const has = (some) => names.some((name) => some.includes(name));
  if (isObject(content.cast) && names.length === 1) return { kind: "cast", content: content.cast };
  if (has(OF_TRANSCRIPT)) return { kind: "script" };
  if (has(OF_MANIFEST) || (has(["segments"]) && has(["language"]))) {
    return { kind: "manifest", content };
  }
  const isCast = names.length > 0 && Object.values(content).every(isObject);
  return isCast ? { kind: "cast", content } : { kind: "script" };
}

// Returns the last part of a path, by which a manifest's file is found among those that were dropped.
export function fileName(path) {
  return path.split(/[/\\]/).pop();
}

// Whether a manifest's text names a file beside it, which has to be dropped too.
export function namesFile(value) {
  return typeof value === "string" && value !== "source" && !/^(upload|s3|https):/.test(value);
}

export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
