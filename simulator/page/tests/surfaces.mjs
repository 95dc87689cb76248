// What is done without a card's buttons: an emoji, a reply in the thread, a message's shortcut, an invitation, and Home.

import { DESKTOP, journey } from "./journey.mjs";

await journey(async (open, next) => {
  const lena = await open(DESKTOP);
  await lena.becomes("lena");

  next("a message becomes an incident");
  await lena.types("checkout is down");
  const said = lena.messages().filter({ hasText: "checkout is down" }).first();
  await lena.sees(said, "what she wrote");
  await said.hover();
  await said.getByTestId(/^quote-/).click();
  await lena.sees(lena.at("modal"), "the form");
  await lena.fills("title", "Checkout is down");
  await lena.presses("modal-submit");
  const card = lena.card("Checkout is down");
  await lena.reads(card, "the card", "> checkout is down");
  await lena.sees(said.getByTestId(/^open-thread-/), "the reply under her message");

  next("an emoji acknowledges");
  await card.hover();
  await lena.presses("react-eyes", card);
  await lena.reads(card, "the card", "Acknowledged by");
  await lena.sees(lena.at("reaction-eyes", card), "the emoji");

  next("a reply in the thread is a note");
  await lena.opensThread(card);
  await lena.at("thread-composer").fill("the pool is full");
  await lena.at("thread-composer").press("Enter");
  await lena.sees(lena.thread().filter({ hasText: "the pool is full" }), "her reply");
  await lena.presses("close-thread");

  next("the bot is invited");
  await lena.presses("channel-random");
  await lena.presses("invite");
  const hello = lena.messages().filter({ hasText: "Tocsin is here" });
  await lena.sees(hello, "hello");
  await lena.presses("button-route_incidents_here", hello);
  await lena.sees(lena.answers().filter({ hasText: "from now on" }), "the private answer");

  next("Home");
  await lena.presses("channel-tocsin");
  await lena.presses("home-tab");
  await lena.reads(lena.at("home"), "Home", "1 open incident", "Yours", "Checkout is down", "Settings", "#random");
  await lena.picture("1-home");
  await lena.presses("button-switch_acknowledged");
  await lena.reads(lena.at("home"), "Home", "⬜ Acknowledged");
  await lena.presses("button-create_incident_form");
  await lena.sees(lena.at("modal"), "the form");
  await lena.presses("modal-cancel");
});
