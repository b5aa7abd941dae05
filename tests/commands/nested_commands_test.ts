import assert from "node:assert/strict";
import { runCommandLine } from "../../commands/cli.ts";
import { type Command, defineCommand } from "../../commands/command.ts";
import type { CommandEntry } from "../../commands/mod.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { Exit } from "../../lib/core/exit.ts";
import { text, toggle } from "../../lib/core/options.ts";
import { withEnvironment } from "../support/own_environment.ts";

/** What ran, with its option values and operands. */
let ran: unknown[] = [];

function made(name: string, operands: Pick<Command, "operands">): CommandEntry {
  const command = defineCommand({
    name,
    summary: name,
    description: name,
    ...operands,
    options: {
      "to": text({ help: "where to" }),
      "json": toggle({ help: "as JSON" }),
    },
    exits: { ok: "done", usage: "wrong" },
    examples: [`sluice ${name}`],
    run: (values, { operands }) => {
      ran.push([name, values.to, values.json, ...operands]);
      return Promise.resolve(Exit.ok);
    },
  });
  return { name, summary: name, load: () => Promise.resolve(command) };
}

const url = { operands: { placeholder: "URL", help: "the archive", isOne: true } };
const daemon = made("archive", {});
const verify = made("archive verify", url);
const list = made("archive ls", url);
const plain = made("carry", {});
const tables = [
  [daemon, verify, list, plain],
  [plain, list, verify, daemon],
];

async function run(table: readonly CommandEntry[], args: readonly string[]): Promise<unknown[]> {
  ran = [];
  assert.equal(await runCommandLine(args, table), Exit.ok);
  return ran;
}

const understood: [args: string[], expected: unknown[]][] = [
  [["archive"], ["archive", undefined, false]],
  [["archive", "--to", "verify", "--json"], ["archive", "verify", true]],
  [["archive", "verify", "a"], ["archive verify", undefined, false, "a"]],
  [["archive", "verify", "--to", "x", "ls"], ["archive verify", "x", false, "ls"]],
  [["archive", "verify", "a", "--to=x", "--json"], ["archive verify", "x", true, "a"]],
  [["archive", "ls", "--json", "--", "--a"], ["archive ls", undefined, true, "--a"]],
];

for (const [args, expected] of understood) {
  Deno.test(`"sluice ${args.join(" ")}" runs the command with the most words`, async () => {
    for (const table of tables) assert.deepEqual(await run(table, args), [expected]);
  });
}

const refused: [args: string[], complaint: string][] = [
  [["archive", "verfy"], "unknown command 'verfy'; did you mean verify?"],
  [["archive", "verfy", "--help"], "unknown command 'verfy'; did you mean verify?"],
  [["archive", "nothing-like-it"], "unknown command 'nothing-like-it'; see sluice archive --help"],
  [["archive", "--too"], "unknown option '--too'; did you mean --to?"],
  [["archive", "verify", "a", "--too"], "unknown option '--too'; did you mean --to?"],
  [["archive", "verify"], "missing required argument 'URL'; see sluice archive verify --help"],
  [
    ["archive", "ls", "a", "b"],
    "too many arguments for 'ls'. Expected 1 argument but got 2: a, b; see sluice archive ls --help",
  ],
  [
    ["archive", "--to", "x", "verify", "a", "--any"],
    "the words of a command come before its options: sluice archive verify ...",
  ],
];

for (const [args, complaint] of refused) {
  Deno.test(`"sluice ${args.join(" ")}" is refused and runs nothing`, async () => {
    for (const table of tables) {
      ran = [];
      const thrown = await runCommandLine(args, table).then(() => undefined, (error) => error);
      assert.ok(thrown instanceof SluiceError, String(thrown));
      assert.deepEqual([thrown.fault, thrown.detail], ["usage", complaint]);
      assert.deepEqual(ran, []);
    }
  });
}

Deno.test("a variable of a command with fewer words is not taken for one of its own", async () => {
  await withEnvironment({ SLUICE_ARCHIVE_VERIFY_TO: "there" }, async () => {
    const table = [daemon, verify];
    assert.deepEqual(await run(table, ["archive"]), [["archive", undefined, false]]);
    assert.deepEqual(await run(table, ["archive", "verify", "a"]), [
      ["archive verify", "there", false, "a"],
    ]);
  });
});
