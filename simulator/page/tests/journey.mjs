// What the journeys share: a browser, and a screen that is used as a person uses it.
//
// node simulator/page/tests/<journey>.mjs <base url of a simulator> <folder for screenshots>
// CHROME names the browser. The exit status tells how it went; a failure says what was awaited, what stood there, and where its picture is.

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { chromium } from "playwright-core";

/** How long anything may take to appear. Never the time that it takes: the machine may be busy with other tests. */
const PATIENCE_MS = 60_000;

export const DESKTOP = { viewport: { width: 1440, height: 900 } };
/** A phone held upright. */
export const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

const FLAGS = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Runs one journey: `tell` is given a function that opens screens and one that says what comes next. */
export async function journey(tell) {
  const name = basename(process.argv[1], ".mjs");
  const [base, folder] = process.argv.slice(2);
  const chrome = process.env.CHROME;
  if (!base || !folder) return refuse(`usage: node ${name}.mjs <base url> <folder for screenshots>`);
  if (!chrome) return refuse("CHROME is not set: it has to name Chrome or Chromium (Debian: `apt-get install chromium`).");
  mkdirSync(folder, { recursive: true });
  for (const old of readdirSync(folder)) if (old.startsWith(`${name}-`)) rmSync(join(folder, old));

  let step = "opening the browser";
  const screens = [];
  // Every launch has a new profile; `chromiumSandbox` is off because containers and root have no user namespaces.
  const browser = await chromium.launch({ executablePath: chrome, headless: true, chromiumSandbox: false, args: FLAGS });
  const open = async (size) => {
    const context = await browser.newContext({ ...size, baseURL: base, locale: "en-GB", timezoneId: "UTC" });
    context.setDefaultTimeout(PATIENCE_MS);
    const screen = new Screen(await context.newPage(), resolve(folder, name));
    screens.push(screen);
    await screen.page.goto("/");
    await screen.sees(screen.at("channel-title"), "the page");
    return screen;
  };
  const next = (what) => {
    step = what;
    console.log(`${name}: ${what}`);
  };
  try {
    await tell(open, next);
    for (const screen of screens) screen.wasQuiet();
  } catch (error) {
    // Playwright colours what it says.
    console.error(`${name} failed at: ${step}\n${error.message.replace(/\x1b\[\d+m/g, "")}`);
    for (const [number, screen] of screens.entries()) console.error(await screen.portrait(`failed-${number + 1}`));
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

function refuse(why) {
  console.error(why);
  process.exitCode = 1;
}

/** One browser window. */
export class Screen {
  constructor(page, pictures) {
    this.page = page;
    this.pictures = pictures;
    this.loads = 0;
    this.complaints = [];
    page.on("load", () => this.loads++);
    page.on("pageerror", (error) => this.complaints.push(`threw: ${error.stack ?? error.message}`));
    page.on("console", (message) => message.type() === "error" && this.complaints.push(`console: ${message.text()}`));
  }

  // ---- What stands where ----

  /** What carries this test id; `within` narrows it to a part of the page. */
  at(testId, within = this.page) {
    return within.getByTestId(testId);
  }

  /** The messages of the channel, without those of the thread panel. */
  messages() {
    return this.page.locator("main").getByTestId(/^message-/);
  }

  /** The card with this title. */
  card(title) {
    return this.messages().filter({ has: this.page.locator(".block-header", { hasText: title }) });
  }

  /** The answers in the channel that only this person sees. */
  answers() {
    return this.messages().filter({ hasText: "Only visible to you" });
  }

  /** The messages of the open thread, the card itself included. */
  thread() {
    return this.at("thread-panel").getByTestId(/^message-/);
  }

  // ---- What a person does ----

  async presses(testId, within) {
    await this.at(testId, within).click();
  }

  async sends(sample) {
    await this.presses(`send-sample-${sample}`);
  }

  async types(text) {
    await this.at("composer").fill(text);
    await this.at("composer").press("Enter");
  }

  async fills(field, text) {
    await this.at(`field-${field}`).locator("input, textarea").fill(text);
  }

  async becomes(user) {
    await this.presses("user-switch");
    await this.presses(`user-${user}`);
    await this.gone(this.at(`user-${user}`), "the list of people");
  }

  async opensThread(card) {
    await card.getByTestId(/^open-thread-/).click();
    await this.sees(this.at("thread-panel"), "the thread");
  }

  // ---- What a person finds ----

  /** Waits until it is there. */
  async sees(locator, what) {
    await locator.waitFor({ state: "visible" }).catch((error) => fail(`${what} did not appear`, error));
  }

  /** Waits until it is not there any more. */
  async gone(locator, what) {
    await locator.waitFor({ state: "hidden" }).catch((error) => fail(`${what} did not go away`, error));
  }

  /** Waits until it reads all of these. */
  async reads(locator, what, ...texts) {
    for (const text of texts) await this.sees(locator.filter({ hasText: text }), `"${text}" on ${what}`);
  }

  /** Waits until there are as many as that. */
  async counts(locator, count, what) {
    await until(`${count} ${what}`, async () => {
      const there = await locator.count();
      return there === count ? null : `${there}: ${JSON.stringify(await locator.allInnerTexts())}`;
    });
  }

  /** Waits until a card's own buttons are exactly these. */
  async hasActions(card, ...actions) {
    const own = ["acknowledge_incident", "resolve_incident", "reopen_incident"];
    await until(`buttons ${JSON.stringify(actions)}`, async () => {
      const there = await card.getByTestId(/^button-/).evaluateAll((all) => all.map((one) => one.dataset.testid.replace("button-", "")));
      const seen = there.filter((action) => own.includes(action));
      return JSON.stringify(seen) === JSON.stringify(actions) ? null : JSON.stringify(there);
    });
  }

  /** Waits until a card's bar has this colour. */
  async hasColour(card, colour, what) {
    await this.sees(card.locator(`[data-colour="${colour}"]`), `the colour ${colour} of ${what}`);
  }

  /** Waits until nothing is wider than the window and nothing is cut off within it; what scrolls by design is told by its style. */
  async fits(what) {
    await until(`${what} fits`, async () => {
      const wide = await this.page.evaluate(() => {
        const width = document.documentElement.clientWidth;
        const found = [];
        if (document.documentElement.scrollWidth > width || width > window.screen.width) {
          found.push(`the page is ${document.documentElement.scrollWidth} px wide, the window ${width} px, the screen ${window.screen.width} px`);
        }
        for (const element of document.body.querySelectorAll("*")) {
          const box = element.getBoundingClientRect();
          const style = getComputedStyle(element);
          if (box.width === 0 || box.height === 0 || style.visibility === "hidden" || style.opacity === "0") continue;
          const name = `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> "${(element.textContent ?? "").slice(0, 40)}"`;
          if (box.right > width + 1 || box.left < -1) found.push(`${name} reaches from ${box.left} to ${box.right}`);
          if (element instanceof HTMLSelectElement) {
            // A select never scrolls: what does not fit beside its arrow is gone.
            const pen = document.createElement("canvas").getContext("2d");
            pen.font = style.font;
            const room = box.width - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 20;
            const wanted = pen.measureText(element.selectedOptions[0]?.label ?? "").width;
            if (wanted > room && style.textOverflow !== "ellipsis") found.push(`${name} has ${room} px for ${wanted} px of text`);
          }
          const cut = style.overflowX !== "visible" && style.textOverflow !== "ellipsis" && element.scrollWidth > element.clientWidth + 1;
          if (cut && element.clientWidth > 0) found.push(`${name} shows ${element.clientWidth} of ${element.scrollWidth} px`);
        }
        return found;
      });
      return wide.length === 0 ? null : wide.slice(0, 5).join("\n");
    });
  }

  /** Waits until a finger reaches it: inside the window, with nothing before it, and large enough. */
  async isReachable(locator, what) {
    await locator.scrollIntoViewIfNeeded();
    await locator.click({ trial: true }).catch((error) => fail(`${what} cannot be pressed`, error));
    const box = await locator.boundingBox();
    const { width, height } = this.page.viewportSize();
    const inside = box && box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
    if (!inside || box.height < 32) throw new Error(`${what} is hard to reach: ${JSON.stringify(box)} in a window of ${width} × ${height}`);
  }

  /** The page was loaded once and has not been loaded since. */
  wasNotReloaded() {
    if (this.loads !== 1) throw new Error(`the page was loaded ${this.loads} times`);
  }

  /** Nothing went wrong behind the scenes. */
  wasQuiet() {
    if (this.complaints.length > 0) throw new Error(`the page complained:\n${this.complaints.join("\n")}`);
  }

  // ---- Pictures ----

  async picture(name) {
    const path = `${this.pictures}-${name}.png`;
    await this.page.screenshot({ path, animations: "disabled", caret: "hide" });
    return path;
  }

  /** What stood there when it failed. */
  async portrait(name) {
    const path = await this.picture(name).catch((error) => `none (${error.message})`);
    const told = this.page.locator("main").or(this.at("thread-panel")).or(this.at("modal"));
    const texts = await told.allInnerTexts().catch((error) => [error.message]);
    return [`screenshot: ${path}`, "it reads:", ...texts.map((text) => text.replace(/\n+/g, "\n")), ...this.complaints].join("\n");
  }
}

/** Looks until `check` has nothing to object; its last objection is told when patience ends. */
async function until(what, check) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const objection = await check();
    if (objection === null) return;
    if (Date.now() > end) fail(`waited in vain for ${what}; at last: ${objection}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

function fail(what, cause) {
  throw new Error(cause ? `${what}\n${cause.message}` : what, { cause });
}
