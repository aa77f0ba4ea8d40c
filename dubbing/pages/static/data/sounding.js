// One sound at a time: what begins to play stills what played before.

let sounding = null;

export function alone(audio) {
  if (sounding !== audio) sounding?.pause();
  sounding = audio;
}
