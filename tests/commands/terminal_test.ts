/** What others wrote, on a terminal: shown, and without power over it. */
import assert from "node:assert/strict";
import { openStore } from "../../lib/clients/store/store.ts";
import { realWorld } from "../../lib/core/world.ts";
import { putObject } from "../support/archive_maker.ts";
import { archivedRecord } from "../support/archive_objects.ts";
import { baldrOf } from "../support/baldr.ts";
import { onTerminal, runShell } from "../support/shell.ts";
import { TempFiles } from "../support/temp_files.ts";

/** Title, clipboard, and a C1 control that begins a sequence like ESC [; then what is harmless. */
const evil = "\x1b]0;owned\x07\x1b]52;c;eA==\x07\x9b2J\x7f\r\b";
const shown = "\\u001b]0;owned\\u0007\\u001b]52;c;eA==\\u0007\\u009b2J\\u007f\\u000d\\u0008";

// deno-lint-ignore no-control-regex -- that there are none is the point
const commanding = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

const json = JSON.stringify({ [evil]: [evil] });
const records = [`${evil}\tä\nend`, json, Uint8Array.of(0x9b, 0x32, 0x4a)];

const forms: [format: string, onTerminal: string][] = [
  ["lines", `${shown}\tä\nend\n${jsonShown(json)}\n\ufffd2J\n`],
  ["raw", `${shown}\tä\nend${jsonShown(json)}\ufffd2J`],
  [
    "jsonl",
    `${
      JSON.stringify(`${evil}\tä\nend`).replaceAll("\x9b", "\\u009b").replaceAll("\x7f", "\\u007f")
    }` +
    `\n${jsonShown(json)}\n{"content":"\\u009b2J","charset":"iso-8859-1"}\n`,
  ],
];

/** JSON with its own escapes for the characters that it may hold as they are. */
function jsonShown(text: string): string {
  return text.replaceAll("\x9b", "\\u009b").replaceAll("\x7f", "\\u007f");
}

for (const [format, wanted] of forms) {
  Deno.test(`sluice baldr cat --format ${format} lets no record command a terminal; a pipe gets the bytes`, async () => {
    await using files = await TempFiles.of({ "a": baldrOf(records) });
    const command = `baldr cat --format ${format} a`;
    const { text, code } = await onTerminal(`$SLUICE ${command}`, files.folder);
    assert.deepEqual({ text, code }, { text: wanted, code: 0 });
    const piped = await runShell(`sluice ${command}`, { cwd: files.folder });
    if (format === "jsonl") assert.equal(JSON.parse(piped.stdout.split("\n")[0] ?? ""), records[0]);
    else assert.ok(piped.stdout.startsWith(`${evil}\tä\nend`), "a pipe gets what there is");
  });
}

Deno.test("sluice baldr cat lays records out on a terminal in its own colours, and no others", async () => {
  const whole = archivedRecord({
    ...{ offset: 1, timestampMs: 0, key: evil, value: evil },
    headers: [[evil, evil]],
  });
  await using files = await TempFiles.of({ "a": baldrOf(records), "b.records": baldrOf([whole]) });
  const { text, code } = await onTerminal("$SLUICE baldr cat a b.records", files.folder);
  assert.equal(code, 0);
  // deno-lint-ignore no-control-regex -- the colours of JSON
  assert.doesNotMatch(text.replace(/\x1b\[(34;1|32|36|33|0)m/g, ""), commanding);
  assert.ok(text.startsWith(`${shown}\tä\nend\n{\n  \x1b[34;1m"\\u001b]0;owned`), text);
});

Deno.test("no name of a file, and no key of an archive, commands a terminal", async () => {
  const name = `${evil}.baldr`;
  await using files = await TempFiles.of({
    [name]: baldrOf(["x"]),
    [`cut${name}`]: new Uint8Array(3),
  });
  const store = await openStore(`file://${files.folder}/archive`, { world: realWorld(() => {}) });
  await putObject(store, { topic: "web", first: 0n, next: 1n, records: ["x"] });
  // By another hand: our own writes no such key.
  await Deno.writeFile(files.path(`archive/sluice/${evil}`), new Uint8Array(1));
  const url = `"file://$PWD/archive"`;
  const commands: [command: string, code: number, said: RegExp][] = [
    ["baldr cat --count *.baldr", 12, /^1 .u001b\]0;owned/m],
    ["baldr check *.baldr", 12, /^.u001b\]0;owned.*: ok, 1 record/m],
    ["baldr check --json *.baldr", 12, /"ok":true/],
    [`baldr cat '${evil}'`, 1, /^sluice: Cannot read .u001b/m],
    [`archive ls --json ${url}`, 0, /"keys":\["sluice\/.u001b/],
    [`archive verify ${url}`, 0, /1 object not of this archive: sluice\/.u001b/],
  ];
  const script = commands.map(([command]) => `sluice ${command}; echo "=== $?"`).join("\n");
  const begin = `sluice() { eval "$SLUICE" '"$@"'; }`;
  await Deno.writeTextFile(files.path("script"), `${begin}\n${script}`);
  const { text } = await onTerminal("bash script", files.folder);
  const parts = text.split(/^=== /m);
  for (const [i, [command, code, said]] of commands.entries()) {
    const part = (parts[i] ?? "").replace(/^\d+\n/, "");
    assert.doesNotMatch(part, commanding, `${command}\n${JSON.stringify(part)}`);
    assert.match(part, said, `${command}\n${part}`);
    assert.equal(Number.parseInt(parts[i + 1] ?? ""), code, `${command}\n${part}`);
  }
});
