// /admin: for those who run the system.

import { useEffect, useMemo } from "preact/hooks";

import { Live } from "../data/live.js";
import { html } from "../html.js";
import { Announcing } from "../parts/admin/announcing.js";
import { Contents } from "../parts/admin/contents.js";
import { DeadLetters } from "../parts/admin/dead.js";
import { Endpoints } from "../parts/admin/endpoints.js";
import { Keys } from "../parts/admin/keys.js";
import { Models } from "../parts/admin/models.js";
import { Commands } from "../parts/admin/nodes.js";
import { start } from "../parts/frame.js";
import { Queues } from "../parts/queues.js";
import { Title } from "../parts/section.js";
import { t } from "../words/words.js";

start(function Admin({ session }) {
  return html`<${Title} of=${t("page.admin")} />
    ${session.may("admin")
      ? html`<${Office} session=${session} />`
      : html`<p class="trouble">${t("admin.refused")}</p>`}`;
});

function Office({ session }) {
  const live = useMemo(() => new Live(session), []);
  useEffect(() => {
    live.connect();
    return () => live.leave();
  }, [session.opened]);
  return html`<${Contents} flower=${session.person.flower_url} />
    ${live.status
      ? html`<${Commands} session=${session} nodes=${live.nodes} />
          <${Queues} queues=${live.status.queues} oldest=${live.status.oldest} />
          <${Models} session=${session} nodes=${live.nodes} />`
      : html`<p aria-busy="true">${t("waiting")}</p>`}
    <${Endpoints} session=${session} />
    <${Keys} session=${session} />
    <${Announcing} session=${session} current=${live.status?.announcements} />
    <${DeadLetters} session=${session} />`;
}
