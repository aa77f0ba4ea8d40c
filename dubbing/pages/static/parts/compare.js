// The take of a line and the original beside it; a switch continues from the same place.

import { useEffect, useRef, useState } from "preact/hooks";

import { load, unload } from "../data/waves.js";
import { html } from "../html.js";
import { span } from "../words/figures.js";
import { t } from "../words/words.js";

const HEIGHT = 44;
const SIDES = ["take", "original"];

// urls: where the take and the original are fetched from; null for what there is not. rate, drift:
// how the take lies in the film, so that both are heard as there.
export function Compare({ urls, rate, drift }) {
  const take = useSound(urls.take);
  const original = useSound(urls.original);
  const sounds = { take, original };
  const audios = { take: useRef(null), original: useRef(null) };
  const [side, setSide] = useState("take");
  const [playing, setPlaying] = useState(false);
  // Seconds since the line's planned start.
  const [at, setAt] = useState(0);
  const begins = { take: drift ?? 0, original: 0 };
  const pace = { take: rate ?? 1, original: 1 };
  const end = Math.max(
    0.1,
    ...SIDES.map((one) => begins[one] + (sounds[one].sound?.seconds ?? 0) / pace[one]),
  );

  const place = (one, time) => {
    const audio = audios[one].current;
    if (audio) audio.currentTime = Math.max(0, (time - begins[one]) * pace[one]);
  };
  const play = (one, time) => {
    const audio = audios[one].current;
    if (!audio) return;
    audio.playbackRate = pace[one];
    place(one, time);
    audio.play().then(() => setPlaying(true), () => setPlaying(false));
  };
  const stop = () => {
    for (const one of SIDES) audios[one].current?.pause();
    setPlaying(false);
  };
  const choose = (one) => {
    if (one === side) return;
    const was = playing;
    stop();
    setSide(one);
    if (was) play(one, at);
  };
  const toggle = () => (playing ? stop() : play(side, at >= end - 0.05 ? 0 : at));
  const seek = (time) => {
    setAt(time);
    place(side, time);
  };

  useEffect(() => {
    if (!playing) return;
    let frame = 0;
    const follow = () => {
      const audio = audios[side].current;
      if (audio) setAt(begins[side] + audio.currentTime / pace[side]);
      frame = requestAnimationFrame(follow);
    };
    follow();
    return () => cancelAnimationFrame(frame);
  }, [playing, side]);
  useEffect(() => {
    stop();
    setAt(0);
  }, [urls.take]);

  const there = SIDES.filter((one) => urls[one]);
  return html`<div class="compare">
    <div class="bar">
      <button onClick=${toggle} disabled=${!sounds[side].sound}>
        ${t(playing ? "sound.stop" : "sound.play")}
      </button>
      <fieldset class="chips">
        <legend>${t("sound.hear")}</legend>
        ${there.map(
          (one) => html`<label key=${one}>
            <input type="radio" name="side" checked=${one === side} onChange=${() => choose(one)} />
            ${t(`sound.${one}`)}
          </label>`,
        )}
      </fieldset>
    </div>
    ${there.map(
      (one) => html`<${Wave}
        key=${one}
        name=${t(`sound.${one}`)}
        loaded=${sounds[one]}
        begin=${begins[one] / end}
        share=${(sounds[one].sound?.seconds ?? 0) / pace[one] / end}
        at=${at / end}
        heard=${one === side}
        seek=${(share) => seek(share * end)}
      />`,
    )}
    <input
      type="range"
      aria-label=${t("sound.at")}
      aria-valuetext=${span(at)}
      min="0"
      max=${end}
      step="0.05"
      value=${at}
      onInput=${(event) => seek(Number(event.target.value))}
    />
    ${there.map(
      (one) => html`<audio
        key=${one}
        ref=${audios[one]}
        src=${sounds[one].sound?.url}
        onEnded=${stop}
      ></audio>`,
    )}
  </div>`;
}

function useSound(url) {
  const [found, setFound] = useState({ sound: null, fault: "" });
  useEffect(() => {
    setFound({ sound: null, fault: "" });
    if (!url) return;
    let sound = null;
    let left = false;
    load(url).then(
      (loaded) => {
        sound = loaded;
        if (left) unload(loaded);
        else setFound({ sound: loaded, fault: "" });
      },
      (fault) => !left && setFound({ sound: null, fault: fault.message || t("sound.none") }),
    );
    return () => {
      left = true;
      unload(sound);
    };
  }, [url]);
  return found;
}

function Wave({ name, loaded, begin, share, at, heard, seek }) {
  const canvas = useRef(null);
  const { sound, fault } = loaded;
  useEffect(() => {
    const place = canvas.current;
    if (!sound || !place) return;
    const draw = () => paint(place, sound.peaks, begin, share, at, heard);
    draw();
    const fits = new ResizeObserver(draw);
    fits.observe(place);
    return () => fits.disconnect();
  }, [sound, begin, share, at, heard]);
  return html`<div class="wave">
    <small>${name}</small>
    ${fault
      ? html`<small class="bad"><bdi>${fault}</bdi></small>`
      : html`<canvas
          ref=${canvas}
          aria-hidden="true"
          aria-busy=${sound ? null : "true"}
          onClick=${(event) => seek(event.offsetX / event.currentTarget.clientWidth)}
        ></canvas>`}
  </div>`;
}

function paint(canvas, peaks, begin, share, at, heard) {
  const width = canvas.clientWidth;
  canvas.width = width * devicePixelRatio;
  canvas.height = HEIGHT * devicePixelRatio;
  const pen = canvas.getContext("2d");
  pen.scale(devicePixelRatio, devicePixelRatio);
  const style = getComputedStyle(canvas);
  pen.fillStyle = style.getPropertyValue(heard ? "--busy" : "--quiet");
  for (let x = 0; x < width; x += 2) {
    const place = (x / width - begin) / share;
    if (place < 0 || place >= 1) continue;
    const size = Math.max(1, peaks[Math.floor(place * peaks.length)] * (HEIGHT - 4));
    pen.fillRect(x, (HEIGHT - size) / 2, 1.5, size);
  }
  pen.fillStyle = style.getPropertyValue("--pico-color");
  pen.fillRect(at * width, 0, 1.5, HEIGHT);
}
