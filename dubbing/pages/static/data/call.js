// A call to the gateway: JSON in, JSON out, or a sound.

export class Fault extends Error {
  // status: of HTTP; 0 when nobody answered.
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function call(method, path, body) {
  // Without this header, the gateway takes no request that changes something from a browser.
  const headers = { "X-Requested-With": "dubbing" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: JSON.stringify(body) });
  } catch {
    throw new Fault(0, "");
  }
  if (answer.status === 204) return null;
  if (answer.ok && answer.headers.get("Content-Type")?.startsWith("audio/")) return answer.blob();
  // A proxy answers in HTML when it reaches no gateway.
  const said = await answer.json().catch(() => null);
  if (!answer.ok || said === null) throw new Fault(answer.status, said?.message ?? "");
  return said;
}
