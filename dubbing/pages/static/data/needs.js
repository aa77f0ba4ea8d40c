// What of a line needs a person, and what of its time is unusual.

export const NEEDS = ["long", "missing", "words", "uncertain", "voice", "unapproved"];
// Above this rate, people hear that a line is hurried; above this drift, that it is late.
const HURRIED = 1.15;
const LATE = 0.3;

// line: as in a report; the lines of a gateway tell their state and approval too.
export function needs(line) {
  const found = [];
  if (line.characters_over > 0 || line.overflow > 0) found.push("long");
  if (line.error) found.push("missing");
  if (line.words?.right === false) found.push("words");
  if (line.words?.uncertain?.length > 0) found.push("uncertain");
  if (line.sounds_like) found.push("voice");
  if (line.state === "spoken" && !line.approved) found.push("unapproved");
  return found;
}

// How a line sits in its time: missing, over, tight or fits; planned, while it is not mixed.
export function fit(line) {
  if (line.error) return "missing";
  if (line.actual_start === null || line.silent) return "planned";
  if (line.overflow > 0) return "over";
  return line.rate > HURRIED || Math.abs(line.drift) > LATE ? "tight" : "fits";
}

// Returns the lines that need a person for one of the reasons (none: all), and hold the words.
export function chosen(lines, reasons, words) {
  const wanted = words.trim().toLocaleLowerCase();
  return lines.filter(
    (line) =>
      (reasons.length === 0 || needs(line).some((need) => reasons.includes(need))) &&
      (!wanted ||
        line.id === wanted ||
        `${line.speaker}\n${line.text}`.toLocaleLowerCase().includes(wanted)),
  );
}
