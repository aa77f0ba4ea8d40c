// The jobs that match a filter, the last submitted first, and kept fresh while they are open.

const PAGE = 50;
const OPEN = ["queued", "synthesizing", "assembling"];
const FRESH_MS = 5000;
const CALM_MS = 20_000;
// As many as the gateway lists at once.
const MOST = 200;

// A filter as it stands in the address of the page; of `state`, "open" is three states.
export function filterOf(search) {
  const asked = new URLSearchParams(search);
  const one = (name) => asked.get(name) ?? "";
  return {
    part: one("part"),
    state: one("state"),
    collection: one("collection"),
    tenant: one("tenant"),
    since: /^\d{4}-\d\d-\d\d$/.test(one("since")) ? one("since") : "",
    metadata: asked.getAll("metadata").join("; "),
  };
}

export function searchOf(filter) {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) {
    for (const one of name === "metadata" ? notes(value) : [value]) if (one) said.append(name, one);
  }
  const search = said.toString();
  return search && `?${search}`;
}

export class JobList {
  // null before the first answer.
  jobs = null;
  // The cursor of the jobs before those that are listed; null at the end.
  next = null;
  busy = false;
  // Why the gateway refused the filter, in its own words.
  fault = "";

  #session;
  #changed;
  #asked = null;
  // Answers to what was asked before are dropped.
  #turn = 0;
  #timer = 0;

  // changed: called after each change.
  constructor(session, changed) {
    this.#session = session;
    this.#changed = changed;
  }

  // Lists the jobs of a filter; those of the same one as before are freshened.
  async show(filter) {
    const asked = queryOf(filter);
    this.leave();
    if (asked.toString() === this.#asked?.toString() && this.jobs && !this.fault) {
      await this.#freshen();
      return;
    }
    this.#asked = asked;
    await this.#load(null, []);
  }

  async older() {
    this.leave();
    await this.#load(this.next, this.jobs);
  }

  leave() {
    this.#turn += 1;
    clearTimeout(this.#timer);
  }

  async #load(cursor, before) {
    const turn = this.#turn;
    this.#become({ busy: true, fault: "" });
    try {
      const { jobs, next } = await this.#call({ limit: PAGE, ...(cursor && { cursor }) });
      if (turn !== this.#turn) return;
      this.#become({ busy: false, jobs: [...before, ...jobs], next });
    } catch (fault) {
      if (turn !== this.#turn) return;
      this.#become({ busy: false, jobs: before, fault: fault.message });
    }
    this.#wait();
  }

  #wait() {
    const open = this.jobs.some((job) => OPEN.includes(job.state));
    this.#timer = setTimeout(() => this.#freshen(), open ? FRESH_MS : CALM_MS);
  }

  async #freshen() {
    const turn = this.#turn;
    try {
      if (!document.hidden) await this.#look(turn);
    } catch {
      // The next look follows; a gateway that is away is told by the session.
    }
    if (turn === this.#turn) this.#wait();
  }

  // Takes in what was submitted since, and where the open jobs are now.
  async #look(turn) {
    const first = await this.#call({ limit: PAGE });
    const fresh = new Map(first.jobs.map((job) => [job.id, job]));
    const older = this.jobs.filter((job) => !fresh.has(job.id));
    if (older.some((job) => OPEN.includes(job.state))) {
      const wanted = this.#asked.getAll("state").filter((state) => OPEN.includes(state));
      const states = wanted.length > 0 ? wanted : OPEN;
      const { jobs } = await this.#call({ limit: MOST, state: states });
      for (const job of jobs) fresh.set(job.id, job);
    }
    const ended = older.filter((job) => OPEN.includes(job.state) && !fresh.has(job.id));
    for (const job of ended.slice(0, MOST / 10)) fresh.set(job.id, await this.#one(job.id));
    if (turn !== this.#turn) return;
    const states = this.#asked.getAll("state");
    const rest = older
      .map((job) => (fresh.has(job.id) ? fresh.get(job.id) : job))
      .filter((job) => job && (states.length === 0 || states.includes(job.state)));
    const next = rest.length > 0 ? this.next : first.next;
    this.#become({ jobs: [...first.jobs, ...rest], next, fault: "" });
  }

  // Returns a job, or null for one that was deleted.
  async #one(id) {
    try {
      return await this.#session.call("GET", `/v1/jobs/${encodeURIComponent(id)}`);
    } catch (fault) {
      if (fault.status === 404) return null;
      throw fault;
    }
  }

  #call(more) {
    const query = new URLSearchParams(this.#asked);
    for (const [name, value] of Object.entries(more)) {
      query.delete(name);
      for (const one of [value].flat()) query.append(name, one);
    }
    return this.#session.call("GET", `/v1/jobs?${query}`);
  }

  #become(news) {
    Object.assign(this, news);
    this.#changed();
  }
}

function queryOf({ part, state, collection, tenant, since, metadata }) {
  const query = new URLSearchParams();
  for (const one of state === "open" ? OPEN : [state]) if (one) query.append("state", one);
  for (const note of notes(metadata)) query.append("metadata", note);
  const rest = { part: part.trim(), collection: collection.trim(), tenant: tenant.trim() };
  for (const [name, value] of Object.entries(rest)) if (value) query.append(name, value);
  // The day begins where the person is.
  if (since) query.append("since", new Date(`${since}T00:00`).getTime() / 1000);
  return query;
}

function notes(metadata) {
  return metadata
    .split(";")
    .map((note) => note.trim())
    .filter(Boolean);
}
