// The system as the gateway tells it at /ws, and the open jobs, which the page follows there.

import { call } from "./call.js";
import { Pace } from "./pace.js";

const AGAIN_MS = 3000;
// The gateway speaks every two seconds: after such a silence, the connection is dead.
const SILENT_MS = 10_000;
const LISTED_MS = 10_000;
// As many jobs as the gateway lets one page follow.
const MOST_JOBS = 50;
const OPEN = ["assembling", "synthesizing", "queued"];
const LISTING = `/v1/jobs?limit=${MOST_JOBS}&${OPEN.map((state) => `state=${state}`).join("&")}`;

export class Live {
  // "connecting", "live", "away" or "signed-out"
  phase = "connecting";
  // Why the gateway or a part of it is away, in its own words.
  fault = "";
  // Who looks at the page, as /session tells; null for nobody.
  person = null;
  // As /api/status and /api/nodes tell; null before the first news.
  status = null;
  nodes = [];
  jobs = [];
  pace = new Pace();
  // When the last news came, in milliseconds since 1970.
  heard = 0;

  #changed;
  #socket = null;
  #followed = new Set();
  #listed = 0;
  #again = 0;

  // changed: called after each change.
  constructor(changed) {
    this.#changed = changed;
    setInterval(() => this.#checkSilence(), AGAIN_MS);
  }

  async connect() {
    // A WebSocket does not say why it was refused, and tells nothing for up to two seconds.
    try {
      this.person = await call("GET", "/session");
      const asked = ["/api/status", "/api/nodes"].map((path) => call("GET", path));
      const [status, { nodes }] = await Promise.all(asked);
      this.#take(status, nodes);
      this.#listen();
    } catch (fault) {
      if (fault.status === 401) this.#forget();
      else this.#comeAgain(fault.message);
    }
  }

  async signOut() {
    try {
      await call("DELETE", "/session");
      this.#forget();
    } catch (fault) {
      this.#comeAgain(fault.message);
    }
  }

  #take(status, nodes) {
    this.heard = Date.now();
    this.status = status;
    this.nodes = nodes;
    this.pace.feed(nodes, this.heard / 1000);
    this.#list();
    this.#changed();
  }

  #listen() {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`);
    this.#socket = socket;
    socket.onopen = () => this.#follow();
    socket.onmessage = (event) => this.#hear(JSON.parse(event.data));
    socket.onclose = () => {
      // One that was given up has a successor, or is to have one.
      if (this.#socket === socket) this.#comeAgain("");
    };
  }

  #hear({ type, data, nodes }) {
    this.heard = Date.now();
    if (type === "system_status") {
      this.#take(data, nodes);
      this.#become("live");
    } else if (type === "job_event") {
      this.jobs = this.jobs.map((job) => (job.id === data.job ? data.status : job));
      this.#changed();
    } else if (type === "error" && !data.job) {
      this.#become("live", data.message);
    }
  }

  // Lists the open jobs, seldom, and only while there are any: the list is long to make.
  async #list() {
    const open = Object.values(this.status.jobs).some((count) => count > 0);
    if (!open && this.jobs.length === 0) return;
    if (this.heard - this.#listed < LISTED_MS) return;
    this.#listed = this.heard;
    try {
      const { jobs } = open ? await call("GET", LISTING) : { jobs: [] };
      this.jobs = jobs.sort((one, other) => OPEN.indexOf(one.state) - OPEN.indexOf(other.state));
    } catch {
      // The next news brings the next try.
      return;
    }
    this.#follow();
    this.#changed();
  }

  #follow() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const wanted = new Set(this.jobs.map((job) => job.id));
    const tell = (type, job) => this.#socket.send(JSON.stringify({ type, job }));
    for (const job of this.#followed) if (!wanted.has(job)) tell("unfollow", job);
    for (const job of wanted) if (!this.#followed.has(job)) tell("follow", job);
    this.#followed = wanted;
  }

  #checkSilence() {
    if (this.#socket && Date.now() - this.heard > SILENT_MS) this.#comeAgain("");
  }

  #comeAgain(fault) {
    this.#leave();
    this.#become("away", fault);
    this.#again = setTimeout(() => this.connect(), AGAIN_MS);
  }

  #forget() {
    this.#leave();
    Object.assign(this, { person: null, status: null, nodes: [], jobs: [], pace: new Pace() });
    this.#become("signed-out");
  }

  #leave() {
    const socket = this.#socket;
    this.#socket = null;
    this.#followed = new Set();
    this.#listed = 0;
    clearTimeout(this.#again);
    socket?.close();
  }

  #become(phase, fault = "") {
    this.phase = phase;
    this.fault = fault;
    this.#changed();
  }
}
