// A headless Chromium for tests.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** hasBrowser tells whether Chromium is installed. */
export const hasBrowser = existsSync(executablePath);

/** launch starts Chromium so that it stays off the network. */
export function launch() {
  return chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** screenshot returns the path for a screenshot, which is kept after the run. */
export function screenshot(name: string) {
  const dir = process.env.SCREENSHOTS ?? join(import.meta.dirname, "screenshots");
  mkdirSync(dir, { recursive: true });
  return join(dir, name);
}
