// Steps of workflows, as somebody who builds workflows would try them: one opens an incident, one waits for its end, one is filled in wrong.

import { DESKTOP, journey } from "./journey.mjs";

await journey(async (open, next) => {
  const lena = await open(DESKTOP);
  await lena.becomes("lena");
  const newest = () => lena.at("executions").locator("li").first();

  next("a step opens an incident");
  await lena.at("step-title").fill("Checkout is down, says a form");
  await lena.at("step-severity").fill("P2");
  await lena.at("step-user").selectOption("U0JANE");
  await lena.presses("run-step");
  const card = lena.card("Checkout is down, says a form");
  await lena.sees(card, "the card");
  await lena.reads(newest(), "the step", "ended", "incident_id: INC-", "severity: P2");
  const [incident] = (await newest().textContent()).match(/INC-[0-9A-Z]+/);

  next("another waits for its end");
  await lena.at("step").selectOption("wait_until_resolved_step");
  await lena.at("step-incident_id").fill(incident);
  await lena.presses("run-step");
  await lena.reads(newest(), "the step", "runs", "Wait until resolved");
  await lena.picture("1-waiting");
  await lena.types(`/incident resolve ${incident} rolled back`);
  await lena.reads(newest(), "the step", "ended", "state: resolved", "note: rolled back", "resolved_by: U0LENA");

  next("what is filled in wrong is said");
  await lena.at("step").selectOption("update_incident_step");
  await lena.at("step-incident_id").fill(incident);
  await lena.at("step-severity").fill("urgent");
  await lena.presses("run-step");
  await lena.reads(newest(), "the step", "failed", "`urgent` is no severity");
  await lena.picture("2-failed");
});
