// Emoji by their names in Slack, some of which the list of names that is kept here does not know.

import { emojify } from "node-emoji";

const SLACK_NAMES: Record<string, string> = {
  book: "📖",
  large_brown_circle: "🟤",
  large_green_circle: "🟢",
  large_orange_circle: "🟠",
  large_purple_circle: "🟣",
  large_yellow_circle: "🟡",
  large_blue_square: "🟦",
  large_green_square: "🟩",
  large_orange_square: "🟧",
  large_red_square: "🟥",
  large_yellow_square: "🟨",
  octagonal_sign: "🛑",
  thumbsup: "👍",
  thumbsdown: "👎",
};

/** One emoji by its name; undefined where the kept list knows it anyway. */
export function slackEmoji(name: string): string | undefined {
  return SLACK_NAMES[name];
}

/** A text with every known `:name:` replaced; unknown ones stay as they are, as in Slack. */
export function withEmoji(text: string): string {
  return emojify(text.replace(/:([a-z0-9_+-]+):/g, (whole, name: string) => SLACK_NAMES[name] ?? whole));
}

const DOTS: Record<string, string> = {
  "🔴": "#dd2e44",
  "🟠": "#f4900c",
  "🟡": "#fdcb58",
  "🟢": "#78b159",
  "🔵": "#3b88c3",
  "🟣": "#aa8ed6",
  "🟤": "#c1694f",
  "⚪": "#e6e7e8",
  "⚫": "#31373d",
  "✅": "#78b159",
};

/** What the text of an `<option>` can show: it takes no coloured sign. */
export function withoutDots(text: string): string {
  return text.replace(/(🔴|🟠|🟡|🟢|🔵|🟣|🟤|⚪|⚫|✅) ?/gu, "");
}

/** A text in which coloured dots keep their colour where the system's emoji have none; what is copied or read aloud stays the emoji. */
export function Coloured({ text }: { text: string }) {
  return text.split(/(🔴|🟠|🟡|🟢|🔵|🟣|🟤|⚪|⚫|✅)/u).map((part, index) =>
    DOTS[part] ? (
      <span key={index} className={part === "✅" ? "dot tick" : "dot"} style={{ "--dot": DOTS[part] } as React.CSSProperties}>
        {part}
      </span>
    ) : (
      part
    ),
  );
}
