// How many lines the nodes did in each stretch of the last hour, as far as the page has seen it.

const STRETCH = 20;
const KEPT = 3600 / STRETCH;

export class Pace {
  // Ends of stretches in seconds since 1970, and lines a minute in each; null where nobody looked.
  times = [];
  done = [];
  failed = [];
  // Lines of the whole hour.
  total = { done: 0, failed: 0 };

  #counts = null;
  #at = 0;
  #stretch = 0;
  #sums = { done: 0, failed: 0 };

  // Takes the nodes with their counts, as they are now (seconds since 1970).
  feed(nodes, now) {
    const before = this.#counts;
    const gap = now - this.#at;
    this.#at = now;
    this.#counts = new Map(nodes.map((node) => [node.node_id, counts(node)]));
    const stretch = Math.floor(now / STRETCH);
    if (before === null || gap > STRETCH) {
      // Nobody can tell when the lines since then were done.
      if (before !== null) this.#add(Math.floor((now - gap) / STRETCH) + 1, null, null);
      this.#stretch = stretch;
      this.#sums = { done: 0, failed: 0 };
      return;
    }
    if (stretch !== this.#stretch) {
      this.#add(this.#stretch + 1, this.#sums.done, this.#sums.failed);
      this.#stretch = stretch;
      this.#sums = { done: 0, failed: 0 };
    }
    for (const [node, count] of this.#counts) {
      // A node that is new, or was restarted, counts from then on.
      const was = before.get(node) ?? count;
      this.#sums.done += Math.max(0, count.done - was.done);
      this.#sums.failed += Math.max(0, count.failed - was.failed);
    }
  }

  #add(end, done, failed) {
    const rate = (count) => (count === null ? null : (count * 60) / STRETCH);
    this.times.push(end * STRETCH);
    this.done.push(rate(done));
    this.failed.push(rate(failed));
    while (this.times[0] <= this.#at - KEPT * STRETCH) {
      for (const kept of [this.times, this.done, this.failed]) kept.shift();
    }
    const sum = (rates) => Math.round((rates.reduce((all, one) => all + one, 0) * STRETCH) / 60);
    this.total = { done: sum(this.done), failed: sum(this.failed) };
  }
}

function counts({ request_count, error_count }) {
  return { done: request_count - error_count, failed: error_count };
}
