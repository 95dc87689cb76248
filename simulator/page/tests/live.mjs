// Two people look at the same channel. What one does, the other sees at once, without loading the page again.

import { DESKTOP, PHONE, journey } from "./journey.mjs";

const TITLE = "checkout-p99-latency";

await journey(async (open, next) => {
  const jane = await open(DESKTOP);
  const omar = await open(PHONE);
  await omar.becomes("omar");

  next("the card appears on both screens");
  await jane.sends("cloudwatch-alarm-sns.json");
  await jane.sees(jane.card(TITLE), "the card, for Jane");
  await omar.sees(omar.card(TITLE), "the card, for Omar");
  await omar.hasActions(omar.card(TITLE), "acknowledge_incident", "resolve_incident");

  next("Jane acknowledges, Omar watches");
  await jane.presses("button-acknowledge_incident", jane.card(TITLE));
  await omar.reads(omar.card(TITLE), "Omar's card", "Acknowledged by @Jane Doe", "2 replies");
  await omar.hasActions(omar.card(TITLE), "resolve_incident");

  next("Omar resolves with the thread open, Jane watches");
  await jane.opensThread(jane.card(TITLE));
  await omar.presses("button-resolve_incident", omar.card(TITLE));
  await omar.sees(omar.at("modal"), "the form, for Omar");
  await omar.fills("note", "Pool enlarged");
  await jane.gone(jane.at("modal"), "Omar's form, for Jane");
  await omar.presses("modal-submit");
  await jane.reads(jane.card(TITLE), "Jane's card", "Resolved by @Omar Haddad");
  await jane.hasActions(jane.card(TITLE));
  await jane.counts(jane.thread(), 4, "messages in Jane's thread, the card among them");
  await jane.reads(jane.thread().nth(3), "the third reply", "Resolved by @Omar Haddad", "Pool enlarged");
  await jane.picture("1-jane");
  await omar.picture("2-omar");

  next("an unread channel is counted");
  await omar.types("@lena look at this");
  await jane.sees(jane.messages().filter({ hasText: "look at this" }), "what Omar says");
  await jane.presses("channel-general");
  await jane.reads(jane.at("channel-title"), "the title", "general");
  await omar.types("and at that");
  await jane.sees(jane.at("channel-incidents").locator(".count").filter({ hasText: /^1$/ }), "the count of what is new");

  jane.wasNotReloaded();
  omar.wasNotReloaded();
});
