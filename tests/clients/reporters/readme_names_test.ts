import assert from "node:assert/strict";

const readme = await Deno.readTextFile(new URL("../../../README.md", import.meta.url));

/** What stands between two marks of the README. */
function between(name: string): string[] {
  const form = new RegExp(`<!-- ${name} -->([^]*?)<!-- /${name} -->`, "g");
  return [...readme.matchAll(form)].map(([, text = ""]) => text);
}

// The gate compares these tables with the pages of the running daemons (scripts/readme_options.ts).
const known = new Set(
  between("metrics:[a-z-]+").flatMap((table) =>
    [...table.matchAll(/^\| `(sluice_\w+)` \|/gm)].map(([, name]) => name)
  ),
);

const rows = between("names").flatMap((table) => table.split("\n"))
  .filter((line) => /^\| (Syslogger|Bifrost|Blueshift) \|/.test(line));

Deno.test("every metric of the predecessors has a name here that exists", () => {
  assert.ok(known.size > 40, `${known.size} names in the tables of metrics`);
  assert.equal(rows.length, 24);
  for (const row of rows) {
    const [, , before = "", here = "", more = ""] = row.split("|").map((cell) => cell.trim());
    assert.match(before, /^`[^`]+`/, row);
    const names = [...`${here} ${more}`.matchAll(/`(sluice_\w+)`/g)].map(([, name]) => name);
    assert.match(here, /^`sluice_\w+`$/, row);
    for (const name of names) assert.ok(known.has(name), `${name} does not exist: ${row}`);
  }
});

Deno.test("the names that Syslogger, Bifrost and Blueshift register are all there", () => {
  const told = rows.join("\n");
  const registered = [
    ...["connections", "messages.sent", "messages.errors", "messages.dropped"],
    ...["messages.received", "messages.time", "records", "baldrWrite", "uploadBytes"],
    ...["s3-upload-time", "azureblob-upload-time", "bufSize", "zookeeper-consumers"],
    ...["build-number", "directories-watched", "importing-files.files", "importing-files.time"],
    ...["redshift-imports.imports", "redshift-imports.commits", "redshift-imports.rollbacks"],
    ...["open-connections", "executing-statements", "statement-timeouts"],
  ];
  for (const name of registered) assert.ok(told.includes(name), name);
});
