// The panel beside the workspace: incidents to send, faults to switch on, and what went over the wire.

import { useState } from "react";
import { Samples } from "./Samples";
import { sim } from "./sim";
import type { Json, State } from "./types";
import { Workflow } from "./Workflow";

const METHODS = ["every method", "chat.postMessage", "chat.update", "chat.postEphemeral", "views.open", "response_url"];

const FAULTS: { key: string; label: string; explain: string; body: Json }[] = [
  { key: "rate_limited", label: "429", explain: "too many requests, retry after 5 s", body: { retry_after: 5 } },
  { key: "server_error", label: "HTTP 500", explain: "nothing is applied", body: { status: 500 } },
  { key: "error", label: "ok: false", explain: "internal_error", body: { code: "internal_error" } },
  { key: "accept_then_reset", label: "Accept, then cut", explain: "it takes effect, no answer comes", body: {} },
  { key: "reset_before", label: "Cut", explain: "no effect, no answer", body: {} },
  { key: "slow", label: "Slow", explain: "the answer takes 4 s", body: { delay_ms: 4000 } },
];

export function Lab({ state, onClose }: { state: State; onClose: () => void }) {
  const [method, setMethod] = useState(METHODS[0]);
  const chosen = method === METHODS[0] ? null : method;
  const active = (kind: string) => state.faults.filter((fault) => fault.kind === kind && fault.times !== 0);
  const toggle = (fault: (typeof FAULTS)[number]) => {
    const on = active(fault.key);
    if (on.length === 0) void sim("faults", { kind: fault.key, method: chosen, ...fault.body });
    for (const one of on) void sim(`faults/${one.id}`, {}, "DELETE");
  };
  return (
    <section className="lab" data-testid="lab">
      <header className="panel-head">
        <h2>Lab</h2>
        <button type="button" className="plain-button" aria-label="Close the lab" onClick={onClose}>
          ✕
        </button>
      </header>
      <div className="panel-scroll">
        <h3>Drop onto the queue</h3>
        <Samples files={state.samples} canSend={Boolean(state.queue)} />

        <Workflow state={state} />

        <h3>Faults of Slack</h3>
        <label className="fault-method">
          In{" "}
          <select className="input compact" value={method} onChange={(event) => setMethod(event.target.value)} data-testid="fault-method">
            {METHODS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <ul className="faults">
          {FAULTS.map((fault) => {
            const on = active(fault.key);
            return (
              <li key={fault.key}>
                <label className="switch">
                  <input type="checkbox" role="switch" checked={on.length > 0} onChange={() => toggle(fault)} data-testid={`fault-${fault.key}`} />
                  <span className="switch-track" />
                  <span>
                    <b>{fault.label}</b> <small>{on.length > 0 ? on.map((one) => `${one.method ?? "every method"}: ${one.hits} hit`).join(", ") : fault.explain}</small>
                  </span>
                </label>
              </li>
            );
          })}
        </ul>

        <h3>Requests to the app</h3>
        <Wire
          empty="None yet."
          lines={state.deliveries.slice(-12).reverse().map((delivery) => ({
            key: delivery.id,
            ok: delivery.http_status !== null && delivery.http_status < 300,
            status: delivery.http_status ? String(delivery.http_status) : (delivery.error ?? "").split(":")[0],
            text: delivery.kind === delivery.type || delivery.kind === "command" ? delivery.type : `${delivery.kind} · ${delivery.type}`,
            tail: `${delivery.retry_num ? `retry ${delivery.retry_num} · ` : ""}${delivery.ms} ms`,
          }))}
        />
        <h3>Calls by the app</h3>
        <Wire
          empty="None since the page was opened."
          lines={state.calls.slice(-12).reverse().map((call) => ({
            key: call.id,
            ok: call.http_status === 200 && !call.error,
            status: call.http_status === null ? "cut" : String(call.http_status),
            text: call.method,
            tail: call.error ?? call.fault ?? "",
          }))}
        />
      </div>
    </section>
  );
}

function Wire({ lines, empty }: { lines: { key: number; ok: boolean; status: string; text: string; tail: string }[]; empty: string }) {
  if (lines.length === 0) return <p className="hint">{empty}</p>;
  return (
    <ul className="wire" data-testid="wire">
      {lines.map((line) => (
        <li key={line.key} title={`${line.status} ${line.text} ${line.tail}`}>
          <span className={line.ok ? "good" : "bad"}>{line.status}</span>
          <span className="wire-text">{line.text}</span>
          <span className="wire-tail">{line.tail}</span>
        </li>
      ))}
    </ul>
  );
}
