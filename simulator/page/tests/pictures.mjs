// The pictures of README and book: an acknowledged incident with its thread, and cards of some sources, taken from a running system that has nothing in #incidents yet.
//
// make local, then: CHROME=/usr/bin/chromium node simulator/page/tests/pictures.mjs http://127.0.0.1:3000 docs
// It writes card.png and images/ into that folder.

import { resolve } from "node:path";
import { journey } from "./journey.mjs";

/** Of each source a sample, and what its card says. */
const CARDS = {
  "cloudwatch-alarm-sns.json": "checkout-p99-latency",
  "guardduty-ssh-brute-force.json": "SSH brute force",
  "health-issue-open.json": "RDS in eu-west-1: operational issue",
  "codepipeline-failed-notification-rule.json": "Pipeline checkout-deploy failed at Production",
  "budgets-actual-over-budget.json": "Budget shop-production",
};
const SAMPLE = "own-create.json";
const WINDOW = { viewport: { width: 1420, height: 640 } };

await journey(async (open, next) => {
  const screen = await open(WINDOW);

  next("an incident of two minutes ago");
  const sample = await (await screen.page.request.get(`/sim/samples/${SAMPLE}`)).json();
  const body = {
    ...sample,
    time: inMinutes(-2),
    sla_breach_at: inMinutes(58),
    description: sample.description.replace(/ since [\d:]+ UTC/, " since two minutes"),
  };
  await screen.page.request.post("/sim/queue", { data: { body } });
  const card = screen.card(sample.title);
  await screen.sees(card, "the card");
  await screen.reads(card, "the card", "1 reply");

  next("Jane has it");
  await screen.presses("button-acknowledge_incident", card);
  await screen.reads(card, "the card", "Acknowledged by @Jane Doe", "2 replies");

  next("the picture");
  await screen.presses("toggle-lab");
  await screen.opensThread(card);
  await screen.counts(screen.thread(), 3, "messages in the thread, the card among them");
  // Nothing is hovered or has the focus.
  await screen.page.mouse.move(0, 0);
  await screen.page.evaluate(() => document.activeElement?.blur());
  const path = resolve(process.argv[3], "card.png");
  // Without the list of channels.
  const { x } = await screen.page.locator("main").boundingBox();
  const { width, height } = WINDOW.viewport;
  await screen.page.screenshot({ path, animations: "disabled", caret: "hide", clip: { x, y: 0, width: width - x, height } });
  console.log(path);

  const narrow = await open({ viewport: { width: 940, height: 1000 } });
  await narrow.presses("toggle-lab");
  for (const [file, title] of Object.entries(CARDS)) {
    next(file);
    await narrow.page.request.post(`/sim/samples/${file}/send`, { data: { now: true } });
    const shown = narrow.card(title).last();
    await narrow.sees(shown, title);
    await shown.scrollIntoViewIfNeeded();
    await narrow.page.mouse.move(0, 0);
    const picture = resolve(process.argv[3], "images", file.replace(/\.json$/, ".png"));
    await shown.screenshot({ path: picture, animations: "disabled", caret: "hide" });
    console.log(picture);
  }
});

function inMinutes(minutes) {
  return new Date(Date.now() + minutes * 60_000).toISOString();
}
