// The open jobs: progress, time left, and hindrances.

import { html } from "../html.js";
import { number, span } from "../words/figures.js";
import { named, t } from "../words/words.js";
import { Mark } from "./mark.js";
import { Name, Reason } from "./name.js";
import { Section, Table } from "./section.js";

const HEADS = ["job", "job.state", "job.language", "job.progress", "job.left"];
const TONES = { synthesizing: "busy", assembling: "busy", completed: "good", failed: "bad" };

// count: how many jobs are open, of which only the last may be in `jobs`.
export function Jobs({ jobs, count }) {
  return html`<${Section} id="jobs" title=${t("jobs")}>
    ${jobs.length === 0
      ? html`<p>${t("jobs.none")}</p>`
      : html`<${Table} label="jobs" heads=${HEADS.map((head) => t(head))}>
          ${jobs.map((job) => html`<${Job} key=${job.id} job=${job} />`)}
        <//>`}
    ${count > jobs.length &&
    jobs.length > 0 &&
    html`<p>
      <small>${t("jobs.more", { shown: number(jobs.length), count: number(count) })}</small>
    </p>`}
  <//>`;
}

function Job({ job }) {
  return html`<tr>
    <th scope="row"><${Name} of=${job.id} /></th>
    <td><${JobState} job=${job} /></td>
    <td><${Name} of=${job.language} /></td>
    <td><${JobLines} job=${job} /></td>
    <td>${span(job.seconds_left)}</td>
  </tr>`;
}

// The state of a job, and its hindrances.
export function JobState({ job }) {
  return html`<${Mark} tone=${TONES[job.state] ?? "quiet"}>${named("job-state", job.state)}<//>
    <${Hindrance} name="job.lacks" engines=${job.lacks} />
    <${Hindrance} name="job.loading" engines=${job.loading} />`;
}

// The number of finished lines of a job.
export function JobLines({ job }) {
  const { total, done, failed } = job.lines;
  const said = t("job.progress.of", { done: number(done), total: number(total) });
  return html`<progress aria-label=${said} max=${Math.max(1, total)} value=${done}></progress>
    <small>${said}</small>
    ${failed > 0 &&
    html` <small class="bad">${t("job.failed", { count: number(failed) })}</small>`}`;
}

function Hindrance({ name, engines }) {
  if (engines.length === 0) return null;
  return html`<${Reason} of=${t(name, { engines: engines.join(", ") })} />`;
}
