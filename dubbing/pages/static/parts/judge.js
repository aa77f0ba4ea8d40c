// The parts for judging a finished dub: the timeline, the lines, and the open line.
//
// It needs no gateway. report: as in report.json; a gateway adds each line's state. sounds: as of a
// Line. asked: reasons to filter by. actions: called with the open line, makes what stands below
// its sounds.

import { useEffect, useMemo, useState } from "preact/hooks";

import { html } from "../html.js";
import { Line } from "./line.js";
import { LineList } from "./linelist.js";
import { Timeline } from "./timeline.js";

const PLACE = /^#line=(.+)$/;

export function Judge({ report, sounds, asked, actions }) {
  // The address names the open line: it survives a reload, and can be shared.
  const [id, setId] = useState(named);
  useEffect(() => {
    const follow = () => setId(named());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const open = useMemo(() => report.lines.find((line) => line.id === id), [report.lines, id]);
  const pick = (line) => {
    const place = line ? `#line=${encodeURIComponent(line.id)}` : location.pathname;
    history.replaceState(null, "", place);
    setId(line ? line.id : null);
  };
  const close = () => {
    pick(null);
    document.querySelector(".lines").focus();
  };
  return html`<${Timeline} lines=${report.lines} seconds=${report.seconds} open=${open} pick=${pick} />
    <div class=${open ? "judge" : ""}>
      <${LineList} lines=${report.lines} asked=${asked} open=${open} pick=${pick} />
      ${open &&
      html`<${Line} line=${open} sounds=${sounds} close=${close}>${actions?.(open)}<//>`}
    </div>`;
}

function named() {
  try {
    return decodeURIComponent(location.hash.match(PLACE)?.[1] ?? "") || null;
  } catch {
    return null;
  }
}
