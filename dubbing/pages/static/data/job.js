// One job as it goes on, its lines and its files.

// A pause between two looks at the lines of a job at work: many times what a look takes.
const PAUSE_MS = 1500;
const RATIO = 8;
const ENDED = new Set(["completed", "failed", "cancelled"]);

export class Job {
  // As /v1/jobs/{id} tells; null before the first news.
  now = null;
  // As /v1/jobs/{id}/lines tells, its lines as those of a report with what is known besides.
  report = null;
  outputs = [];
  // Why there is nothing to show, or why the last wish was refused.
  fault = "";

  #session;
  #changed;
  #path;
  #events = null;
  #known = "";
  #wait = 0;

  // changed: called after each change.
  constructor(session, id, changed) {
    this.#session = session;
    this.#changed = changed;
    this.#path = `/v1/jobs/${encodeURIComponent(id)}`;
    this.id = id;
  }

  get ended() {
    return this.now !== null && ENDED.has(this.now.state);
  }

  // Shows the job, and follows it until it ends.
  async connect() {
    this.leave();
    try {
      this.#take(await this.#session.call("GET", this.#path));
      if (!this.ended) this.#follow();
    } catch (fault) {
      this.#refused(fault);
    }
  }

  leave() {
    clearTimeout(this.#wait);
    this.#wait = 0;
    this.#known = "";
    this.#events?.close();
    this.#events = null;
  }

  // Returns where something of the job is fetched.
  at(...parts) {
    return [this.#path, ...parts.map(encodeURIComponent)].join("/");
  }

  // Where the sound of a line is; it changes with the sound.
  take(line) {
    return line.sound ? `${this.at("lines", line.id)}?sound=${line.sound}` : null;
  }

  // Where the original's sound of a line is; null for a job without media.
  original(line) {
    return this.report?.original ? this.at("lines", line.id, "original") : null;
  }

  // Wishes something of the gateway; returns whether it was granted.
  async wish(method, path, body) {
    this.fault = "";
    try {
      const said = await this.#session.call(method, path, body);
      if (said?.state) await this.connect();
      return true;
    } catch (fault) {
      this.#refused(fault);
      return false;
    }
  }

  // Approves a line as it sounds now, or takes that back.
  async approve(line, good) {
    const path = this.at("lines", line.id, "approval");
    const done = good
      ? await this.wish("PUT", path, { sound: line.sound })
      : await this.wish("DELETE", path);
    if (!done) return;
    const lines = this.report.lines.map((one) =>
      one.id === line.id ? { ...one, approved: good } : one,
    );
    this.report = { ...this.report, lines };
    this.#changed();
  }

  #refused(fault) {
    // The session shows those itself.
    if (fault.status !== 0 && fault.status !== 401) this.fault = fault.message;
    this.#changed();
  }

  #follow() {
    const events = new EventSource(this.at("events"));
    this.#events = events;
    events.addEventListener("status", ({ data }) => {
      this.#session.heard = Date.now();
      this.#session.become("live");
      this.#take(JSON.parse(data));
    });
    events.addEventListener("end", () => {
      this.leave();
      this.#session.become("open");
      this.connect();
    });
    events.onerror = () => {
      // The gateway is gone: the session finds it again, and the job is followed anew.
      if (this.#events !== events) return;
      this.leave();
      this.#session.lose();
    };
  }

  #take(job) {
    this.now = job;
    const known = JSON.stringify([job.round, job.state, job.lines, job.output]);
    if (known !== this.#known && this.#wait === 0) this.#look(known);
    this.#changed();
  }

  async #look(known) {
    this.#known = known;
    this.#wait = -1;
    const begun = performance.now();
    try {
      const asked = ["lines", ...(this.now.output ? ["outputs"] : [])];
      const [told, files] = await Promise.all(
        asked.map((what) => this.#session.call("GET", this.at(what))),
      );
      this.report = { ...told, lines: told.lines.map(flat) };
      this.outputs = files?.outputs ?? [];
    } catch (fault) {
      this.#wait = 0;
      return this.#refused(fault);
    }
    this.#changed();
    const pause = Math.max(PAUSE_MS, RATIO * (performance.now() - begun));
    this.#wait = setTimeout(() => {
      this.#wait = 0;
      this.#take(this.now);
    }, this.ended ? 0 : pause);
  }
}

function flat({ told, ...known }) {
  return { ...told, ...known };
}
