// The sample events: one of them, those whose names hold a word, or all of them at once go onto the queue.

import { useRef, useState } from "react";
import { sim } from "./sim";

/** How many are on their way at once: the queue takes more, and the person should see them go. */
const AT_ONCE = 6;

type Progress = { sent: number; failed: number; all: number; running: boolean };

export function Samples({ files, canSend }: { files: string[]; canSend: boolean }) {
  const [word, setWord] = useState("");
  const [outcomes, setOutcomes] = useState<Record<string, string>>({});
  const [progress, setProgress] = useState<Progress | null>(null);
  const stopped = useRef(false);

  const wanted = word.trim().toLowerCase();
  const shown = files.filter((file) => file.toLowerCase().includes(wanted));

  const send = async (file: string): Promise<boolean> => {
    const says = (text: string) => setOutcomes((all) => ({ ...all, [file]: text }));
    says("…");
    try {
      await sim(`samples/${encodeURIComponent(file)}/send`, { now: true });
      says("sent ✓");
      return true;
    } catch (error) {
      says(`✗ ${(error as Error).message}`);
      return false;
    }
  };

  const sendAll = async () => {
    const waiting = [...shown];
    stopped.current = false;
    setProgress({ sent: 0, failed: 0, all: waiting.length, running: true });
    const lane = async () => {
      for (let file = waiting.shift(); file && !stopped.current; file = waiting.shift()) {
        const ok = await send(file);
        setProgress((now) => now && { ...now, sent: now.sent + (ok ? 1 : 0), failed: now.failed + (ok ? 0 : 1) });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    setProgress((now) => now && { ...now, running: false });
  };

  return (
    <>
      {!canSend && <p className="hint">No queue is set (--incidents-queue-url): files can be read, not sent.</p>}
      {files.length === 0 && <p className="hint">The samples folder holds no files.</p>}
      <div className="samples-bar">
        <input
          className="input compact"
          type="search"
          placeholder={`Search ${files.length} samples`}
          aria-label="Search the samples"
          value={word}
          onChange={(event) => setWord(event.target.value)}
          data-testid="samples-search"
        />
        <button
          type="button"
          className="button compact"
          disabled={!canSend || shown.length === 0}
          onClick={() => (progress?.running ? (stopped.current = true) : void sendAll())}
          data-testid="send-all-samples"
        >
          {progress?.running ? "Stop" : wanted ? `Send these ${shown.length}` : `Send all ${shown.length}`}
        </button>
      </div>
      {progress && (
        <p className="samples-progress" data-testid="samples-progress" role="status">
          <progress value={progress.sent + progress.failed} max={progress.all} aria-label="How many were sent" />
          {progress.sent} of {progress.all} sent{progress.failed > 0 && `, ${progress.failed} not`}
        </p>
      )}
      <ul className="samples">
        {shown.map((file) => (
          <li key={file}>
            <a href={`/sim/samples/${encodeURIComponent(file)}`} target="_blank" rel="noreferrer" title={file}>
              {file.replace(/\.json$/, "")}
            </a>
            <button type="button" className="button compact" data-testid={`send-sample-${file}`} onClick={() => void send(file)}>
              Send
            </button>
            {outcomes[file] && <small className={outcomes[file].startsWith("✗") ? "bad" : "good"}>{outcomes[file]}</small>}
          </li>
        ))}
      </ul>
    </>
  );
}
