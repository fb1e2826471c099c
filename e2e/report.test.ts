// The report of examples/insights-report, in a real browser.
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, launch, screenshot } from "./browser";

describe.skipIf(!hasBrowser)("insights report", () => {
  let browser: Browser;
  let page: string;

  beforeAll(async () => {
    const dir = mkdtempSync(join(tmpdir(), "report-"));
    page = join(dir, "report.html");
    execFileSync("go", ["run", "-C", join(import.meta.dirname, "../examples"), "./insights-report", "-q", "-o", page], {
      env: { ...process.env, CIRCLE_TOKEN: "" }, stdio: "inherit",
    });
    browser = await launch();
  }, 180_000);

  afterAll(async () => browser?.close());

  for (const [name, width, colorScheme] of [
    ["wide-light", 1200, "light"], ["wide-dark", 1200, "dark"], ["phone-light", 375, "light"], ["phone-dark", 375, "dark"],
  ] as const) {
    it(`draws its charts: ${name}`, async () => {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
      const tab = await context.newPage();
      const problems: string[] = [];
      tab.on("console", (m) => m.type() === "error" && problems.push(m.text()));
      tab.on("pageerror", (e) => problems.push(e.message));
      tab.on("request", (r) => !r.url().startsWith("file:") && problems.push(`the page loads ${r.url()}`));
      await tab.goto(pathToFileURL(page).href);
      expect(problems).toEqual([]);
      expect(await tab.locator("html").getAttribute("data-charts")).toBe("6");
      for (const canvas of await tab.locator("canvas").all()) {
        const drawn = await canvas.evaluate((c: HTMLCanvasElement) =>
          c.getContext("2d")!.getImageData(0, 0, c.width, c.height).data.some((v) => v !== 0));
        expect(drawn, "a chart is empty").toBe(true);
      }
      const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, "the page scrolls sideways").toBeLessThanOrEqual(0);
      await tab.screenshot({ path: screenshot(`report-${name}.png`), fullPage: true });
      await context.close();
    }, 60_000);
  }
});
