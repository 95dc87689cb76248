// One message, and the list of them.

import { useEffect, useRef, useState } from "react";
import { Blocks, type Act } from "./blocks";
import { dayOf, timeOf } from "./dates";
import { withEmoji } from "./emoji";
import { Icon } from "./icons";
import { sim } from "./sim";
import { Mrkdwn } from "./text";
import type { Json, Message, User } from "./types";

/** More blocks than this in an attachment stay behind "Show more", as in Slack. */
const ATTACHMENT_BLOCKS = 5;

const COLOURS = ["#4a154b", "#0b6e99", "#0f7b6c", "#ad1a72", "#d9730d", "#6940a5", "#1d7042", "#9b2335"];

export function Avatar({ user, small }: { user: User | undefined; small?: boolean }) {
  const size = small ? "small" : "";
  if (!user || user.is_bot) return <span className={`avatar bot ${size}`}><Icon name={user?.name === "slackbot" ? "bubble" : "bell"} size={small ? 14 : 20} /></span>;
  const colour = COLOURS[[...user.id].reduce((sum, c) => sum + c.charCodeAt(0), 0) % COLOURS.length];
  const initials = user.real_name.split(" ").map((word) => word[0]).join("").slice(0, 2);
  return (
    <span className={`avatar ${size}`} style={{ background: colour }}>
      {initials}
    </span>
  );
}

/** What a person is beside a member, in a word. */
export function badge(user: User): string {
  if (user.deleted) return "deactivated";
  if (user.is_stranger) return "external";
  if (user.is_restricted || user.is_ultra_restricted) return "guest";
  return "";
}

interface ItemProps {
  message: Message;
  users: Map<string, User>;
  me: User;
  inThread: boolean;
  onThread?: (ts: string) => void;
}

export function MessageItem({ message, users, me, inThread, onThread }: ItemProps) {
  const author = users.get(message.user);
  const act: Act = async (block_id, element, selected) => {
    const done = await sim("click", { user: me.id, channel: message.channel, ts: message.ts, action_id: element.action_id, block_id, value: element.value, selected });
    if (!(done.status >= 200 && done.status < 300)) throw new Error(done.error ?? `HTTP ${done.status}`);
  };
  // A second tap takes it away again, as in Slack.
  const mine = (name: string) => message.reactions.some((reaction) => reaction.name === name && reaction.users.includes(me.id));
  const react = (name: string) => void sim("reaction", { user: me.id, channel: message.channel, ts: message.ts, name, remove: mine(name) });
  const quote = () => void sim("shortcut", { user: me.id, callback_id: "create_incident_from_message", channel: message.channel, ts: message.ts });
  const replies = message.reply_count;
  const showsText = message.blocks.length === 0 && message.text !== "";
  return (
    <article className={`message ${message.ephemeral_for ? "ephemeral" : ""}`} data-testid={`message-${message.ts}`}>
      <Avatar user={author} />
      <div className="message-main">
        {message.ephemeral_for && <div className="only-you"><Icon name="eye" size={13} /> Only visible to you</div>}
        {message.broadcast && !inThread && (
          <button type="button" className="replied-to" onClick={() => message.thread_ts && onThread?.(message.thread_ts)}>
            ↳ replied to a thread
          </button>
        )}
        <div className="message-head">
          <b>{author?.is_bot ? author.real_name : (author?.real_name ?? message.user)}</b>
          {author?.is_bot && <span className="tag">APP</span>}
          {author && badge(author) && <span className="tag">{badge(author)}</span>}
          <time title={message.ts}>{timeOf(message.ts)}</time>
        </div>
        <div className="message-body">
          {showsText && <Mrkdwn text={message.text} />}
          <Blocks blocks={message.blocks} act={act} />
          {message.attachments.map((attachment: Json, index: number) => (
            <Attachment key={attachment.id ?? index} attachment={attachment} act={act} />
          ))}
          {message.edited && <span className="edited">(edited)</span>}
        </div>
        {message.reactions.length > 0 && (
          <div className="reactions">
            {message.reactions.map((reaction) => (
              <button key={reaction.name} type="button" className={mine(reaction.name) ? "mine" : ""} data-testid={`reaction-${reaction.name}`} onClick={() => react(reaction.name)}>
                {withEmoji(`:${reaction.name}:`)} {reaction.count}
              </button>
            ))}
          </div>
        )}
        {replies > 0 && !inThread && (
          <button type="button" className="replies" data-testid={`open-thread-${message.ts}`} onClick={() => onThread?.(message.ts)}>
            <b>
              {replies} {replies === 1 ? "reply" : "replies"}
            </b>
            {message.latest_reply && <span>Last at {timeOf(message.latest_reply)}</span>}
          </button>
        )}
      </div>
      {!message.ephemeral_for && (
        <div className="message-tools">
          {["eyes", "white_check_mark"].map((name) => (
            <button key={name} type="button" title={`React with :${name}:`} data-testid={`react-${name}`} onClick={() => react(name)}>
              {withEmoji(`:${name}:`)}
            </button>
          ))}
          <button type="button" title="Create incident from this message" data-testid={`quote-${message.ts}`} onClick={quote}>
            <Icon name="bolt" />
          </button>
          {!inThread && (
            <button type="button" title="Reply in thread" data-testid={`reply-${message.ts}`} onClick={() => onThread?.(message.thread_ts ?? message.ts)}>
              <Icon name="bubble" />
            </button>
          )}
        </div>
      )}
    </article>
  );
}

function Attachment({ attachment, act }: { attachment: Json; act: Act }) {
  const [whole, setWhole] = useState(false);
  const blocks: Json[] = attachment.blocks ?? [];
  const shown = whole ? blocks : blocks.slice(0, ATTACHMENT_BLOCKS);
  const colour = attachment.color ? (/^[0-9a-f]{3,8}$/i.test(attachment.color) ? `#${attachment.color}` : NAMED[attachment.color]) : undefined;
  return (
    <div className="attachment" data-colour={colour ?? ""}>
      <span className="attachment-bar" style={{ background: colour ?? "#dddddd" }} />
      <div className="attachment-body">
        {attachment.text && <Mrkdwn text={String(attachment.text)} />}
        <Blocks blocks={shown} act={act} />
        {shown.length < blocks.length && (
          <button type="button" className="link-button" onClick={() => setWhole(true)}>
            Show more
          </button>
        )}
      </div>
    </div>
  );
}

const NAMED: Record<string, string> = { good: "#2eb67d", warning: "#ecb22e", danger: "#e01e5a" };

interface ListProps {
  messages: Message[];
  users: Map<string, User>;
  me: User;
  inThread?: boolean;
  onThread?: (ts: string) => void;
  empty?: string;
}

/** Messages from old to new; stays at the end while the reader is there. */
export function MessageList({ messages, users, me, inThread = false, onThread, empty }: ListProps) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const toEnd = () => {
      if (atEnd.current) element.scrollTop = element.scrollHeight;
    };
    toEnd();
    // A card may grow after it was drawn, when an update brings more blocks or its text wraps.
    const observer = new ResizeObserver(toEnd);
    for (const child of element.children) observer.observe(child);
    return () => observer.disconnect();
  }, [messages]);
  const onScroll = () => {
    const element = box.current;
    if (element) atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 60;
  };
  let day = "";
  return (
    <div className="messages" ref={box} onScroll={onScroll}>
      <div className="messages-inner">
        {messages.length === 0 && empty && <p className="empty">{empty}</p>}
        {messages.map((message) => {
          const newDay = dayOf(message.ts);
          const divider = !inThread && newDay !== day;
          day = newDay;
          return (
            <div key={message.ts}>
              {divider && (
                <div className="day">
                  <span>{newDay}</span>
                </div>
              )}
              <MessageItem message={message} users={users} me={me} inThread={inThread} onThread={onThread} />
            </div>
          );
        })}
      </div>
    </div>
  );
}
