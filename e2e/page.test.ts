// The status page of circleci-fake, in a real browser.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, launch, screenshot } from "./browser";
import { Fake } from "./fake";

describe.skipIf(!hasBrowser)("status page", () => {
  let browser: Browser;
  let fake: Fake;

  beforeAll(async () => {
    fake = await Fake.start("-speed", "0");
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    fake?.stop();
  });

  it("opens a job, approves, reruns and triggers", async () => {
    await fake.script("POST", "/scenario", { projects: { "gh/acme/web": { scripts: [{ workflows: [{ name: "release", jobs: [
      { name: "test", output: "all 12 tests passed", tests: [{ name: "TestCart" }], artifacts: [{ path: "app.js", content: "1234" }] },
      { name: "hold", approval: true, requires: ["test"] }, { name: "ship", requires: ["hold"] },
    ] }] }] } } });
    const tab = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    const problems: string[] = [];
    tab.on("console", (m) => m.type() === "error" && problems.push(m.text()));
    tab.on("pageerror", (e) => problems.push(e.message));

    await tab.goto(fake.url);
    await tab.getByRole("button", { name: "trigger" }).click();
    await fake.script("POST", "/time", { advance: "5m" });
    await tab.goto(fake.url);
    expect(await tab.locator("body").innerText()).toContain("on_hold");
    await tab.screenshot({ path: screenshot("page.png") });
    await tab.getByRole("link", { name: /test/ }).click();
    const job = await tab.locator("body").innerText();
    for (const want of ["all 12 tests passed", "TestCart", "app.js"]) expect(job).toContain(want);
    const [download] = await Promise.all([tab.waitForEvent("download"), tab.getByRole("link", { name: "app.js" }).click()]);
    expect(download.suggestedFilename()).toBe("app.js");
    await tab.screenshot({ path: screenshot("page-job.png") });

    await tab.getByRole("link", { name: "all pipelines" }).click();
    await tab.getByRole("button", { name: "approve" }).click();
    await fake.script("POST", "/time", { advance: "5m" });
    await tab.goto(fake.url);
    await tab.getByRole("button", { name: "rerun" }).click();
    await fake.script("POST", "/time", { advance: "10s" });
    await tab.goto(fake.url);
    expect(await tab.locator("b", { hasText: "release" }).count()).toBe(2);
    expect(problems).toEqual([]);
    await tab.close();
  });

  it("refuses the forms of other pages", async () => {
    const tab = await browser.newPage();
    const project = /_page\/trigger\/[0-9a-f-]+/.exec(await (await fetch(fake.url)).text())![0];
    await tab.setContent(`<form method="post" action="${fake.url}/${project}"><button>steal</button></form>`);
    const [response] = await Promise.all([tab.waitForNavigation(), tab.getByRole("button", { name: "steal" }).click()]);
    expect(response!.status()).toBe(403);
    await tab.close();
  });
});
