// Text objects, and the blocks that the kept library renders. It would also read markup out of plain_text, which Slack does not.

import { createContext, memo, useContext } from "react";
import { Message as Rendered } from "slack-blocks-to-jsx";
import { slackDate } from "./dates";
import { Coloured, slackEmoji, withEmoji } from "./emoji";
import { decode, renderMrkdwn } from "./mrkdwn";
import type { Json } from "./types";

/** Names behind ids; kept identical between renders so that the library does not start over. */
export interface Names {
  users: { id: string; name: string }[];
  channels: { id: string; name: string }[];
}

export const NamesContext = createContext<Names>({ users: [], channels: [] });

const hooks = {
  emoji: (emoji: { name: string }, known: (emoji: { name: string }) => string) => {
    const found = slackEmoji(emoji.name) ?? known(emoji);
    // The library answers an unknown name with the bare name; Slack leaves the colons.
    return found === emoji.name ? `:${emoji.name}:` : found;
  },
  date: ({ timestamp, format, link, fallback }: { timestamp: string; format: string; link: string | null; fallback: string }) => {
    const text = slackDate(timestamp, format, fallback);
    return link ? (
      <a href={link} target="_blank" rel="noreferrer">
        {text}
      </a>
    ) : (
      <time title={new Date(Number(timestamp) * 1000).toString()}>{text}</time>
    );
  },
  link: ({ href, children }: { href: string; children: React.ReactNode }) => (
    <a href={href} target="_blank" rel="noreferrer">
      {children}
    </a>
  ),
};

/** Blocks that the library renders whole. */
export const LibraryBlocks = memo(function LibraryBlocks({ blocks }: { blocks: Json[] }) {
  const names = useContext(NamesContext);
  return <Rendered blocks={blocks} withoutWrapper theme="light" logo="" name="" data={names} hooks={hooks} />;
});

export const Mrkdwn = memo(function Mrkdwn({ text }: { text: string }) {
  return <div className="mrkdwn">{renderMrkdwn(text, useContext(NamesContext))}</div>;
});

/** Plain text: no markup, only emoji names and the three escapes. */
export function plain(text: Json): string {
  const raw = typeof text === "string" ? text : String(text?.text ?? "");
  const decoded = decode(raw);
  return text?.emoji === false ? decoded : withEmoji(decoded);
}

export function Text({ of }: { of: Json }) {
  if (!of) return null;
  if (of.type === "mrkdwn") return <Mrkdwn text={String(of.text ?? "")} />;
  return (
    <span className="plain">
      <Coloured text={plain(of)} />
    </span>
  );
}
