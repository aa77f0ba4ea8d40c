// /status: how the system is.

import { render } from "preact";
import { useEffect, useMemo, useReducer } from "preact/hooks";

import { Live } from "../data/live.js";
import { html } from "../html.js";
import { Announcements } from "../parts/announcements.js";
import { Engines } from "../parts/engines.js";
import { Frame } from "../parts/frame.js";
import { Jobs } from "../parts/jobs.js";
import { Nodes } from "../parts/nodes.js";
import { Overview } from "../parts/overview.js";
import { Queues } from "../parts/queues.js";
import { Throughput } from "../parts/throughput.js";
import { speak, t } from "../words/words.js";

function Page() {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const live = useMemo(() => new Live(redraw), []);
  useEffect(() => void live.connect(), []);
  const { status, nodes, jobs, pace } = live;
  document.title = `${t("page.status")} · dubbing`;
  const change = (language) => {
    speak(language);
    redraw();
  };
  return html`<${Frame} live=${live} speak=${change}>
    <h1>${t("page.status")}</h1>
    ${status
      ? html`
          <${Announcements} announcements=${status.announcements} />
          <${Overview} status=${status} />
          <${Jobs} jobs=${jobs} count=${Object.values(status.jobs).reduce((a, b) => a + b, 0)} />
          <${Throughput} pace=${pace} />
          <${Nodes} nodes=${nodes} />
          <div class="halves">
            <${Engines} engines=${status.engines} />
            <${Queues} queues=${status.queues} />
          </div>
        `
      : html`<p aria-busy="true">${t("waiting")}</p>`}
  <//>`;
}

render(html`<${Page} />`, document.body);
