// Slack's mrkdwn. Rendered here because the library's reading of it changes text that people wrote:
// `2 * 3 * 4` becomes `2 ** 3 ** 4`, `a*b*c` becomes bold, and a blank grows behind every `&gt;`.

import type { ReactNode } from "react";
import { slackDate } from "./dates";
import { Coloured, withEmoji } from "./emoji";
import type { Names } from "./text";

/** A whole mrkdwn text. */
export function renderMrkdwn(text: string, names: Names): ReactNode {
  const parts = text.split(/```\n?([\s\S]*?)\n?```/);
  return parts.map((part, index) => (index % 2 === 1 ? <pre key={index}>{decode(part)}</pre> : <Lines key={index} text={part} names={names} />));
}

/** Lines, of which those that begin with `>` form quotes. */
function Lines({ text, names }: { text: string; names: Names }) {
  const groups: { quoted: boolean; lines: string[] }[] = [];
  for (const line of text.split("\n")) {
    const quote = /^(?:&gt;|>) ?(.*)$/.exec(line);
    const last = groups.at(-1);
    if (last && last.quoted === Boolean(quote)) last.lines.push(quote ? (quote[1] ?? "") : line);
    else groups.push({ quoted: Boolean(quote), lines: [quote ? (quote[1] ?? "") : line] });
  }
  return groups.map(({ quoted, lines }, index) => {
    const content = inline(lines.join("\n"), names);
    return quoted ? <blockquote key={index}>{content}</blockquote> : <span key={index}>{content}</span>;
  });
}

/** A reference, code, or a bare address. */
const TOKEN = /<([^<>\n]+)>|`([^`\n]+)`|(https?:\/\/[^\s<>|`]*[\p{L}\p{N}\/])/gu;
const STYLES = [
  ["*", "b"],
  ["_", "i"],
  ["~", "s"],
] as const;

/** Text within a line: references, code and styles. A reference or code inside a styled stretch is kept whole. */
function inline(text: string, names: Names): ReactNode[] {
  const kept: ReactNode[] = [];
  // References and code are set aside under a sign that no text contains, so that styles cannot cut through them.
  const marked = text.replace(TOKEN, (_, reference: string | undefined, code: string | undefined, address: string | undefined) => {
    const target = reference ?? address;
    kept.push(target === undefined ? <code>{decode(code ?? "")}</code> : <Reference of={target} names={names} />);
    return `\uE000${kept.length - 1}\uE001`;
  });
  return styled(marked, kept);
}

function styled(text: string, kept: ReactNode[]): ReactNode[] {
  for (const [mark, Tag] of STYLES) {
    // Between the marks: neither the mark nor a line's end. Outside of them: no letter, digit or further mark.
    const [open, outside] = [`[${mark}]`, `\\p{L}\\p{N}${mark}`];
    const found = new RegExp(`(^|[^${outside}])${open}(?=[^\\s${mark}])([^\\n${mark}]*[^\\s${mark}])${open}(?![${outside}])`, "u").exec(text);
    if (found) {
      const start = found.index + (found[1]?.length ?? 0);
      const end = found.index + found[0].length;
      return [...styled(text.slice(0, start), kept), <Tag key={`${mark}${start}`}>{styled(found[2] ?? "", kept)}</Tag>, ...styled(text.slice(end), kept)];
    }
  }
  return text.split(/\uE000(\d+)\uE001/).map((part, index) => (index % 2 === 1 ? <span key={index}>{kept[Number(part)]}</span> : <Coloured key={index} text={withEmoji(decode(part))} />));
}

/** What stands between `<` and `>`: people, channels, groups, dates, links. */
function Reference({ of, names }: { of: string; names: Names }) {
  const bar = of.indexOf("|");
  const target = bar < 0 ? of : of.slice(0, bar);
  const label = bar < 0 ? "" : of.slice(bar + 1);
  if (target.startsWith("@")) {
    const id = target.slice(1);
    return <Mention>@{names.users.find((user) => user.id === id)?.name ?? (label || id)}</Mention>;
  }
  if (target.startsWith("#")) {
    const id = target.slice(1);
    return <Mention>#{names.channels.find((channel) => channel.id === id)?.name ?? (label || id)}</Mention>;
  }
  if (target.startsWith("!date^")) {
    const [, timestamp = "", format = "", link] = target.split("^");
    const text = slackDate(timestamp, format, decode(label));
    return link ? <Link href={link}>{text}</Link> : <time title={new Date(Number(timestamp) * 1000).toString()}>{text}</time>;
  }
  if (target.startsWith("!subteam^")) return <Mention>{label || `@${target.slice("!subteam^".length)}`}</Mention>;
  if (target.startsWith("!")) return <span className="broadcast">@{target.slice(1)}</span>;
  return <Link href={decode(target)}>{label ? withEmoji(decode(label)) : decode(target).replace(/^mailto:/, "")}</Link>;
}

function Mention({ children }: { children: ReactNode }) {
  return <span className="mention">{children}</span>;
}

function Link({ href, children }: { href: string; children: ReactNode }) {
  // Only what Slack would open too: a `javascript:` link stays text.
  if (!/^(https?:|mailto:|tel:)/i.test(href)) return <span>{children}</span>;
  return (
    <a href={href} target="_blank" rel="noreferrer">
      {children}
    </a>
  );
}

/** The three escapes. */
export function decode(text: string): string {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}
