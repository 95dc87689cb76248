// Block Kit in messages and modals. What can be pressed is rendered by hand: the library has no way to tell us of a press.

import { useState } from "react";
import { Coloured } from "./emoji";
import { Field } from "./fields";
import { LibraryBlocks, Text, plain } from "./text";
import type { Json } from "./types";

/** Somebody uses an element. The promise ends when the app has answered. */
export type Act = (blockId: string, element: Json, selected?: Json) => Promise<void>;

export function Blocks({ blocks, act }: { blocks: Json[]; act: Act }) {
  return (
    <>
      {blocks.map((block, index) => (
        <Block key={block.block_id ?? index} block={block} act={act} />
      ))}
    </>
  );
}

function Block({ block, act }: { block: Json; act: Act }) {
  switch (block.type) {
    case "header":
      return (
        <h3 className="block-header">
          <Coloured text={plain(block.text)} />
        </h3>
      );
    case "divider":
      return <hr className="block-divider" />;
    case "section":
      return (
        <div className="block-section">
          <div className="block-section-body">
            {block.text && <Text of={block.text} />}
            {Array.isArray(block.fields) && (
              <div className="block-fields">
                {block.fields.map((field: Json, index: number) => (
                  <div key={index} className="block-field">
                    <Text of={field} />
                  </div>
                ))}
              </div>
            )}
          </div>
          {block.accessory && (
            <div className="block-accessory">
              <Element element={block.accessory} block={block} act={act} />
            </div>
          )}
        </div>
      );
    case "context":
      return (
        <div className="block-context">
          {(block.elements ?? []).map((element: Json, index: number) =>
            element.type === "image" ? (
              <img key={index} src={element.image_url} alt={element.alt_text} title={element.alt_text} />
            ) : (
              <Text key={index} of={element} />
            ),
          )}
        </div>
      );
    case "actions":
      return (
        <div className="block-actions">
          {(block.elements ?? []).map((element: Json, index: number) => (
            <Element key={element.action_id ?? index} element={element} block={block} act={act} />
          ))}
        </div>
      );
    case "image":
      return (
        <figure className="block-image">
          {block.title && <figcaption>{plain(block.title)}</figcaption>}
          <img src={block.image_url} alt={block.alt_text} />
        </figure>
      );
    default:
      return <LibraryBlocks blocks={[block]} />;
  }
}

function Element({ element, block, act }: { element: Json; block: Json; act: Act }) {
  if (element.type === "image") return <img className="accessory-image" src={element.image_url} alt={element.alt_text} />;
  if (element.type === "button") return <Button element={element} press={() => act(block.block_id, element)} />;
  if (element.type === "overflow") return <Overflow element={element} choose={(value) => act(block.block_id, element, value)} />;
  return <Field element={element} value={undefined} onChange={(value) => void act(block.block_id, element, value)} />;
}

function Button({ element, press }: { element: Json; press: () => Promise<void> }) {
  const [state, setState] = useState<"idle" | "busy" | "failed">("idle");
  const [asking, setAsking] = useState(false);
  const go = async () => {
    setAsking(false);
    setState("busy");
    try {
      await press();
      setState("idle");
    } catch {
      setState("failed");
    }
  };
  const style = `button ${element.style ?? ""} ${state}`;
  const label = plain(element.text);
  const common = { className: style, "data-testid": `button-${element.action_id}`, "aria-label": element.accessibility_label, title: label };
  return (
    <>
      {element.url ? (
        <a {...common} href={element.url} target="_blank" rel="noreferrer" onClick={() => void go()}>
          {label}
        </a>
      ) : (
        <button {...common} type="button" disabled={state === "busy"} onClick={() => (element.confirm ? setAsking(true) : void go())}>
          {state === "failed" && <span title="The app did not take the click">⚠️ </span>}
          {label}
        </button>
      )}
      {asking && <Confirm confirm={element.confirm} onYes={() => void go()} onNo={() => setAsking(false)} />}
    </>
  );
}

function Confirm({ confirm, onYes, onNo }: { confirm: Json; onYes: () => void; onNo: () => void }) {
  return (
    <div className="veil" role="dialog" aria-modal="true">
      <div className="modal small" data-testid="confirm">
        <header>
          <h2>{plain(confirm.title)}</h2>
        </header>
        <div className="modal-body">
          <Text of={confirm.text} />
        </div>
        <footer>
          <button type="button" className="button" onClick={onNo} data-testid="confirm-no">
            {confirm.deny ? plain(confirm.deny) : "Cancel"}
          </button>
          <button type="button" className={`button ${confirm.style ?? "primary"}`} onClick={onYes} data-testid="confirm-yes">
            {confirm.confirm ? plain(confirm.confirm) : "Yes"}
          </button>
        </footer>
      </div>
    </div>
  );
}

function Overflow({ element, choose }: { element: Json; choose: (value: string) => Promise<void> }) {
  const [open, setOpen] = useState(false);
  return (
    <span className="menu-anchor">
      <button type="button" className="button" aria-label="More" data-testid={`button-${element.action_id}`} onClick={() => setOpen(!open)}>
        ⋯
      </button>
      {open && (
        <span className="menu" role="menu">
          {(element.options ?? []).map((option: Json) => (
            <button
              key={option.value}
              type="button"
              role="menuitem"
              data-testid={`option-${option.value}`}
              onClick={() => {
                setOpen(false);
                void choose(option.value);
              }}
            >
              {plain(option.text)}
            </button>
          ))}
        </span>
      )}
    </span>
  );
}
