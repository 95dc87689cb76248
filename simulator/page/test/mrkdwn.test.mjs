// `npm test` builds src/mrkdwn.tsx into node_modules/.test and runs this against it.
import assert from "node:assert/strict";
import test from "node:test";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { renderMrkdwn } from "../node_modules/.test/mrkdwn.js";

const names = { users: [{ id: "U1", name: "Jane" }], channels: [{ id: "C1", name: "inc" }] };

/** The markup of a text. */
function html(text) {
  return renderToStaticMarkup(createElement("p", {}, renderMrkdwn(text, names)));
}

/** Without what only React and the browser need. */
function essence(markup) {
  return markup.replace(/<\/?(?:span|p|time)>|<time [^>]*>/g, "").replaceAll(' target="_blank" rel="noreferrer"', "");
}

const mention = (text) => `<span class="mention">${text}</span>`;

const cases = {
  "styles stand between words": ["*bold* _it_ ~gone~ `a *b*`", "<b>bold</b> <i>it</i> <s>gone</s> <code>a *b*</code>"],
  "marks within words are text": ["a*b*c snake_case_word x~y~z", "a*b*c snake_case_word x~y~z"],
  "marks between blanks are text": ["2 * 3 * 4", "2 * 3 * 4"],
  "styles nest and hold references": ["*_both_ <@U1>*", `<b><i>both</i> ${mention("@Jane")}</b>`],
  "styles end with their line": ["*two\nlines*", "*two\nlines*"],
  "escapes are text": ["a &gt; b &lt;b&gt; &amp;amp;", "a &gt; b &lt;b&gt; &amp;amp;"],
  "quotes join their lines": ["&gt; one\n> two\nafter", "<blockquote>one\ntwo</blockquote>after"],
  "a fence keeps what is in it": ["```\n*x* <@U1>\n```", "<pre>*x* &lt;@U1&gt;</pre>"],
  "people, channels, groups": ["<@U1> <@U9|joe> <#C1> <!subteam^S1|@oncall> <!subteam^S2>", ["@Jane", "@joe", "#inc", "@oncall", "@S2"].map(mention).join(" ")],
  broadcasts: ["<!here>", '<span class="broadcast">@here</span>'],
  links: ["<https://x.example/a_b_c?x=1&amp;y=2|l *x*> <mailto:a@b.example>", '<a href="https://x.example/a_b_c?x=1&amp;y=2">l *x*</a> <a href="mailto:a@b.example">a@b.example</a>'],
  "bare addresses are links": ["see https://x.example/a_b_c.", 'see <a href="https://x.example/a_b_c">https://x.example/a_b_c</a>.'],
  "coloured dots stay emoji": [":red_circle: P1", '<span class="dot" style="--dot:#dd2e44">🔴</span> P1'],
  "a script is no link": ["<javascript:alert(1)|x>", "x"],
  "emoji by Slack's names": [":fire: :book: :nope:", "🔥 📖 :nope:"],
  "an unknown date token leaves the fallback": ["<!date^1700000000^{week}|that week>", "that week"],
};

for (const [name, [text, expected]] of Object.entries(cases)) {
  test(name, () => assert.equal(essence(html(text)), essence(expected)));
}
