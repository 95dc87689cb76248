// A workflow's step: what the app's manifest declares is filled in and run, and what became of it shows below.

import { useState } from "react";
import { sim } from "./sim";
import type { Execution, State, Step } from "./types";
import "./workflow.css";

const USER = "slack#/types/user_id";

export function Workflow({ state }: { state: State }) {
  const { steps, executions } = state.workflows;
  const [chosen, setChosen] = useState(steps[0]?.callback_id ?? "");
  const step = steps.find((one) => one.callback_id === chosen) ?? steps[0];
  if (!step) return null;
  return (
    <>
      <h3>Run a workflow's step</h3>
      <select className="input compact" value={step.callback_id} onChange={(event) => setChosen(event.target.value)} aria-label="Step" data-testid="step">
        {steps.map((one) => (
          <option key={one.callback_id} value={one.callback_id}>
            {one.title}
          </option>
        ))}
      </select>
      <Inputs key={step.callback_id} step={step} state={state} />
      <ul className="wire executions" data-testid="executions">
        {executions
          .slice(-6)
          .reverse()
          .map((execution) => (
            <Outcome key={execution.id} execution={execution} title={steps.find((one) => one.callback_id === execution.callback_id)?.title} />
          ))}
      </ul>
    </>
  );
}

function Inputs({ step, state }: { step: Step; state: State }) {
  const [inputs, setInputs] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState("");
  const people = state.users.filter((user) => !user.is_bot);
  const run = () => {
    // What is left empty is not sent.
    const filled = Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== ""));
    sim("step", { callback_id: step.callback_id, inputs: filled }).then(
      (done) => setProblem(done.status >= 200 && done.status < 300 ? "" : `The app did not answer: ${done.error ?? `HTTP ${done.status}`}`),
      (error: Error) => setProblem(error.message),
    );
  };
  return (
    <form
      className="step-inputs"
      onSubmit={(event) => {
        event.preventDefault();
        run();
      }}
    >
      {step.input_parameters.map((parameter) => {
        const value = inputs[parameter.name] ?? "";
        const set = (next: string) => setInputs((all) => ({ ...all, [parameter.name]: next }));
        return (
          <label key={parameter.name} title={parameter.description}>
            {parameter.title}
            {parameter.is_required && " *"}
            {parameter.type === USER ? (
              <select className="input compact" value={value} required={parameter.is_required} onChange={(event) => set(event.target.value)} data-testid={`step-${parameter.name}`}>
                <option value="">Nobody</option>
                {people.map((user) => (
                  <option key={user.id} value={user.id}>
                    {user.real_name}
                  </option>
                ))}
              </select>
            ) : (
              <input className="input compact" value={value} required={parameter.is_required} onChange={(event) => set(event.target.value)} data-testid={`step-${parameter.name}`} />
            )}
          </label>
        );
      })}
      <button type="submit" className="button compact" data-testid="run-step">
        Run
      </button>
      {problem && (
        <p className="form-error" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

function Outcome({ execution, title }: { execution: Execution; title?: string }) {
  const outputs = Object.entries(execution.outputs ?? {}).map(([name, value]) => `${name}: ${value}`);
  const words = { running: "runs", completed: "ended", failed: "failed" };
  return (
    <li data-testid={`execution-${execution.id}`}>
      <span className={execution.status === "failed" ? "bad" : execution.status === "completed" ? "good" : ""}>{words[execution.status]}</span>
      <span className="wire-text">{title ?? execution.callback_id}</span>
      <small className="execution-said">{execution.error ?? outputs.join("\n")}</small>
    </li>
  );
}
