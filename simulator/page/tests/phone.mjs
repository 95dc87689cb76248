// On a phone: the lab, the channels and the thread are drawers, nothing is cut off, and a finger reaches every button.

import { PHONE, journey } from "./journey.mjs";

const TITLE = "checkout-p99-latency";

await journey(async (open, next) => {
  const jane = await open(PHONE);
  await jane.fits("the empty channel");
  await jane.picture("1-start");

  next("the channels are a drawer");
  await jane.presses("toggle-sidebar");
  await jane.isReachable(jane.at("channel-payments"), "a channel");
  await jane.fits("the list of channels");
  await jane.picture("2-channels");
  await jane.presses("channel-payments");
  await jane.reads(jane.at("channel-title"), "the title", "payments");
  await jane.gone(jane.at("channel-payments"), "the list of channels");
  await jane.presses("toggle-sidebar");
  await jane.presses("channel-incidents");
  await jane.reads(jane.at("channel-title"), "the title", "incidents");

  next("the lab is a drawer");
  await jane.presses("toggle-lab");
  await jane.isReachable(jane.at("send-sample-cloudwatch-alarm-sns.json"), "Send");
  await jane.fits("the lab");
  await jane.picture("3-lab");
  await jane.sends("cloudwatch-alarm-sns.json");
  await jane.reads(jane.at("lab"), "the lab", "sent");
  await jane.at("lab").getByRole("button", { name: "Close the lab" }).click();
  await jane.gone(jane.at("lab"), "the lab");

  next("the card");
  const card = jane.card(TITLE);
  await jane.sees(card, "the card");
  await jane.hasActions(card, "acknowledge_incident", "resolve_incident");
  await jane.reads(card, "the card", "1 reply");
  await jane.fits("the card");
  const buttons = card.getByTestId(/^button-/);
  for (const button of await buttons.all()) await jane.isReachable(button, `"${await button.innerText()}"`);
  await jane.picture("4-card");

  next("Jane acknowledges");
  await jane.presses("button-acknowledge_incident", card);
  await jane.reads(card, "the card", "Acknowledged by @Jane Doe");
  await jane.hasActions(card, "resolve_incident");

  next("Jane resolves with a note");
  await jane.presses("button-resolve_incident", card);
  await jane.sees(jane.at("modal"), "the form");
  await jane.fills("note", "Rolled back to v41");
  await jane.isReachable(jane.at("modal-submit"), "the form's button");
  await jane.isReachable(jane.at("modal-cancel"), "the way out of the form");
  await jane.fits("the form");
  await jane.picture("5-form");
  await jane.presses("modal-submit");
  await jane.gone(jane.at("modal"), "the form");
  await jane.reads(card, "the card", "Resolved by @Jane Doe", "3 replies");
  await jane.fits("the resolved card");
  await jane.picture("6-resolved");

  next("the thread is a drawer");
  await jane.opensThread(card);
  await jane.counts(jane.thread(), 4, "messages in the thread, the card among them");
  await jane.reads(jane.thread().nth(3), "the third reply", "Resolved by @Jane Doe", "Rolled back to v41");
  await jane.fits("the thread");
  await jane.isReachable(jane.at("button-reopen_incident", jane.at("thread-panel")), "Reopen");
  await jane.isReachable(jane.at("thread-composer"), "the composer of the thread");
  await jane.picture("7-thread");
  await jane.presses("close-thread");
  await jane.gone(jane.at("thread-panel"), "the thread");

  next("the form of /incident create");
  await jane.types("/incident create");
  await jane.sees(jane.at("modal"), "the form");
  await jane.fits("the form");
  await jane.isReachable(jane.at("modal-submit"), "the form's button");
  await jane.picture("8-create");
  await jane.presses("modal-cancel");
  await jane.gone(jane.at("modal"), "the form");
});
