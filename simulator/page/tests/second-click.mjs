// Two people press Acknowledge on the same card. The second reads who has it, and nobody else reads that.

import { DESKTOP, journey } from "./journey.mjs";

const TITLE = "checkout-p99-latency";

await journey(async (open, next) => {
  const screen = await open(DESKTOP);
  await screen.sends("cloudwatch-alarm-sns.json");
  const card = screen.card(TITLE);
  await screen.sees(card, "the card");
  await screen.reads(card, "the card", "1 reply");

  next("Slack takes no updates, so that Omar still sees the button");
  await screen.at("fault-method").selectOption("chat.update");
  await screen.presses("fault-rate_limited");
  await screen.reads(screen.at("lab"), "the lab", "chat.update: 0 hit");

  next("Jane acknowledges");
  await screen.presses("button-acknowledge_incident", card);
  // By now the click counts: the update of the card was tried.
  await screen.sees(screen.at("lab").getByText(/chat\.update: [1-9]\d* hit/), "the first refused update");

  next("Omar acknowledges, too");
  await screen.becomes("omar");
  await screen.hasActions(card, "acknowledge_incident", "resolve_incident");
  await screen.presses("button-acknowledge_incident", card);
  const answer = screen.answers().filter({ hasText: "@Jane Doe had INC-" }).filter({ hasText: "already" });
  await screen.sees(answer, "who has it");
  await screen.picture("1-omar");

  next("only Omar reads that");
  await screen.becomes("jane");
  await screen.sees(card, "the card");
  await screen.counts(answer, 0, "such answers for Jane");
  await screen.becomes("lena");
  await screen.sees(card, "the card");
  await screen.counts(answer, 0, "such answers for Lena");
  await screen.becomes("omar");
  await screen.sees(answer, "who has it, still");

  next("Slack takes updates again");
  await screen.presses("fault-rate_limited");
  await screen.reads(card, "the card", "Acknowledged by @Jane Doe", "2 replies");
  await screen.hasActions(card, "resolve_incident");
  await screen.picture("2-acknowledged");
});
