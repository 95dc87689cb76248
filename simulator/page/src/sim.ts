// The simulator as the page sees it: one live copy of its state, and one function to act.

import { useEffect, useReducer, useState } from "react";
import type { Json, Message, State } from "./types";

type Event = { snapshot: State } | { change: Json };

const KEPT = 50;

/** The messages with this one in its place: almost always the end, so that a storm does not sort them all each time. */
function withMessage(messages: Message[], message: Message): Message[] {
  const known = messages.findLastIndex((m) => m.ts === message.ts && m.channel === message.channel);
  if (known >= 0) return messages.with(known, message);
  const before = messages.findLastIndex((m) => m.ts <= message.ts);
  return messages.toSpliced(before + 1, 0, message);
}

function reduce(state: State | null, event: Event): State | null {
  if ("snapshot" in event) return { ...event.snapshot, calls: state?.calls ?? [] };
  if (!state) return state;
  const change = event.change;
  switch (change.kind) {
    case "message":
      return { ...state, messages: withMessage(state.messages, change.message) };
    case "message_deleted":
      return { ...state, messages: state.messages.filter((m) => m.channel !== change.channel || m.ts !== change.ts) };
    case "views":
      return { ...state, views: [...state.views.filter((v) => v.user !== change.user), { user: change.user, stack: change.stack }] };
    case "home":
      return { ...state, homes: [...state.homes.filter((home) => home.user !== change.user), { user: change.user, view: change.view }] };
    case "teams":
      return { ...state, teams: change.teams };
    case "channels":
      return { ...state, channels: change.channels };
    case "users":
      return { ...state, users: change.users };
    case "faults":
      return { ...state, faults: change.faults };
    case "app":
      return { ...state, app: change.app };
    case "delivery":
      return { ...state, deliveries: [...state.deliveries.filter((d) => d.id !== change.delivery.id), change.delivery].slice(-KEPT) };
    case "execution": {
      const others = state.workflows.executions.filter((one) => one.id !== change.execution.id);
      const executions = [...others, change.execution].sort((a, b) => a.id.localeCompare(b.id)).slice(-KEPT);
      return { ...state, workflows: { ...state.workflows, executions } };
    }
    case "call":
      return { ...state, calls: [...state.calls, change.call].slice(-KEPT) };
    default:
      return state;
  }
}

/** The state, live; `connected` is false while the simulator is away. */
export function useSim(): { state: State | null; connected: boolean } {
  const [state, dispatch] = useReducer(reduce, null);
  const [connected, setConnected] = useState(false);
  useEffect(() => {
    const source = new EventSource("/sim/stream");
    source.addEventListener("open", () => setConnected(true));
    source.addEventListener("error", () => setConnected(false));
    source.addEventListener("snapshot", (event) => dispatch({ snapshot: JSON.parse((event as MessageEvent).data) }));
    source.addEventListener("change", (event) => dispatch({ change: JSON.parse((event as MessageEvent).data) }));
    return () => source.close();
  }, []);
  return { state, connected };
}

/** Calls the control API; throws with the simulator's own sentence. */
export async function sim(path: string, body: Json = {}, method = "POST"): Promise<Json> {
  const response = await fetch(`/sim/${path}`, { method, body: method === "POST" ? JSON.stringify(body) : undefined });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`);
  return answer;
}
