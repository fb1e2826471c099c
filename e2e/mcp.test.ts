// CircleCI's own MCP server, from npm, against the fake: what an assistant sees.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Fake } from "./fake";

const server = join(dirname(createRequire(import.meta.url).resolve("@circleci/mcp-server-circleci/package.json")), "dist/index.js");
const slug = "gh/acme/web";

let fake: Fake;
let client: Client;

beforeAll(async () => {
  fake = await Fake.start("-speed", "0");
  const scenario = await fake.script("POST", "/scenario", {
    projects: {
      [slug]: {
        pipeline_definitions: ["build"],
        scripts: [{ workflows: [{ name: "build", reruns_automatically: 0, jobs: [
          { name: "test", takes: "2m", fails: "once", output: "--- FAIL: TestPayment\nwant 200, got 402\n",
            tests: [{ name: "TestPayment", result: "flaky", message: "want 200, got 402" }, { name: "TestCart", takes: "200ms" }],
            artifacts: [{ path: "coverage/index.html", content: "<h1>87 %</h1>" }] },
        ] }] }],
      },
    },
  });
  expect(scenario.status, JSON.stringify(scenario.value)).toBe(200);
  await fake.script("POST", "/pipelines", { project: slug, branch: "main" });
  await fake.script("POST", "/time", { advance: "10m" });

  client = new Client({ name: "e2e", version: "1.0.0" });
  await client.connect(new StdioClientTransport({
    command: process.execPath, args: [server], stderr: "ignore",
    env: { PATH: process.env.PATH!, HOME: process.env.HOME!, CIRCLECI_TOKEN: fake.token, CIRCLECI_BASE_URL: fake.url, DISABLE_TELEMETRY: "true", FILE_OUTPUT_DIRECTORY: "" },
  }));
}, 180_000);

afterAll(async () => {
  await client?.close();
  fake?.stop();
});

async function call(name: string, params: Record<string, unknown>): Promise<string> {
  const result: any = await client.callTool({ name, arguments: { params } });
  const text = result.content.map((c: any) => c.text).join("\n");
  expect(result.isError, text).toBeFalsy();
  return text;
}

it("lists followed projects", async () => {
  expect(await call("list_followed_projects", {})).toContain(slug);
});

it("tells the latest status", async () => {
  const text = await call("get_latest_pipeline_status", { projectSlug: slug, branch: "main" });
  expect(text).toContain("build");
  expect(text).toContain("failed");
});

it("shows why it failed", async () => {
  const text = await call("get_build_failure_logs", { projectSlug: slug, branch: "main" });
  expect(text).toContain("Job: test");
  expect(text).toContain("want 200, got 402");
});

it("shows test results", async () => {
  const text = await call("get_job_test_results", { projectSlug: slug, branch: "main" });
  expect(text).toContain("TestPayment");
  expect(text).toContain("want 200, got 402");
});

it("lists artifacts", async () => {
  expect(await call("list_artifacts", { projectSlug: slug, branch: "main" })).toContain("coverage/index.html");
});

it("reruns from failed, which makes the test flaky", async () => {
  const pipelines = (await fake.api("GET", `/project/${slug}/pipeline`)).value.items;
  const workflows = (await fake.api("GET", `/pipeline/${pipelines[0].id}/workflow`)).value.items;
  await call("rerun_workflow", { workflowId: workflows[0].id, fromFailed: true });
  await fake.script("POST", "/time", { advance: "10m" });
  expect(await call("get_latest_pipeline_status", { projectSlug: slug, branch: "main" })).toContain("success");
  expect(await call("find_flaky_tests", { projectSlug: slug })).toContain("TestPayment");
});

it("runs a pipeline", async () => {
  const text = await call("run_pipeline", { projectSlug: slug, branch: "main" });
  expect(text).toContain("2");
  await fake.script("POST", "/time", { advance: "10m" });
  expect((await fake.api("GET", `/project/${slug}/pipeline`)).value.items).toHaveLength(2);
});
