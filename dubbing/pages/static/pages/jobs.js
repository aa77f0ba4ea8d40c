// /jobs: the jobs that match a filter, page by page.

import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";

import { JobList as Listed, filterOf, searchOf } from "../data/joblist.js";
import { html } from "../html.js";
import { start } from "../parts/frame.js";
import { JobFilter } from "../parts/jobfilter.js";
import { JobList } from "../parts/joblist.js";
import { Title } from "../parts/section.js";
import { number } from "../words/figures.js";
import { t } from "../words/words.js";

// While a person types, the list waits.
const TYPING_MS = 300;

start(function Jobs({ session }) {
  const [filter, setFilter] = useState(() => filterOf(location.search));
  const [, redraw] = useReducer((count) => count + 1, 0);
  const listed = useMemo(() => new Listed(session, redraw), []);
  const shown = useRef(0);
  useEffect(() => {
    const typed = shown.current === session.opened;
    shown.current = session.opened;
    const timer = setTimeout(() => listed.show(filter), typed ? TYPING_MS : 0);
    return () => {
      clearTimeout(timer);
      listed.leave();
    };
  }, [session.opened, searchOf(filter)]);
  const change = (wanted) => {
    history.replaceState(null, "", `${location.pathname}${searchOf(wanted)}`);
    setFilter(wanted);
  };
  const isAdmin = session.may("admin");
  return html`<div class="head">
      <${Title} of=${t("page.jobs")} />
      ${session.may("submit") && html`<a role="button" href="/jobs/new">${t("jobs.new")}</a>`}
    </div>
    <${JobFilter} filter=${filter} change=${change} isAdmin=${isAdmin} />
    <section aria-labelledby="listed" aria-busy=${listed.busy ? "true" : "false"}>
      <h2 id="listed" class="count" aria-live="polite">${counted(listed, filter)}</h2>
      ${listed.fault && html`<p class="trouble" role="alert"><bdi>${listed.fault}</bdi></p>`}
      ${listed.jobs?.length > 0 &&
      html`<${JobList} label="listed" jobs=${listed.jobs} tenants=${isAdmin} />`}
      ${listed.next &&
      html`<p>
        <button class="outline secondary" disabled=${listed.busy} onClick=${() => listed.older()}>
          ${t(filter.part ? "jobs.older.search" : "jobs.older")}
        </button>
      </p>`}
    </section>`;
});

function counted({ jobs, next }, filter) {
  if (jobs === null) return t("waiting");
  if (jobs.length === 0) return t(next ? "jobs.none.yet" : searchOf(filter) ? "jobs.none.such" : "jobs.none.at-all");
  return t(next ? "jobs.shown" : "jobs.all", { count: number(jobs.length) });
}
