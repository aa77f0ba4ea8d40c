// A job that a person puts together: its files, its script, who speaks, and what the dry run said.

import { fileName, isObject, namesFile, recognised } from "./dropped.js";
import { Upload } from "./upload.js";

export class Draft {
  // {file, kind, upload, fault}, in the order in which they were dropped.
  files = [];
  // Fields of the manifest that was dropped.
  manifest = {};
  id = "";
  language = "";
  engine = "";
  collection = "";
  // Roles by speaker, as in a manifest.
  cast = {};
  // Whether names before the words of a cue are its speakers; null until somebody or the script tells.
  prefix = null;
  // As the gateway read it: {segments, language, cautions, fault}; null before that.
  script = null;
  // What the dry run said: {preview} or {fault}; null before it.
  told = null;
  // Engines and voices, as the gateway lists them.
  engines = [];
  voices = [];
  // "checks" or "starts" while the gateway is asked.
  busy = "";

  #session;
  #toldOf = "";
  #read = "";
  #changed = () => {};

  constructor(session) {
    this.#session = session;
    this.tenant = session.person.tenant;
  }

  // changed: called after each change.
  show(changed) {
    this.#changed = changed;
  }

  async load() {
    try {
      const asked = ["/api/engines", "/api/voices"].map((path) => this.#session.call("GET", path));
      const [{ engines }, { voices }] = await Promise.all(asked);
      const byState = (one, other) => other.online - one.online;
      this.#become({ engines: engines.sort(byState), voices });
      if (!this.engine) this.set({ engine: engines.find((one) => one.online)?.name ?? "" });
    } catch {
      // The session tells what is wrong, and the page loads anew when the gateway is back.
    }
  }

  set(news) {
    this.#become(news);
    if ("prefix" in news) this.#readScript();
  }

  // role: as in a manifest; an empty one leaves the speaker's voice to the engine.
  play(speaker, role) {
    this.#become({ cast: { ...this.cast, [speaker]: role } });
  }

  async add(files) {
    for (const file of files) {
      const { kind, content } = await recognised(file);
      this.remove(this.files.find((one) => one.file.name === file.name));
      const one = { file, kind, content, upload: null };
      if (file.size === 0) one.fault = "empty";
      else if (content) this.#take(kind, content);
      else one.upload = new Upload(this.#session, file, () => this.#changed());
      this.#become({ files: [...this.files, one] });
      one.upload?.run().then(() => this.#readScript());
    }
  }

  remove(one) {
    if (!one) return;
    one.upload?.stop();
    this.#become({
      files: this.files.filter((other) => other !== one),
      ...(one.kind === "manifest" && { manifest: {} }),
    });
    this.#readScript();
  }

  #take(kind, content) {
    if (kind === "cast") {
      this.cast = { ...this.cast, ...content };
      return;
    }
    const { id, language, engine, collection, cast, ...rest } = content;
    const told = { id, language, engine, collection };
    for (const [name, value] of Object.entries(told)) if (typeof value === "string") this[name] = value;
    this.manifest = rest;
    if (isObject(cast)) this.cast = { ...this.cast, ...cast };
  }

  // Returns the file that plays a part: "script", "media", or a recording by its name.
  fileFor(part) {
    const last = (fits) => this.files.filter(fits).pop();
    const of = (kind, name) =>
      last((one) => one.kind === kind && (!namesFile(name) || one.file.name === fileName(name)));
    if (part === "script") {
      return this.manifest.segments ? undefined : of("script", this.manifest.script);
    }
    if (part === "media") {
      const recordings = this.recordings.map(fileName);
      const own = last((one) => one.kind === "media" && !recordings.includes(one.file.name));
      return namesFile(this.manifest.media) ? of("media", this.manifest.media) : own;
    }
    return last((one) => one.kind === "media" && one.file.name === fileName(part));
  }

  // Recordings that the cast and the background name, and that have to be dropped.
  get recordings() {
    const references = Object.values(this.cast).map((role) => role?.reference);
    return [...references, this.manifest.background?.track].filter(namesFile);
  }

  // The part that a dropped file plays; null for one that nothing needs.
  partOf(one) {
    if (one.content) return one.kind;
    if (this.fileFor("script") === one) return "script";
    if (this.fileFor("media") === one) return "media";
    return this.recordings.some((name) => this.fileFor(name) === one) ? "recording" : null;
  }

  // Names of files that the manifest and the cast name, and that nobody has dropped.
  get missing() {
    const named = [this.manifest.script, this.manifest.media].filter(namesFile);
    const found = (name) => this.files.some((one) => one.file.name === fileName(name));
    return [...named, ...this.recordings].filter((name) => !found(name)).map(fileName);
  }

  get sending() {
    return this.files.some((one) => one.upload && !one.upload.source && this.partOf(one));
  }

  // The script's lines; empty while there are none.
  get lines() {
    const { segments } = this.manifest;
    if (!Array.isArray(segments)) return this.script?.segments ?? [];
    return segments.filter(isObject).map((segment, place) => ({
      ...segment,
      id: String(segment.id ?? place + 1),
      speaker: String(segment.speaker ?? "speaker"),
      text: String(segment.text ?? ""),
    }));
  }

  // Speakers in the order of their first lines: {name, lines, sample}.
  get speakers() {
    const found = new Map();
    for (const { speaker, text } of this.lines) {
      const one = found.get(speaker) ?? { name: speaker, lines: 0, sample: text };
      found.set(speaker, { ...one, lines: one.lines + 1 });
    }
    return [...found.values()];
  }

  // The body of POST /v1/jobs.
  get request() {
    const source = (name) => this.fileFor(name)?.upload?.source;
    // The gateway refuses one that is missing, by its name.
    const put = (name) => (namesFile(name) && source(name)) || name;
    const { background } = this.manifest;
    const roles = Object.entries(this.cast).map(([speaker, role]) => [
      speaker,
      isObject(role) && role.reference ? { ...role, reference: put(role.reference) } : role,
    ]);
    const { id, language, engine, collection } = this;
    const fields = {
      ...this.manifest,
      ...without({ id: id.trim(), language: language.trim(), engine, collection: collection.trim() }),
      script: source("script") ?? this.manifest.script,
      media: source("media") ?? this.manifest.media,
      cast: Object.fromEntries(roles),
    };
    if (background?.track) fields.background = { ...background, track: put(background.track) };
    return fields;
  }

  // Returns a message of the gateway with the names of files in place of those of uploads.
  readable(message) {
    const sent = this.files.filter((one) => one.upload?.source);
    return sent.reduce((said, { file, upload }) => said.replaceAll(upload.source, file.name), message);
  }

  get #query() {
    return this.prefix ? "?speaker_prefix=true" : "";
  }

  // Whether what the dry run said is of the job as it is now.
  get isTold() {
    return this.told !== null && this.#toldOf === JSON.stringify([this.request, this.prefix]);
  }

  get canCheck() {
    return this.lines.length > 0 && this.language.trim() !== "" && !this.sending && !this.busy;
  }

  get canStart() {
    return this.canCheck && this.isTold && Boolean(this.told.preview);
  }

  // The dry run.
  async check() {
    const of = JSON.stringify([this.request, this.prefix]);
    const told = await this.#ask("checks", "/v1/jobs/preview");
    if (!told) return;
    this.#toldOf = of;
    this.#become({ told: told.fault ? told : { preview: told } });
  }

  // Submits the job; returns its id, or null. The same job again is the same one.
  async start() {
    if (!this.canStart) return null;
    const told = await this.#ask("starts", "/v1/jobs");
    if (told?.id) return told.id;
    if (told) this.#become({ told });
    return null;
  }

  async #ask(busy, path) {
    if (this.busy) return null;
    this.#become({ busy });
    try {
      return await this.#session.call("POST", `${path}${this.#query}`, this.request);
    } catch (fault) {
      // Of one that is away, or of somebody who was signed out, the session tells.
      return fault.status === 0 || fault.status === 401 ? null : { fault };
    } finally {
      this.#become({ busy: "" });
    }
  }

  async #readScript() {
    const one = this.fileFor("script");
    const asked = one?.upload?.source ? `${one.upload.id}/script${this.#query}` : "";
    if (asked === this.#read) return;
    this.#read = asked;
    if (!asked) return this.#become({ script: null });
    try {
      const script = await this.#session.call("GET", `/v1/uploads/${asked}`);
      if (asked !== this.#read) return;
      this.#become({ script });
      if (!this.language && script.language) this.set({ language: script.language });
      // A script whose cues begin with names in capitals.
      const labelled = script.cautions.some((one) => one.code === "label" && one.segment === null);
      if (this.prefix === null && labelled) this.set({ prefix: true });
    } catch (fault) {
      // Read again once the gateway is back.
      if (asked === this.#read) this.#read = null;
      if (fault.status !== 0 && fault.status !== 401) {
        this.#become({ script: { segments: [], cautions: [], fault } });
      }
    }
  }

  #become(news) {
    Object.assign(this, news);
    this.#changed();
  }
}

function without(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value));
}
