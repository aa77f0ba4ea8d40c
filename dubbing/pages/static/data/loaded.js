// What a page loads when it is opened, and anew when the gateway is found again, or is told to.

import { useEffect, useState } from "preact/hooks";

// load: asynchronous; throws Fault. Returns what was found, null before that, and why nothing is.
export function useLoaded(session, load) {
  const [found, setFound] = useState(null);
  const [fault, setFault] = useState("");

  async function reload() {
    try {
      setFound(await load());
      setFault("");
    } catch (refused) {
      setFault(refused.message);
    }
  }

  useEffect(() => void reload(), [session.opened]);
  return { found, fault, reload };
}
