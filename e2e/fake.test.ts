// A release script, tested against the fake: what TypeScript programs can do.
import { afterEach, beforeEach, expect, it } from "vitest";
import { Fake } from "./fake";

let fake: Fake;
beforeEach(async () => {
  fake = await Fake.start("-speed", "0"); // time passes only when the test says so
});
afterEach(() => fake.stop());

/** release triggers the pipeline of main, and returns its ID; it retries what CircleCI refuses for a moment. */
async function release(fake: Fake): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const { status, value } = await fake.api("POST", "/project/gh/acme/web/pipeline", { branch: "main" });
    if (status === 201) return value.id;
    if (status !== 429 || attempt === 5) throw new Error(`trigger: ${status} ${JSON.stringify(value)}`);
  }
}

async function workflow(pipeline: string) {
  return (await fake.api("GET", `/pipeline/${pipeline}/workflow`)).value.items[0];
}

it("reports a failing job, without waiting an hour", async () => {
  await fake.script("POST", "/scenario", {
    projects: {
      "gh/acme/web": {
        scripts: [{ workflows: [{ name: "release", jobs: [
          { name: "test", takes: "55m", fails: true, tests: [{ name: "TestPayment", result: "failure", message: "want 200, got 402" }] },
          { name: "ship", requires: ["test"] },
        ] }] }],
      },
    },
  });
  const pipeline = await release(fake);
  await fake.script("POST", "/time", { advance: "10m" });
  expect((await workflow(pipeline)).status).toBe("running");
  await fake.script("POST", "/time", { advance: "50m" });
  const { id, status } = await workflow(pipeline);
  expect(status).toBe("failed");
  const jobs = (await fake.api("GET", `/workflow/${id}/job`)).value.items;
  const test = jobs.find((j: any) => j.name === "test");
  expect(test.status).toBe("failed");
  const tests = (await fake.api("GET", `/project/gh/acme/web/${test.job_number}/tests`)).value.items;
  expect(tests[0]).toMatchObject({ name: "TestPayment", result: "failure", message: "want 200, got 402" });
});

it("ships after an approval", async () => {
  await fake.script("POST", "/scenario", {
    projects: { "gh/acme/web": { scripts: [{ workflows: [{ name: "release", jobs: [
      { name: "hold", approval: true }, { name: "ship", requires: ["hold"], takes: "2m" },
    ] }] }] } },
  });
  const pipeline = await release(fake);
  await fake.script("POST", "/time", { advance: "1m" });
  const { id, status } = await workflow(pipeline);
  expect(status).toBe("on_hold");
  const jobs = (await fake.api("GET", `/workflow/${id}/job`)).value.items;
  const hold = jobs.find((j: any) => j.type === "approval");
  expect((await fake.api("POST", `/workflow/${id}/approve/${hold.approval_request_id}`)).status).toBe(202);
  await fake.script("POST", "/time", { advance: "5m" });
  expect((await workflow(pipeline)).status).toBe("success");
});

it("survives bad weather", async () => {
  await fake.script("POST", "/scenario", { projects: { "gh/acme/web": { scripts: [{ workflows: [{ name: "release", jobs: [{ name: "ship" }] }] }] } } });
  await fake.script("POST", "/weather", { fault: "answer", status: 429, header: { "Retry-After": "0" }, body: "{}", for: ["POST /project/{project-slug}/pipeline"], times: 2 });
  await release(fake);
  const seen = (await fake.script("GET", "/requests?operation=" + encodeURIComponent("POST /project/{project-slug}/pipeline"))).value;
  expect(seen.map((r: any) => r.status)).toEqual([429, 429, 201]);
});

it("guards the developer's machine", async () => {
  const foreign = await fetch(fake.url + "/_fake/time", { headers: { "Circle-Token": fake.token, Origin: "https://evil.example" } });
  expect(foreign.status).toBe(403);
  expect((await foreign.json()).message).toContain("other sites");
  const anonymous = await fetch(fake.url + "/_fake/requests");
  expect(anonymous.status).toBe(401);
  expect((await fake.script("POST", "/scenario", { projets: {} })).value.message).toContain("projets");
});
