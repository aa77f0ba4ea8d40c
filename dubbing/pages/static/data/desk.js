// What a visit to the playground holds: what is set, what was said, and what there is to choose.

// The oldest sounds are let go of: each may have some megabytes.
const MOST_SAID = 20;
// Slowest and fastest that /api/synthesize takes of any engine.
const SPEEDS = [0.5, 2];

let last = null;

export class Desk {
  // As /api/engines and /api/voices tell; null before the first news.
  engines = null;
  voices = null;
  wanted = { text: "", engine: "", voice: "", language: "", speed: 1 };
  // What was asked, and what came of it, the last one first.
  said = [];
  speaking = false;
  // Why nothing was said: a Fault; null while all is well.
  fault = null;

  #count = 0;
  // The language in which people read the page: the first one that is spoken.
  #own;

  constructor(own) {
    this.#own = own;
  }

  // Returns the desk of this visit: who signs in again finds it as it was.
  static of({ tenant }, own) {
    if (last?.tenant !== tenant) last = { tenant, desk: new Desk(own) };
    return last.desk;
  }

  async load(session) {
    const asked = ["/api/engines", "/api/voices"].map((path) => session.call("GET", path));
    const [{ engines }, { voices }] = await Promise.all(asked);
    this.voices = voices;
    this.engines = engines;
    this.#fit();
  }

  async loadEngines(session) {
    this.engines = (await session.call("GET", "/api/engines")).engines;
    this.#fit();
  }

  async loadVoices(session) {
    this.voices = (await session.call("GET", "/api/voices")).voices;
    this.#fit();
  }

  // Sets what is wanted next. What the engine lacks gives way to what it has.
  want(fields) {
    Object.assign(this.wanted, fields);
    this.#fit();
  }

  get engine() {
    return this.engines?.find((one) => one.name === this.wanted.engine) ?? null;
  }

  // The caller's voices that an engine can speak in.
  own(engine) {
    return (this.voices ?? []).filter((voice) => voice.engines.includes(engine));
  }

  // Slowest and fastest that is taken for the engine.
  get speeds() {
    const [slowest, fastest] = this.engine?.speeds ?? [1, 1];
    return [Math.max(slowest, SPEEDS[0]), Math.min(fastest, SPEEDS[1])];
  }

  get ready() {
    const { text, voice, language } = this.wanted;
    return text.trim() !== "" && voice !== "" && language !== "" && Boolean(this.engine?.online);
  }

  // Has the text spoken. changed: called when that begins and ends.
  async speak(session, changed) {
    if (this.speaking || !this.ready) return;
    const asked = { ...this.wanted };
    this.speaking = true;
    this.fault = null;
    changed();
    try {
      const answer = await session.ask("POST", "/api/synthesize", body(asked));
      this.#keep(asked, answer, await answer.blob());
    } catch (fault) {
      this.fault = fault;
    }
    this.speaking = false;
    changed();
  }

  #keep(asked, answer, sound) {
    this.#count += 1;
    const { headers } = answer;
    this.said.unshift({
      number: this.#count,
      asked,
      url: URL.createObjectURL(sound),
      file: `${asked.engine}-${asked.voice}-${this.#count}.wav`,
      node: headers.get("X-Node-Id"),
      took: took(headers),
      // Whether it began to play by itself.
      played: false,
    });
    for (const { url } of this.said.splice(MOST_SAID)) URL.revokeObjectURL(url);
  }

  #fit() {
    const { wanted } = this;
    if (this.engines === null) return;
    if (this.engine === null) wanted.engine = this.#first()?.name ?? "";
    const { engine } = this;
    if (engine === null) return;
    const voices = [...engine.voices, ...this.own(engine.name).map((voice) => voice.voice_id)];
    const any = voices.length === 0 && !engine.clones;
    if (!any && !voices.includes(wanted.voice)) wanted.voice = voices[0] ?? "";
    const { languages } = engine;
    if (!languages.includes("*") && !languages.includes(wanted.language)) wanted.language = "";
    const plain = languages.includes("*") || languages.includes(this.#own);
    wanted.language ||= plain ? this.#own : languages[0];
    const [slowest, fastest] = this.speeds;
    wanted.speed = Math.min(Math.max(wanted.speed, slowest), fastest);
  }

  // Returns the engine that is set at first: one that can speak at once.
  #first() {
    const online = this.engines.filter((engine) => engine.online);
    const speaks = ({ name, voices }) => voices.length > 0 || this.own(name).length > 0;
    return online.find(speaks) ?? online[0];
  }
}

// Returns the seconds that the speech took, with the wait for it, or null.
function took(headers) {
  const told = /speech;dur=([\d.]+)/.exec(headers.get("Server-Timing") ?? "");
  return told && Number(told[1]) / 1000;
}

// Returns what /api/synthesize takes for what is wanted.
export function body({ text, engine, voice, language, speed }) {
  return { text, voice_id: voice, engine, language, speed };
}
