// The state of an engine on a node, by its heartbeats.

// Returns "away", "loading", "fault", "resting", "loaded" or "unloaded".
export function stateOf(node, engine) {
  if (node.status === "offline") return "away";
  if (node.loading === engine) return "loading";
  if (engine in node.resting) return node.resting[engine] ? "fault" : "resting";
  return node.loaded.includes(engine) ? "loaded" : "unloaded";
}
