// /status: how the system is.

import { useEffect, useMemo } from "preact/hooks";

import { Live } from "../data/live.js";
import { html } from "../html.js";
import { Announcements } from "../parts/announcements.js";
import { Engines } from "../parts/engines.js";
import { start } from "../parts/frame.js";
import { Jobs } from "../parts/jobs.js";
import { Nodes } from "../parts/nodes.js";
import { Overview } from "../parts/overview.js";
import { Queues } from "../parts/queues.js";
import { Title } from "../parts/section.js";
import { Throughput } from "../parts/throughput.js";
import { t } from "../words/words.js";

start(function Status({ session }) {
  const live = useMemo(() => new Live(session), []);
  useEffect(() => {
    live.connect();
    return () => live.leave();
  }, [session.opened]);
  const { status, nodes, jobs } = live;
  return html`<${Title} of=${t("page.status")} />
    ${status
      ? html`
          <${Announcements} announcements=${status.announcements} />
          <${Overview} status=${status} />
          <${Jobs} jobs=${jobs} count=${Object.values(status.jobs).reduce((a, b) => a + b, 0)} />
          <${Throughput} throughput=${status.throughput} />
          <${Nodes} nodes=${nodes} />
          <div class="halves">
            <${Engines} engines=${status.engines} />
            <${Queues} queues=${status.queues} oldest=${status.oldest} />
          </div>
        `
      : html`<p aria-busy="true">${t("waiting")}</p>`}`;
});
