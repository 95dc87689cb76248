// The composer takes slash commands: one answers privately, one makes a card, one opens a form that is checked in place.

import { DESKTOP, journey } from "./journey.mjs";

await journey(async (open, next) => {
  const jane = await open(DESKTOP);

  next("/incident list, with nothing open");
  await jane.types("/incident list");
  await jane.reads(jane.answers().last(), "the answer", "All quiet: no incident is open.");

  next("/incident create P2 checkout is slow");
  await jane.types("/incident create P2 checkout is slow");
  const card = jane.card("P2 checkout is slow");
  await jane.sees(card, "the card");
  await jane.hasActions(card, "acknowledge_incident", "resolve_incident");
  await jane.sees(jane.answers().filter({ hasText: "is open: P2 checkout is slow" }), "the private answer");

  next("/incident list, with one open");
  await jane.types("/incident list");
  await jane.reads(jane.answers().filter({ hasText: "1 open incident" }), "the list", "checkout is slow", "triggered");
  await jane.picture("1-list");

  next("/incident create opens a form");
  await jane.types("/incident create");
  await jane.sees(jane.at("modal"), "the form");
  await jane.reads(jane.at("modal"), "the form", "Create incident", "What is wrong?", "Severity", "Service", "Description");
  await jane.gone(jane.at("error-title"), "an error that nobody made yet");

  next("a form without a title");
  await jane.presses("modal-submit");
  await jane.sees(jane.at("error-title", jane.at("field-title")), "the error, at the title");
  await jane.picture("2-error");

  next("a title of nothing but blanks");
  // Slack's client lets this pass; the function answers it.
  await jane.fills("title", "   ");
  await jane.presses("modal-submit");
  await jane.reads(jane.at("error-title"), "the error, at the title", "what is wrong");

  next("the form with a title");
  await jane.fills("title", "Payments are slow");
  await jane.at("field-severity").locator("select").selectOption("P1");
  await jane.fills("description", "Since nine o'clock, in Europe");
  await jane.presses("modal-submit");
  await jane.gone(jane.at("modal"), "the form");
  const second = jane.card("P1 Payments are slow");
  await jane.reads(second, "the second card", "Since nine o'clock, in Europe");
  await jane.sees(jane.answers().filter({ hasText: "is open: P1 Payments are slow" }), "the private answer to the form");
  await jane.picture("3-created");
});
