// Starts circleci-fake for a test, and scripts it over HTTP.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
let binary = process.env.CIRCLECI_FAKE ?? "";

function build(): string {
  if (!binary) {
    binary = join(mkdtempSync(join(tmpdir(), "circleci-fake-")), "circleci-fake");
    const built = spawnSync("go", ["build", "-C", root, "-o", binary, "./cmd/circleci-fake"], { stdio: "inherit" });
    if (built.status !== 0) throw new Error("circleci-fake does not build");
  }
  return binary;
}

export class Fake {
  constructor(readonly url: string, readonly token: string, private process: ChildProcess) {}

  /** start runs the server on a free port, with nothing in it. */
  static async start(...flags: string[]): Promise<Fake> {
    const child = spawn(build(), ["-addr", "127.0.0.1:0", "-seed", "empty", ...flags], { stdio: ["ignore", "pipe", "inherit"] });
    const text = await new Promise<string>((resolve, reject) => {
      let out = "";
      child.stdout!.on("data", (chunk) => {
        out += chunk;
        if (out.includes("/api/v2/me")) resolve(out);
      });
      child.on("exit", () => reject(new Error("circleci-fake ended: " + out)));
    });
    const value = (name: string) => new RegExp(`export ${name}=(\\S+)`).exec(text)![1];
    return new Fake(value("CIRCLE_HOST"), value("CIRCLE_TOKEN"), child);
  }

  stop() {
    this.process.kill();
  }

  /** api calls the API v2, as the program under test does. */
  api(method: string, path: string, body?: unknown) {
    return this.call(method, "/api/v2" + path, body);
  }

  /** script calls a route below /_fake. */
  script(method: string, path: string, body?: unknown) {
    return this.call(method, "/_fake" + path, body);
  }

  private async call(method: string, path: string, body?: unknown) {
    const response = await fetch(this.url + path, {
      method,
      headers: { "Circle-Token": this.token, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    let value: any = text;
    try {
      value = JSON.parse(text);
    } catch {
      // HTML, or nothing
    }
    return { status: response.status, value };
  }
}
