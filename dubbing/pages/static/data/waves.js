// Sounds, fetched whole: they are a line long. Their peaks are what a waveform shows.

const PEAKS = 600;

// Returns where a sound can be played from, its length and its peaks; throws an Error.
export async function load(url) {
  const answer = await fetch(url);
  if (!answer.ok) {
    const said = await answer.json().catch(() => null);
    throw new Error(said?.message ?? "");
  }
  const data = await answer.arrayBuffer();
  const blob = URL.createObjectURL(new Blob([data], { type: "audio/flac" }));
  // Decoding needs no device.
  const decoded = await new OfflineAudioContext(1, 1, 24_000).decodeAudioData(data);
  return { url: blob, seconds: decoded.duration, peaks: peaks(decoded.getChannelData(0)) };
}

export function unload(sound) {
  if (sound) URL.revokeObjectURL(sound.url);
}

function peaks(samples) {
  const found = new Float32Array(PEAKS);
  const each = samples.length / PEAKS;
  let loudest = 0.01;
  for (let n = 0; n < PEAKS; n += 1) {
    const end = Math.min(samples.length, Math.ceil((n + 1) * each));
    for (let at = Math.floor(n * each); at < end; at += 1) {
      const size = Math.abs(samples[at]);
      if (size > found[n]) found[n] = size;
    }
    loudest = Math.max(loudest, found[n]);
  }
  return found.map((peak) => peak / loudest);
}
