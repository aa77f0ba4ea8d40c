// The system as the gateway tells it at /ws, and the open jobs, which the page follows there.

const CHECKED_MS = 3000;
// The gateway speaks every two seconds: after such a silence, the connection is dead.
const SILENT_MS = 10_000;
const LISTED_MS = 10_000;
// As many jobs as the gateway lets one page follow.
const MOST_JOBS = 50;
const OPEN = ["assembling", "synthesizing", "queued"];
const LISTING = `/v1/jobs?limit=${MOST_JOBS}&${OPEN.map((state) => `state=${state}`).join("&")}`;

export class Live {
  // As /api/status and /api/nodes tell; null before the first news.
  status = null;
  nodes = [];
  jobs = [];

  #session;
  #socket = null;
  #followed = new Set();
  #listed = 0;
  #checks = 0;

  constructor(session) {
    this.#session = session;
  }

  // Listens until the connection ends: the session is lost then, and opened again.
  async connect() {
    this.#session.become("connecting");
    this.#list();
    try {
      // The WebSocket tells nothing for up to two seconds.
      const asked = ["/api/status", "/api/nodes"].map((path) => this.#session.call("GET", path));
      const [status, { nodes }] = await Promise.all(asked);
      this.#take(status, nodes);
      this.#listen();
    } catch (fault) {
      if (fault.status !== 0 && fault.status !== 401) this.#session.lose(fault.message);
    }
  }

  leave() {
    const socket = this.#socket;
    this.#socket = null;
    this.#followed = new Set();
    this.#listed = 0;
    clearInterval(this.#checks);
    socket?.close();
  }

  #take(status, nodes) {
    this.status = status;
    this.nodes = nodes;
    this.#list();
  }

  #listen() {
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`);
    this.#socket = socket;
    socket.onopen = () => this.#follow();
    socket.onmessage = (event) => this.#hear(JSON.parse(event.data));
    socket.onclose = () => {
      // One that was given up has a successor, or is to have one.
      if (this.#socket === socket) this.#lose();
    };
    this.#checks = setInterval(() => this.#checkSilence(), CHECKED_MS);
  }

  #hear({ type, data, nodes }) {
    this.#session.heard = Date.now();
    if (type === "system_status") {
      this.#take(data, nodes);
      this.#session.become("live");
    } else if (type === "job_event") {
      this.jobs = this.jobs.map((job) => (job.id === data.job ? data.status : job));
      this.#session.become("live");
    } else if (type === "error" && !data.job) {
      this.#session.become("live", data.message);
    }
  }

  // Lists the open jobs, seldom, and only while there are any: the list is long to make.
  async #list() {
    const open = !this.status || Object.values(this.status.jobs).some((count) => count > 0);
    if (!open && this.jobs.length === 0) return;
    if (Date.now() - this.#listed < LISTED_MS) return;
    this.#listed = Date.now();
    try {
      const { jobs } = open ? await this.#session.call("GET", LISTING) : { jobs: [] };
      this.jobs = jobs.sort((one, other) => OPEN.indexOf(one.state) - OPEN.indexOf(other.state));
    } catch {
      // The next news brings the next try.
      return;
    }
    this.#session.changed();
    this.#follow();
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
    if (Date.now() - this.#session.heard > SILENT_MS) this.#lose();
  }

  #lose() {
    this.leave();
    this.#session.lose();
  }
}
