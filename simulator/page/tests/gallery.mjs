// Every kind of card in every state, every form, the private answers, a conversation with the bot and Home, on a desk and on a phone: nothing is cut off, and there is a
// picture of each for whoever wants to look.
//
// make local, then: CHROME=/usr/bin/chromium node simulator/page/tests/gallery.mjs http://127.0.0.1:3000 pictures

import { DESKTOP, PHONE, journey } from "./journey.mjs";

const INCIDENT = "Card payments are declined";
/** What "More" and the buttons open, with the field that each form begins with. */
const FORMS = { "Change severity …": "severity", "Assign …": "to", "Escalate …": "to", "Add a note …": "note" };

await journey(async (open, next) => {
  const desk = await open(DESKTOP);
  const phone = await open(PHONE);
  await desk.presses("toggle-lab");
  let number = 0;

  /** The same thing on both screens, whole and pictured. */
  const look = async (what, find) => {
    number += 1;
    for (const [size, screen] of [["desk", desk], ["phone", phone]]) {
      const thing = find(screen);
      await screen.sees(thing, what);
      await thing.scrollIntoViewIfNeeded();
      await screen.fits(`${what}, ${size}`);
      await screen.picture(`${String(number).padStart(2, "0")}-${what.replace(/\W+/g, "-")}-${size}`);
    }
  };
  const drop = (file) => desk.page.request.post(`/sim/samples/${file}/send`, { data: { now: true } });
  const card = (title) => (screen) => screen.card(title).last();
  const here = card(INCIDENT);
  const modal = (screen) => screen.at("modal");
  const chooses = async (option) => {
    await desk.presses("button-incident_menu", here(desk));
    await here(desk).getByRole("menuitem", { name: option }).click();
  };
  const types = (line) => desk.types(line);
  const answer = (text) => (screen) => screen.answers().filter({ hasText: text }).last();

  next("an incident, and its forms");
  await drop("own-create.json");
  await look("triggered", here);
  for (const screen of [desk, phone]) {
    await screen.presses("button-incident_menu", here(screen));
    await screen.fits("the menu");
  }
  await look("the menu", (screen) => here(screen).getByRole("menu"));
  for (const screen of [desk, phone]) await screen.presses("button-incident_menu", here(screen));
  for (const [option, field] of Object.entries(FORMS)) {
    await chooses(option);
    await look(`form ${option}`, (screen) => modal(screen).filter({ has: screen.at(`field-${field}`) }));
    await desk.presses("modal-cancel");
    await desk.gone(modal(desk), "the form");
    await phone.gone(modal(phone), "the form");
  }
  await here(desk).getByTestId("button-snooze_incident").selectOption({ label: "Until …" });
  await look("form Snooze until", (screen) => modal(screen).filter({ has: screen.at("field-until") }));
  await desk.presses("modal-cancel");
  await desk.gone(modal(desk), "the form");
  await desk.presses("button-resolve_incident", here(desk));
  await look("form Resolve", (screen) => modal(screen).filter({ has: screen.at("field-root_cause") }));
  await desk.presses("modal-cancel");
  await phone.gone(modal(phone), "the form");

  next("everything that can be done to it");
  await here(desk).getByTestId("button-snooze_incident").selectOption({ label: "15 min" });
  await desk.reads(here(desk), "the card", "Snoozed");
  await look("snoozed", here);
  await types("/incident wake");
  await desk.reads(here(desk), "the card", "Triggered");
  await types("/incident escalate @lena it is beyond us");
  await desk.sees(answer("More people are called")(desk), "the answer");
  await types("/incident assign @jane");
  await desk.sees(answer("is assigned to")(desk), "the answer");
  await types("/incident severity P2");
  await desk.reads(here(desk), "the card", "P2");
  await desk.presses("button-acknowledge_incident", here(desk));
  await desk.reads(here(desk), "the card", "Acknowledged by");
  await look("acknowledged", here);
  await desk.presses("button-resolve_incident", here(desk));
  await desk.fills("note", "Rolled back to v41. The pool is twice as large now.");
  await desk.fills("root_cause", "Connection pool too small");
  await desk.presses("modal-submit");
  await desk.reads(here(desk), "the card", "Resolved by");
  await look("resolved", here);
  for (const screen of [desk, phone]) await screen.opensThread(here(screen));
  await look("the thread", (screen) => screen.thread().filter({ hasText: "Root cause" }));
  await desk.presses("button-reopen_incident", desk.at("thread-panel"));
  for (const screen of [desk, phone]) await screen.presses("close-thread");
  await desk.reads(here(desk), "the card", "reopened by");
  await look("reopened", here);

  next("what people decide");
  const approval = card("Deploy checkout v43");
  await drop("own-create-approval.json");
  await look("an approval", approval);
  await approval(desk).getByRole("button", { name: "Deploy" }).click();
  await desk.sees(desk.at("confirm"), "the question");
  await desk.fits("the question");
  await desk.picture("question-desk");
  await desk.presses("confirm-no");
  await approval(desk).getByRole("button", { name: "Not now" }).click();
  await look("form Reason", (screen) => modal(screen).filter({ has: screen.at("field-reason") }));
  await desk.fills("reason", "The error rate in staging is too high");
  await desk.presses("modal-submit");
  await look("rejected", (screen) => approval(screen).filter({ hasText: "The error rate in staging" }));
  const actions = card("Search answers slowly");
  await drop("own-create-actions.json");
  await look("own buttons", actions);
  await actions(desk).getByRole("button", { name: "Roll back to v16" }).click();
  await desk.presses("confirm-yes");
  await look("own button pressed", (screen) => actions(screen).filter({ hasText: "Roll back to v16 by" }));

  next("the other kinds of card");
  await drop("own-create-threshold.json");
  await look("a threshold", card("Checkout answers slowly"));
  await drop("own-create-event.json");
  await look("a change", card("The web tier was scaled out"));
  await drop("own-create-deployment.json");
  await look("a deployment", (screen) => card("Deploy checkout")(screen).filter({ hasText: "v42" }));
  await drop("own-update-deployment.json");
  await look("a deployment that succeeded", (screen) => card("Deploy checkout")(screen).filter({ hasText: "Succeeded" }));
  await desk.page.request.post("/sim/queue", { data: { body: { type: "create", title: "The database is upgraded on Sunday", kind: "notice", description: "Reads go on.", dedup_key: "n" } } });
  await look("a notice", card("The database is upgraded"));
  await drop("cloudwatch-alarm-sns.json");
  await look("an alarm", card("checkout-p99-latency"));
  await drop("generic-webhook.json");
  await look("anything else", card("DiskFull"));

  next("what only one person sees");
  for (const [line, text] of Object.entries({
    "/incident list": "open incidents",
    "/incident status": "Waiting longest",
    "/incident show": "Which one?",
    "/incident help": "opens an incident",
    "/incident oncall": ", then",
    "/incident acknowlege": "Did you mean",
    "/incident commands": "/deploy SERVICE",
  })) {
    await types(line);
    await look(line.slice(1), answer(text));
  }
  await types("/incident create");
  await look("form Create", (screen) => modal(screen).filter({ has: screen.at("field-title") }));
  await desk.presses("modal-submit");
  await look("form Create, refused", (screen) => screen.at("error-title"));
  await desk.fills("title", "Search is slow");
  await desk.presses("button-create_incident_more", modal(desk));
  await look("form Create, with more", (screen) => screen.at("field-hint"));
  const kept = await desk.at("field-title").locator("input").inputValue();
  if (kept !== "Search is slow") throw new Error(`the title was lost: "${kept}"`);
  await desk.presses("modal-cancel");
  await types("checkout is down, and nobody can pay");
  const said = desk.messages().filter({ hasText: "nobody can pay" }).first();
  await said.hover();
  await said.getByTestId(/^quote-/).click();
  await look("form Create from a message", (screen) => modal(screen).filter({ has: screen.at("field-title") }));
  await desk.presses("modal-cancel");
  await phone.gone(modal(phone), "the form");

  next("a link, and a workflow's step");
  const { url } = await (await desk.page.request.get("/sim/samples/own-create.json")).json();
  await types(`is it this one? ${url}`);
  await look("a link", (screen) => screen.messages().filter({ hasText: "is it this one?" }).filter({ hasText: INCIDENT }));

  next("Home, and what the bot says directly");
  await desk.presses("channel-tocsin");
  await phone.presses("toggle-sidebar");
  await phone.presses("channel-tocsin");
  for (const screen of [desk, phone]) await screen.presses("messages-tab");
  await look("a direct message", (screen) => screen.messages().filter({ hasText: INCIDENT }).last());
  for (const screen of [desk, phone]) await screen.presses("home-tab");
  await look("Home", (screen) => screen.at("home").filter({ hasText: "Yours" }));
});
