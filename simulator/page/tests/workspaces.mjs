// Several workspaces: a switch appears with the second one, each shows its own channels and people; and the page on which somebody allows the app.

import { DESKTOP, PHONE, journey } from "./journey.mjs";

await journey(async (open, next) => {
  const jane = await open(DESKTOP);
  const sim = (path, data) => jane.page.request.post(`/sim/${path}`, { data });

  next("one workspace needs no switch");
  await jane.sees(jane.at("channel-incidents"), "a channel");
  await jane.gone(jane.at("team-switch"), "the switch");

  next("a second one");
  await sim("teams", { id: "T0ACME", name: "Acme Rocket Company", enterprise_id: "E0STAR", enterprise_name: "Starship" });
  await sim("users", { id: "U0ANNA", name: "anna", real_name: "Anna Acme", team_id: "T0ACME" });
  await sim("channels", { id: "C0LAUNCH", name: "launchpad", team_id: "T0ACME" });
  await sim("token", { team: "T0ACME", bot_token: "xoxb-acme" });
  await jane.presses("team-switch");
  await jane.picture("1-switch");
  await jane.presses("team-T0ACME");
  await jane.reads(jane.at("channel-title"), "the title", "launchpad");
  await jane.reads(jane.at("user-switch"), "who I am", "Anna Acme");
  await jane.gone(jane.at("channel-incidents"), "a channel of the other workspace");

  next("what is posted there is seen there");
  const headers = { authorization: "Bearer xoxb-acme" };
  await jane.page.request.post("/api/chat.postMessage", { headers, data: { channel: "#launchpad", text: "Three, two, one" } });
  await jane.reads(jane.messages(), "the channel", "Three, two, one");
  await jane.types("Lift-off");
  await jane.reads(jane.messages().nth(1), "the channel", "Lift-off");
  await jane.presses("channel-tocsin");
  await jane.reads(jane.at("channel-title"), "the title", "Tocsin");
  await jane.fits("another workspace");
  await jane.picture("2-acme");
  await jane.presses("team-switch");
  await jane.presses("team-T0TOCSIN");
  await jane.reads(jane.at("channel-title"), "the title", "incidents");
  await jane.reads(jane.at("user-switch"), "who I am", "Jane Doe");

  next("on a phone");
  const phone = await open(PHONE);
  await phone.presses("toggle-sidebar");
  await phone.isReachable(phone.at("team-switch"), "the switch");
  await phone.presses("team-switch");
  await phone.isReachable(phone.at("team-T0ACME"), "a workspace");
  await phone.fits("the workspaces");
  await phone.picture("3-phone");

  for (const [number, screen] of [jane, phone].entries()) {
    next(`the page to allow the app ${number + 1}`);
    const asked = { client_id: "4280.4280", scope: "chat:write,commands,channels:history", state: "s", redirect_uri: new URL("/sim/samples?", screen.page.url()).href };
    await screen.page.goto(`/oauth/v2/authorize?${new URLSearchParams(asked)}`);
    await screen.isReachable(screen.at("workspace-T0ACME"), "a workspace");
    await screen.fits("the page to allow the app");
    await screen.presses("workspace-E0STAR");
    await screen.picture(`${4 + number}-consent`);
    await screen.presses(number === 0 ? "allow" : "cancel");
    await screen.page.waitForURL(number === 0 ? /[?&]code=[^&]+&state=s$/ : /error=access_denied&state=s$/);
  }
});
