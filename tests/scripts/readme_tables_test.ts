import assert from "node:assert/strict";
import { type Command, defineCommand } from "../../commands/command.ts";
import { choice, duration, secret, text, toggle } from "../../lib/core/options.ts";
import {
  exitTable,
  firstDifference,
  metricTable,
  optionTable,
  withTables,
} from "../../scripts/readme_tables.ts";

function commandWith(wait: number): Command {
  return defineCommand({
    name: "make tea",
    summary: "",
    description: "",
    options: {
      "leaf": choice(["green", "black"], { help: "which | what" }),
      "wait": duration({ fallback: wait, help: "how long" }),
      "sugar": toggle({ help: "sweet" }),
      "recipe": secret({ help: "the file that holds the recipe" }),
      "config": text({ placeholder: "FILE", help: "a file" }),
    },
    exits: { ok: "it is made", usage: "no such leaf" },
    examples: [],
    run: () => Promise.resolve(0),
  });
}

Deno.test("The table of options has a row for each, with all its names and its default", () => {
  assert.deepEqual(optionTable(commandWith(60_000)).split("\n"), [
    "| flag | environment | in the file | default |  |",
    "| --- | --- | --- | --- | --- |",
    "| `--leaf green\\|black` | `SLUICE_MAKE_TEA_LEAF` | `leaf` |  | which \\| what |",
    "| `--wait DURATION` | `SLUICE_MAKE_TEA_WAIT` | `wait` | `1m` | how long |",
    "| `--sugar` | `SLUICE_MAKE_TEA_SUGAR` | `sugar` |  | sweet |",
    "| `--recipe-file FILE` | `SLUICE_MAKE_TEA_RECIPE`, or `…_FILE` | `recipe-file` |  | the file that holds the recipe |",
    "| `--config FILE` | `SLUICE_MAKE_TEA_CONFIG` |  |  | a file |",
  ]);
});

Deno.test("The table of exit codes has their numbers", () => {
  assert.match(exitTable(commandWith(0)), /\| 0 \| it is made \|\n\| 2 \| no such leaf \|$/);
});

Deno.test("The table of metrics is read from the page, those of the runtime left out", () => {
  const page = "# HELP process_x Of the runtime\n# TYPE process_x gauge\nprocess_x 1\n\n" +
    "# HELP sluice_a_total All | of them\n# TYPE sluice_a_total counter\nsluice_a_total 3\n";
  assert.deepEqual(metricTable(page, "sluice_").split("\n").slice(2), [
    "| `sluice_a_total` | counter | All \\| of them |",
  ]);
});

Deno.test("A changed default is noticed, with the line that it stands on", () => {
  const written = withTables(
    "# Tea\n<!-- options:make tea -->\n\n<!-- /options:make tea -->\n",
    { "options:make tea": optionTable(commandWith(60_000)) },
  );
  const again = withTables(written, { "options:make tea": optionTable(commandWith(60_000)) });
  assert.equal(firstDifference(written, again), undefined);
  const changed = withTables(written, { "options:make tea": optionTable(commandWith(90_000)) });
  const { line, written: before, wanted } = firstDifference(written, changed) ?? {};
  assert.equal(line, 7);
  assert.match(before ?? "", /`1m`/);
  assert.match(wanted ?? "", /`90s`/);
});

Deno.test("A text that goes on is different where the other ends", () => {
  assert.deepEqual(firstDifference("a\nb", "a\nb\nc"), { line: 3, written: "", wanted: "c" });
});

Deno.test("A table without a place, a place without a table and crossed marks are refused", () => {
  assert.throws(() => withTables("", { "exits:tea": "x" }), /no place for exits:tea/);
  assert.throws(
    () => withTables("<!-- exits:tea -->\n\n<!-- /exits:tea -->", {}),
    /nothing to put in for exits:tea/,
  );
  assert.throws(
    () =>
      withTables("<!-- exits:tea -->\n\n<!-- /exits:milk -->", {
        "exits:tea": "",
        "exits:milk": "",
      }),
    /exits:tea ends with the mark of exits:milk/,
  );
});
