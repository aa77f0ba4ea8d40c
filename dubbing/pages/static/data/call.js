// A call to the gateway: JSON or a form in, JSON or a sound out.

export class Fault extends Error {
  // status: of HTTP; 0 when nobody answered.
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Returns the answer, whatever it holds. body: a form, or what is sent as JSON.
export async function ask(method, path, body) {
  // Without this header, the gateway takes no request that changes something from a browser.
  const headers = { "X-Requested-With": "dubbing" };
  const form = body instanceof FormData;
  if (body !== undefined && !form) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: form ? body : JSON.stringify(body) });
  } catch {
    throw new Fault(0, "");
  }
  if (!answer.ok) throw new Fault(answer.status, (await said(answer))?.message ?? "");
  return answer;
}

export async function call(method, path, body) {
  const answer = await ask(method, path, body);
  if (answer.status === 204) return null;
  if (answer.headers.get("Content-Type")?.startsWith("audio/")) return answer.blob();
  const found = await said(answer);
  if (found === null) throw new Fault(answer.status, "");
  return found;
}

// A proxy answers in HTML when it reaches no gateway.
function said(answer) {
  return answer.json().catch(() => null);
}
