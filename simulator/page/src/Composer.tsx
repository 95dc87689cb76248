// Where people write: messages, and slash commands.

import { useState } from "react";
import { sim } from "./sim";
import type { Channel, User } from "./types";

const COMMAND = "/incident";

interface Props {
  channel: Channel;
  me: User;
  thread?: string;
  /** What keeps the person from writing here, if anything. */
  barred?: string;
}

export function Composer({ channel, me, thread, barred }: Props) {
  const [text, setText] = useState("");
  const [broadcast, setBroadcast] = useState(false);
  const [problem, setProblem] = useState("");
  const name = channel.is_im ? "Tocsin" : `#${channel.name}`;
  const send = async () => {
    const entered = text.trim();
    if (!entered) return;
    setProblem("");
    try {
      if (entered.startsWith("/") && !thread) {
        const [command = "", ...rest] = entered.split(/\s/);
        if (command !== COMMAND) throw new Error(`${command} is not a valid command. The one there is: ${COMMAND}`);
        setText("");
        await sim("command", { user: me.id, channel: channel.id, command, text: rest.join(" "), typed: true });
      } else if (entered.startsWith("/")) {
        throw new Error("Slash commands do not work in threads.");
      } else {
        setText("");
        await sim("message", { user: me.id, channel: channel.id, text: entered, thread_ts: thread, broadcast, typed: true });
      }
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  if (barred) return <div className="composer-barred">{barred}</div>;
  const testId = thread ? "thread-composer" : "composer";
  const hint = !thread && text.startsWith("/") && COMMAND.startsWith(text.split(/\s/)[0] ?? "") && !text.includes(" ");
  return (
    <div className="composer-area">
      {hint && (
        <button type="button" className="command-hint" onClick={() => setText(`${COMMAND} `)}>
          <b>{COMMAND}</b> <span>create, list, show, ack, resolve, note, status, help</span>
        </button>
      )}
      {problem && (
        <p className="form-error" role="alert">
          {problem}
        </p>
      )}
      <form
        className="composer"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <textarea
          rows={1}
          data-testid={testId}
          aria-label={thread ? "Reply" : `Message ${name}`}
          placeholder={thread ? "Reply…" : `Message ${name}, or ${COMMAND} …`}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey) {
              event.preventDefault();
              void send();
            }
          }}
        />
        <button type="submit" className="send" aria-label="Send" disabled={!text.trim()} data-testid={`${testId}-send`}>
          ➤
        </button>
      </form>
      {thread && (
        <label className="also">
          <input type="checkbox" checked={broadcast} onChange={(event) => setBroadcast(event.target.checked)} /> Also send to {name}
        </label>
      )}
    </div>
  );
}
