import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { commands } from "../../commands/mod.ts";
import { needs } from "../../commands/rights.ts";
import { TempFiles } from "../support/temp_files.ts";

const root = new URL("../../", import.meta.url);
const nowhere = "127.0.0.1:1";

/** A command line, and which acts Deno still allows at its end; `F` is a folder of the test. */
const cases: readonly (readonly [string, string, Record<string, string>?])[] = [
  ["net env sys", `forward-syslog --check --kafka ${nowhere} --listen tcp://127.0.0.1:0`],
  ["net write env sys", `forward-syslog --check --kafka ${nowhere} --listen unix:///F/s.sock`],
  ["net write env sys", `forward-syslog --check --kafka ${nowhere} --listen tcp://127.0.0.1:0`, {
    NOTIFY_SOCKET: "/run/systemd/notify",
  }],
  ["net write env sys", `archive --check --kafka ${nowhere} --to file:///F/a --spool-dir /F/s`],
  ["", "archive verify file:///F"],
  ["net env sys", `archive verify file:///F --kafka ${nowhere}`],
  ["", "archive ls file:///F"],
  ["net env sys", `archive restore file:///F --kafka ${nowhere}`],
  ["net write env sys", `archive restore file:///F --kafka ${nowhere} --state /F/state`],
  ["net write env sys", "ingest --once --from file:///F"],
  [
    "net env sys",
    "replicate --check -s one -i a -d b " +
    `--bigquery-endpoint http://${nowhere} --storage-endpoint http://${nowhere}`,
  ],
  [
    "net env sys",
    "materialize --project-id p --dataset-id d --table-id t " +
    `--bigquery-endpoint http://${nowhere}`,
  ],
  ["net env sys", `query postgres://ada@${nowhere}/shop SELECT`],
  ["write env sys", "query pglite:/F/shop VALUES(1)"],
  ["", "baldr cat /F/two.baldr"],
  ["net env sys", `baldr cat s3://bucket/two.baldr --s3-endpoint http://${nowhere}`],
  ["", "baldr check /F/two.baldr"],
  ["", "baldr pack /F/lines"],
  ["write", "baldr pack /F/lines --output /F/out.baldr"],
  ["env sys", "completion bash"],
];

async function tryAt(folder: string, line: string, env: Record<string, string> = {}) {
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--allow-all", "--preload", "tests/support/forbidden_acts.ts", "main.ts"],
      ...line.replaceAll("/F", folder).split(" "),
    ],
    cwd: fileURLToPath(root),
    env: { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret", ...env },
    stdin: "null",
    signal: AbortSignal.timeout(120_000),
  }).output();
  const told = new TextDecoder().decode(stderr);
  return { told, allowed: /^ALLOWED (.*)$/m.exec(told)?.[1] };
}

Deno.test("Each command gives back what it does not need, and tries to get it again in vain", async (t) => {
  await using files = await TempFiles.of({
    "lines": "one\ntwo\n",
    "two.baldr": new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1, 97]),
  });
  for (const [allowed, line, env] of cases) {
    await t.step(`${line} ${Object.keys(env ?? {})}`, async () => {
      const tried = await tryAt(files.folder, line, env);
      assert.equal(tried.allowed, allowed, tried.told);
      // What it does need it was not refused.
      assert.doesNotMatch(tried.told, /NotCapable|Requires \w+ access/);
    });
  }
});

Deno.test("What each command needs is known", () => {
  assert.deepEqual(Object.keys(needs).sort(), commands.map(({ name }) => name).sort());
  const words = (line: string) => line.split(" ");
  for (const { name } of commands) {
    const isTried = cases.some(([, line]) =>
      name.split(" ").every((word, at) => words(line)[at] === word)
    );
    assert.ok(isTried, `${name} is not tried`);
  }
});
