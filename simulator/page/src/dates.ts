// Slack's date tokens, and the times beside messages, in the reader's own zone.

const LOCALE = "en-US";

function ordinal(day: number) {
  const tail = day % 10 === 1 && day !== 11 ? "st" : day % 10 === 2 && day !== 12 ? "nd" : day % 10 === 3 && day !== 13 ? "rd" : "th";
  return `${day}${tail}`;
}

function pretty(date: Date, otherwise: string) {
  const days = Math.round((midnight(date) - midnight(new Date())) / 86_400_000);
  return days === 0 ? "today" : days === -1 ? "yesterday" : days === 1 ? "tomorrow" : otherwise;
}

function midnight(date: Date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

function ago(date: Date) {
  const seconds = Math.round((date.getTime() - Date.now()) / 1000);
  const format = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
  for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]] as const) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(seconds, "second");
}

/** `<!date^timestamp^format|fallback>` as Slack shows it; an unknown token leaves the fallback. */
export function slackDate(timestamp: string, format: string, fallback: string): string {
  const date = new Date(Number(timestamp) * 1000);
  if (Number.isNaN(date.getTime())) return fallback;
  const month = (style: "long" | "short") => date.toLocaleDateString(LOCALE, { month: style });
  const long = `${month("long")} ${ordinal(date.getDate())}, ${date.getFullYear()}`;
  const short = `${month("short")} ${date.getDate()}, ${date.getFullYear()}`;
  const longest = `${date.toLocaleDateString(LOCALE, { weekday: "long" })}, ${long}`;
  const two = (n: number) => String(n).padStart(2, "0");
  const tokens: Record<string, string> = {
    date_num: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    date: long,
    date_slash: `${two(date.getMonth() + 1)}/${two(date.getDate())}/${date.getFullYear()}`,
    date_short: short,
    date_long: longest,
    date_pretty: pretty(date, long),
    date_short_pretty: pretty(date, short),
    date_long_pretty: pretty(date, longest),
    time: date.toLocaleTimeString(LOCALE, { hour: "numeric", minute: "2-digit" }),
    time_secs: date.toLocaleTimeString(LOCALE, { hour: "numeric", minute: "2-digit", second: "2-digit" }),
    ago: ago(date),
  };
  let unknown = false;
  const text = format.replace(/\{(\w+)\}/g, (_, token: string) => {
    const value = tokens[token];
    if (value === undefined) unknown = true;
    return value ?? "";
  });
  if (unknown) return fallback;
  return format.startsWith("{date") ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

export function timeOf(ts: string): string {
  return new Date(Number(ts) * 1000).toLocaleTimeString(LOCALE, { hour: "numeric", minute: "2-digit" });
}

export function dayOf(ts: string): string {
  const date = new Date(Number(ts) * 1000);
  const day = pretty(date, date.toLocaleDateString(LOCALE, { weekday: "long", month: "long", day: "numeric" }));
  return day.charAt(0).toUpperCase() + day.slice(1);
}
