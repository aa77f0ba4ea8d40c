// A list of jobs: status, tenant and error of each.

import { html } from "../html.js";
import { span, time } from "../words/figures.js";
import { t } from "../words/words.js";
import { JobLines, JobState } from "./jobs.js";
import { Name, Reason } from "./name.js";
import { Table } from "./section.js";

const HEADS = ["job", "job.state", "job.progress", "job.language"];
const MORE_HEADS = ["job.whose", "job.created", "job.left", "job.error"];
const WHEN = { dateStyle: "short", timeStyle: "short" };

// label: the id of its heading. tenants: whether each job's tenant is told.
export function JobList({ label, jobs, tenants }) {
  const heads = [...HEADS, tenants ? MORE_HEADS[0] : "job.collection", ...MORE_HEADS.slice(1)];
  return html`<div class="whole">
    <${Table} label=${label} heads=${heads.map((head) => t(head))}>
      ${jobs.map((job) => html`<${Job} key=${job.id} job=${job} tenants=${tenants} />`)}
    <//>
  </div>`;
}

function Job({ job, tenants }) {
  return html`<tr>
    <th scope="row">
      <a href=${`/jobs/${encodeURIComponent(job.id)}`}><${Name} of=${job.id} /></a>
      <${Notes} metadata=${job.metadata} />
    </th>
    <td><${JobState} job=${job} /></td>
    <td><${JobLines} job=${job} /></td>
    <td><${Name} of=${job.language} /></td>
    <td>
      ${tenants && html`<${Name} of=${job.tenant} />`}
      ${job.collection
        ? html`<${tenants ? "small" : "span"}><${Name} of=${job.collection} /><//>`
        : !tenants && "–"}
    </td>
    <td>${job.created ? time(job.created, WHEN) : "–"}</td>
    <td>${span(job.seconds_left)}</td>
    <td>${job.error ? html`<${Reason} of=${job.error.message} />` : ""}</td>
  </tr>`;
}

function Notes({ metadata }) {
  const notes = Object.entries(metadata).map(([name, value]) => `${name}: ${value}`);
  return notes.length > 0 && html`<small><${Name} of=${notes.join(" · ")} /></small>`;
}
