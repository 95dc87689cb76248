// An alarm is dropped onto the queue from the lab; its card is acknowledged and resolved with a note, and the thread tells all three.

import { DESKTOP, journey } from "./journey.mjs";

const TITLE = "checkout-p99-latency";
const NOTE = "Rolled back to v41";
const CAUSE = "Connection pool too small";

await journey(async (open, next) => {
  const jane = await open(DESKTOP);

  next("an alarm is sent from the lab");
  await jane.sends("cloudwatch-alarm-sns.json");
  const card = jane.card(TITLE);
  await jane.sees(card, "the card");
  await jane.reads(card, "the card", "Triggered", "checkout");
  await jane.hasActions(card, "acknowledge_incident", "resolve_incident");
  await jane.picture("1-triggered");

  next("Jane acknowledges");
  await jane.presses("button-acknowledge_incident", card);
  await jane.reads(card, "the card", "Acknowledged by @Jane Doe");
  await jane.hasActions(card, "resolve_incident");
  await jane.picture("2-acknowledged");

  next("Jane resolves with a note");
  await jane.presses("button-resolve_incident", card);
  await jane.sees(jane.at("modal"), "the form");
  await jane.reads(jane.at("modal"), "the form", "Resolve INC-", "What was done?", "Root cause");
  await jane.fills("note", NOTE);
  await jane.fills("root_cause", CAUSE);
  await jane.picture("3-form");
  await jane.presses("modal-submit");
  await jane.gone(jane.at("modal"), "the form");
  await jane.reads(card, "the card", "Resolved by @Jane Doe after");
  await jane.hasActions(card);
  await jane.hasColour(card, "#2eb67d", "a resolved card");

  next("the thread tells what happened");
  await jane.reads(card, "the card", "3 replies");
  await jane.opensThread(card);
  const thread = jane.thread();
  await jane.counts(thread, 4, "messages in the thread, the card among them");
  await jane.reads(thread.nth(1), "the first reply", "Triggered by CloudWatch");
  await jane.reads(thread.nth(2), "the second reply", "Acknowledged by @Jane Doe");
  await jane.reads(thread.nth(3), "the third reply", "Resolved by @Jane Doe", NOTE, CAUSE);
  await jane.sees(jane.at("button-reopen_incident", thread.nth(3)), "Reopen, under the resolution");
  await jane.counts(jane.card(TITLE), 1, "card");
  await jane.picture("4-thread");
});
