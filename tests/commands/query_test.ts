import assert from "node:assert/strict";
import { assertComplaint, runSluice, SilentPort } from "../support/command_line.ts";
import { freePort } from "../support/ports.ts";
import { TempFiles } from "../support/temp_files.ts";

const canary = "c4n4ry-Tr0ub4dor-3";
const url = "postgres://ada@127.0.0.1:1/shop";

const wrong: [what: string, args: string[], complaint: RegExp][] = [
  ["no URL", [], /^Cannot query: give postgres:\/\/USER@HOST\/DATABASE/],
  [
    "SQL where the URL belongs",
    ["SELECT 1"],
    /^Cannot use the URL of the warehouse: it has no scheme/,
  ],
  ["another scheme", ["mysql://ada@db/shop", "SELECT 1"], /it begins mysql:/],
  ["a URL without a user", ["postgres://db/shop", "SELECT 1"], /names no user/],
  ["two statements as two arguments", [url, "SELECT 1", "SELECT 2"], /as one argument/],
  ["SQL and a file", [url, "SELECT 1", "-f", "x.sql"], /leave one of them out/],
  ["a file that is not there", [url, "-f", "/nowhere.sql"], /read statements \/nowhere.sql/],
  ["a format that is none", [url, "SELECT 1", "--format=xml"], /one of table, csv, tsv, jsonl/],
  ["a chart that is none", [url, "SELECT 1", "--chart=pie"], /one of bar, line/],
  ["fewer rows than none", [url, "SELECT 1", "--max-rows=-1"], /--max-rows/],
  ["a time-out of nothing", [url, "SELECT 1", "--timeout=0s"], /--timeout/],
  ["a password as a flag", [url, "SELECT 1", `--password=${canary}`], /--password-file/],
  ["the URL as a flag", [`--url=postgres://ada:${canary}@db/shop`], /--url-file/],
];

for (const [what, args, complaint] of wrong) {
  Deno.test(`query refuses ${what}`, async () => {
    const outcome = await runSluice(["query", ...args]);
    assertComplaint(outcome, 2, complaint);
    assert.ok(!outcome.stderr.includes("c4n4ry"), outcome.stderr);
  });
}

const passwords = [
  `postgres://ada:${canary}@127.0.0.1:1/shop`,
  `postgres://ada@127.0.0.1:1/shop?password=${canary}`,
  `jdbc:redshift://127.0.0.1:1/dev?UID=ada&PWD=${canary}`,
  `jdbc:redshift://127.0.0.1:1/dev;UID=ada;PWD=${canary}`,
];

for (const one of passwords) {
  Deno.test(`a password on the command line is refused and not repeated: ${one}`, async () => {
    const outcome = await runSluice(["query", one, "SELECT 1"]);
    assertComplaint(outcome, 2, /^Cannot take a password .* --password-file .*SLUICE_QUERY_URL$/);
    assert.ok(!outcome.stderr.includes("c4n4ry"), outcome.stderr);
  });
}

Deno.test("a URL with a password from a file, a variable or a credential is used and not shown", async () => {
  const secret = `postgres://ada:${canary}@127.0.0.1:${freePort()}/shop`;
  await using files = await TempFiles.of({ url: `${secret}\n` });
  const ways: [args: string[], env: Record<string, string>][] = [
    [[`--url-file=${files.path("url")}`], {}],
    [[], { SLUICE_QUERY_URL: secret }],
    [[], { SLUICE_QUERY_URL_FILE: files.path("url") }],
    [[], { CREDENTIALS_DIRECTORY: files.folder }],
  ];
  for (const [args, env] of ways) {
    const outcome = await runSluice(["query", ...args, "SELECT 1"], { env });
    assertComplaint(
      outcome,
      10,
      /^Cannot connect to postgres:\/\/ada@127.0.0.1:\d+\/shop: nobody listens/,
    );
    assert.ok(!outcome.stderr.includes("c4n4ry"), outcome.stderr);
  }
});

Deno.test("a server that says nothing is given up after the time that the URL tells", async () => {
  using silent = new SilentPort();
  const args = [`postgres://ada@${silent.address}/shop?connect_timeout=1`, "SELECT 1"];
  assertComplaint(await runSluice(["query", ...args]), 10, /does not answer in time/);
});
