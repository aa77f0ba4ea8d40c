// The lines of each speaker in time order, and which of them lie in a span.

// lines: as in a report. Speakers come in the order of their first lines.
export function tracksOf(lines) {
  const tracks = new Map();
  for (const line of lines) {
    if (!tracks.has(line.speaker)) tracks.set(line.speaker, { lines: [], longest: 0 });
    const track = tracks.get(line.speaker);
    track.lines.push(line);
    const begin = begins(line);
    track.longest = Math.max(track.longest, ends(line) - begin);
  }
  for (const track of tracks.values()) track.lines.sort((a, b) => begins(a) - begins(b));
  return tracks;
}

export function begins(line) {
  return Math.min(line.planned_start, line.actual_start ?? Infinity);
}

export function ends(line) {
  return Math.max(line.planned_end, line.actual_end ?? 0);
}

// Yields the lines of a track that are seen between two times, in seconds.
export function* within({ lines, longest }, from, to) {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (begins(lines[middle]) < from - longest) low = middle + 1;
    else high = middle;
  }
  for (let at = low; at < lines.length && begins(lines[at]) <= to; at += 1) {
    if (ends(lines[at]) >= from) yield lines[at];
  }
}
