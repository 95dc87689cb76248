// Cards of a dozen sources, as they are on a desk and on a phone: nothing is cut off, and there is a picture of each for whoever wants to look.

import { DESKTOP, PHONE, journey } from "./journey.mjs";

/** Of each source a sample, and what its card says. */
const CARDS = {
  "guardduty-ssh-brute-force.json": "SSH brute force",
  "securityhub-control-failed.json": "S3 general purpose buckets",
  "health-issue-open.json": "RDS in eu-west-1: operational issue",
  "cloudwatch-alarm-sns.json": "checkout-p99-latency",
  "codepipeline-failed-notification-rule.json": "Pipeline checkout-deploy failed at Production",
  "ecs-task-out-of-memory.json": "Task of checkout stopped: out of memory",
  "rds-storage-full.json": "its storage is full",
  "lambda-retries-exhausted.json": "checkout-receipts gave up",
  "backup-job-failed.json": "Backup of orders-db failed",
  "cloudformation-update-started.json": "Stack checkout-production is being updated",
  "budgets-actual-over-budget.json": "Budget shop-production",
  "grafana-firing.json": "card payments are declined",
  "amazonq-refresh-failed.json": "Instance refresh of warehouse-workers failed",
};

await journey(async (open, next) => {
  const screens = { desk: await open(DESKTOP), phone: await open(PHONE) };
  for (const [number, [file, title]] of Object.entries(CARDS).entries()) {
    next(file);
    await screens.desk.page.request.post(`/sim/samples/${file}/send`, { data: { now: true } });
    for (const [size, screen] of Object.entries(screens)) {
      const card = screen.card(title).last();
      await screen.sees(card, title);
      await card.scrollIntoViewIfNeeded();
      await screen.fits(`${file}, ${size}`);
      await screen.picture(`${String(number + 1).padStart(2, "0")}-${file.replace(/\.json$/, "")}-${size}`);
    }
  }
});
