// The samples: one is found and sent, those that a word picks, and then all of them at once; the lab says how far it is.

import { DESKTOP, PHONE, journey } from "./journey.mjs";

const ONE = "own-create.json";

await journey(async (open, next) => {
  const jane = await open(DESKTOP);
  const phone = await open(PHONE);
  const files = await (await jane.page.request.get("/sim/samples")).json();

  next("one of them is found and sent");
  await jane.at("samples-search").fill("own-create.json");
  await jane.counts(jane.at(/^send-sample-/), 1, "sample of that name");
  await jane.sends(ONE);
  await jane.sees(jane.card("Card payments are declined"), "its card");

  next("those that a word picks");
  await jane.at("samples-search").fill("guardduty-");
  const some = files.filter((file) => file.includes("guardduty-")).length;
  await jane.reads(jane.at("send-all-samples"), "the button", `Send these ${some}`);
  await jane.presses("send-all-samples");
  await jane.reads(jane.at("samples-progress"), "the progress", `${some} of ${some} sent`);
  await jane.picture("1-some");

  next("all of them, on the phone");
  await phone.presses("toggle-lab");
  await phone.isReachable(phone.at("send-all-samples"), "Send all");
  await phone.reads(phone.at("send-all-samples"), "the button", `Send all ${files.length}`);
  await phone.presses("send-all-samples");
  await phone.reads(phone.at("samples-progress"), "the progress", `${files.length} of ${files.length} sent`);
  await phone.fits("the lab");
  await phone.picture("2-all");

  next("they are in the channel: the first by themselves, the rest in the thread of a digest");
  await jane.at("samples-search").fill("");
  await jane.sees(jane.messages().filter({ hasText: "in this thread" }).first(), "the digest");
  await jane.fits("the channel");
  await jane.picture("3-channel");
});
