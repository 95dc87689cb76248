// The modal on the person's screen.

import { useEffect, useState } from "react";
import { Blocks, type Act } from "./blocks";
import { Field, initial } from "./fields";
import { Icon } from "./icons";
import { sim } from "./sim";
import { Text, plain } from "./text";
import type { Json, User } from "./types";

type Values = Record<string, Record<string, Json>>;

/** Every input with what it holds at first. */
function start(view: Json): Values {
  const values: Values = {};
  for (const block of view.blocks ?? []) {
    if (block.type === "input") values[block.block_id] = { [block.element.action_id]: initial(block.element) };
  }
  return values;
}

export function Modal({ view, me }: { view: Json; me: User }) {
  const [values, setValues] = useState<Values>(() => start(view));
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const errors: Record<string, string> = view.errors ?? {};
  const close = () => void sim("close", { user: me.id, view_id: view.id }).catch((error: Error) => setFailure(error.message));
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => event.key === "Escape" && close();
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  });
  const submit = async (event: React.FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure("");
    try {
      await sim("submit", { user: me.id, view_id: view.id, values });
    } catch (error) {
      setFailure((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  const act: Act = async (block_id, element, selected) => {
    await sim("click", { user: me.id, view_id: view.id, block_id, action_id: element.action_id, selected, values });
  };
  return (
    <div className="veil">
      <form className="modal" role="dialog" aria-modal="true" aria-label={plain(view.title)} data-testid="modal" onSubmit={(event) => void submit(event)} noValidate>
        <header>
          <span className="avatar bot small">
            <Icon name="bell" size={14} />
          </span>
          <h2>{plain(view.title)}</h2>
          <button type="button" className="plain-button" aria-label="Close" onClick={close} data-testid="modal-close">
            ✕
          </button>
        </header>
        <div className="modal-body">
          {(errors._ || failure) && (
            <p className="form-error" data-testid="modal-error">
              {errors._ ?? failure}
            </p>
          )}
          {(view.blocks ?? []).map((block: Json) =>
            block.type === "input" ? (
              <div key={block.block_id} className="field" data-testid={`field-${block.block_id}`}>
                <label htmlFor={`input-${block.block_id}`}>
                  {plain(block.label)}
                  {block.optional && <span className="optional"> (optional)</span>}
                </label>
                <Field
                  id={`input-${block.block_id}`}
                  element={block.element}
                  invalid={Boolean(errors[block.block_id])}
                  value={values[block.block_id]?.[block.element.action_id]}
                  onChange={(value) => setValues({ ...values, [block.block_id]: { [block.element.action_id]: value } })}
                />
                {errors[block.block_id] ? (
                  <p className="form-error" data-testid={`error-${block.block_id}`}>
                    {errors[block.block_id]}
                  </p>
                ) : (
                  block.hint && (
                    <p className="hint">
                      <Text of={block.hint} />
                    </p>
                  )
                )}
              </div>
            ) : (
              <Blocks key={block.block_id} blocks={[block]} act={act} />
            ),
          )}
        </div>
        <footer>
          <button type="button" className="button" onClick={close} data-testid="modal-cancel">
            {view.close ? plain(view.close) : "Cancel"}
          </button>
          {view.submit && (
            <button type="submit" className="button primary" disabled={busy} data-testid="modal-submit">
              {busy ? "…" : plain(view.submit)}
            </button>
          )}
        </footer>
      </form>
    </div>
  );
}
