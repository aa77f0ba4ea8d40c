// /jobs/{id}: one job, as it goes on and as it turned out.

import { useEffect, useMemo, useReducer, useState } from "preact/hooks";

import { Job } from "../data/job.js";
import { html } from "../html.js";
import { Downloads } from "../parts/downloads.js";
import { Film } from "../parts/film.js";
import { start } from "../parts/frame.js";
import { JobHead } from "../parts/jobhead.js";
import { Judge } from "../parts/judge.js";
import { Mend } from "../parts/mend.js";
import { Title } from "../parts/section.js";
import { t } from "../words/words.js";

const ID = decodeURIComponent(location.pathname.split("/").pop());
const ASKED = ["long", "missing", "words", "voice", "unapproved"];

start(function JobPage({ session }) {
  const [, redraw] = useReducer((count) => count + 1, 0);
  const job = useMemo(() => new Job(session, ID, redraw), []);
  const [voices, setVoices] = useState({});
  useEffect(() => {
    job.connect();
    return () => job.leave();
  }, [session.opened]);
  const may = session.may("submit") || session.may("admin");
  useEffect(() => {
    if (may) voicesOf(session).then(setVoices, () => {});
  }, [session.opened, may]);

  if (!job.now) {
    return html`<${Title} of=${ID} />
      ${job.fault
        ? html`<p class="trouble" role="alert"><bdi>${job.fault}</bdi></p>`
        : html`<p aria-busy="true">${t("waiting")}</p>`}`;
  }
  const url = (output) => `${job.at("outputs", output.name)}?round=${job.now.round}`;
  return html`<${Title} of=${job.id} />
    <${JobHead} job=${job} may=${may} gone=${() => location.assign("/jobs")} />
    ${job.report === null
      ? html`<p aria-busy="true">${t("dub.lines.loading")}</p>`
      : html`
          ${job.outputs.length > 0 &&
          html`<div class="halves">
            <${Film} outputs=${job.outputs} report=${job.report} url=${url} />
            <${Downloads} job=${job} />
          </div>`}
          <${Judge}
            report=${job.report}
            sounds=${{ take: (line) => job.take(line), original: (line) => job.original(line) }}
            asked=${ASKED}
            actions=${(line) =>
              may &&
              !line.silent &&
              html`<${Mend} job=${job} line=${line} voices=${voices[line.engine] ?? []} />`}
          />
        `}`;
});

// Returns the voices that each engine can speak in.
async function voicesOf(session) {
  const asked = ["/api/engines", "/api/voices"].map((path) => session.call("GET", path));
  const [{ engines }, { voices }] = await Promise.all(asked);
  return Object.fromEntries(
    engines.map(({ name, voices: stock }) => [
      name,
      [...stock, ...voices.filter((one) => one.engines.includes(name)).map((one) => one.name)],
    ]),
  );
}
