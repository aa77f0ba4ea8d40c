// The lines of a job; only those in sight are in the document.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { NEEDS, chosen, needs } from "../data/needs.js";
import { html } from "../html.js";
import { clock, number, span } from "../words/figures.js";
import { t } from "../words/words.js";
import { visible } from "./name.js";
import { Section } from "./section.js";

const ROW = 48;
const AROUND = 6;
// Texts are cut here, as no row shows more.
const SHOWN = 300;

// lines: as in a report. asked: reasons that can be filtered by. open: the line that is looked at.
export function LineList({ lines, asked, open, pick }) {
  const [reasons, setReasons] = useState([]);
  const [words, setWords] = useState("");
  const found = useMemo(() => chosen(lines, reasons, words), [lines, reasons, words]);
  const counts = useMemo(() => counted(lines), [lines]);
  const toggle = (need) =>
    setReasons((old) =>
      old.includes(need) ? old.filter((one) => one !== need) : [...old, need],
    );
  return html`<${Section} id="lines" title=${t("dub.lines")}>
    <div class="bar">
      <fieldset class="chips">
        <legend>${t("dub.lines.filter")}</legend>
        ${asked.map(
          (need) => html`<label key=${need}>
            <input
              type="checkbox"
              checked=${reasons.includes(need)}
              onChange=${() => toggle(need)}
            />
            ${t(`need.${need}`)} <span class="tally">${number(counts[need])}</span>
          </label>`,
        )}
      </fieldset>
      <input
        type="search"
        aria-label=${t("dub.lines.search")}
        placeholder=${t("dub.lines.search")}
        value=${words}
        onInput=${(event) => setWords(event.target.value)}
      />
    </div>
    <p role="status">
      <small>${t("dub.lines.count", { shown: number(found.length), count: number(lines.length) })}</small>
    </p>
    <${Rows} lines=${found} open=${open} pick=${pick} />
  <//>`;
}

function counted(lines) {
  const counts = Object.fromEntries(NEEDS.map((need) => [need, 0]));
  for (const line of lines) for (const need of needs(line)) counts[need] += 1;
  return counts;
}

function Rows({ lines, open, pick }) {
  const box = useRef(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(480);
  const [active, setActive] = useState(0);
  const current = Math.min(active, lines.length - 1);
  const openAt = open ? lines.findIndex((line) => line.id === open.id) : -1;

  useLayoutEffect(() => {
    const fits = new ResizeObserver(([{ contentRect }]) => setHeight(contentRect.height));
    fits.observe(box.current);
    return () => fits.disconnect();
  }, []);
  useEffect(() => {
    if (openAt < 0) return;
    setActive(openAt);
    show(openAt);
  }, [open?.id, openAt]);

  function show(at) {
    const { scrollTop, clientHeight } = box.current;
    if (at * ROW < scrollTop) box.current.scrollTop = at * ROW;
    else if ((at + 1) * ROW > scrollTop + clientHeight) {
      box.current.scrollTop = (at + 1) * ROW - clientHeight;
    }
  }

  function press(event) {
    const page = Math.floor(height / ROW);
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page };
    const ways = { Home: 0, End: lines.length - 1 };
    if (event.key === "Enter" || event.key === " ") {
      if (lines[current]) pick(lines[current]);
    } else if (event.key in steps || event.key in ways) {
      const to = ways[event.key] ?? current + steps[event.key];
      const at = Math.max(0, Math.min(lines.length - 1, to));
      setActive(at);
      show(at);
    } else return;
    event.preventDefault();
  }

  // Only a row that comes into sight changes what is in the document.
  const first = Math.max(0, Math.floor(top / ROW) - AROUND);
  const seen = lines.slice(first, Math.ceil((top + height) / ROW) + AROUND);
  const activeSeen = current >= first && current < first + seen.length;
  return html`<div
    class="lines"
    role="listbox"
    tabindex="0"
    aria-labelledby="lines"
    aria-activedescendant=${activeSeen ? `line-${current}` : null}
    ref=${box}
    onScroll=${(event) => setTop(Math.floor(event.currentTarget.scrollTop / ROW) * ROW)}
    onKeyDown=${press}
  >
    <div role="presentation" style=${{ height: `${lines.length * ROW}px` }}>
      ${seen.map(
        (line, n) => html`<${Row}
          key=${line.id}
          line=${line}
          at=${first + n}
          count=${lines.length}
          active=${first + n === current}
          open=${line.id === open?.id}
          pick=${pick}
        />`,
      )}
    </div>
  </div>`;
}

function Row({ line, at, count, active, open, pick }) {
  return html`<div
    id=${`line-${at}`}
    class=${`line${active ? " active" : ""}`}
    role="option"
    aria-selected=${open ? "true" : "false"}
    aria-posinset=${at + 1}
    aria-setsize=${count}
    style=${{ transform: `translateY(${at * ROW}px)` }}
    onClick=${() => pick(line)}
  >
    <span class="when">${clock(line.planned_start)}</span>
    <span class="who"><bdi>${visible(line.speaker)}</bdi></span>
    <span class="what"><bdi>${visible(line.text.slice(0, SHOWN))}</bdi></span>
    <span class="why"><${Why} line=${line} /></span>
  </div>`;
}

function Why({ line }) {
  if (line.state === "waiting") return html`<small>${t("line.waiting")}</small>`;
  if (line.silent) return html`<small>${t("line.silent")}</small>`;
  const found = needs(line).filter((need) => need !== "unapproved");
  return html`${found.map(
    (need) => html`<small key=${need} class=${`tag ${need}`}
      >${t(`need.${need}`)}${need === "long" && line.overflow > 0 ? ` ${span(line.overflow)}` : ""}</small
    >`,
  )}${line.approved && html`<small class="tag good">${t("line.approved")}</small>`}`;
}
