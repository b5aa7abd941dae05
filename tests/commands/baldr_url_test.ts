import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { plainRecords, writeArchive } from "../support/archive_objects.ts";
import { baldrOf, gzipped } from "../support/baldr.ts";
import { assertComplaint, runSluice } from "../support/command_line.ts";
import { TempFiles } from "../support/temp_files.ts";

/** An archive with a topic of values and one of whole records, and something else beside it. */
async function archive(): Promise<TempFiles> {
  const files = await TempFiles.of({ "note.txt": "no Baldr", "loose.baldr": baldrOf(["loose"]) });
  const values = { topic: "values", kind: "values" } as const;
  await writeArchive(files.folder, [
    { ...values, first: 10_000_000_000, records: plainRecords(2, 1, 3) },
    { ...values, first: 9_999_999_999, records: plainRecords(1, 1, 3) },
    { ...values, partition: 2, first: 0, records: plainRecords(3, 1, 3) },
    { ...values, partition: 10, first: 0, records: plainRecords(4, 1, 3) },
    { topic: "whole", first: 0, records: plainRecords(5, 2, 3) },
  ]);
  return files;
}

Deno.test("sluice baldr cat prints the objects below a file:// URL in the order of offsets", async () => {
  await using files = await archive();
  const seen = await runSluice(["baldr", "cat", `file://${files.folder}/sluice/`]);
  assert.equal(seen.stdout, "1:x\n2:x\n3:x\n4:x\n5:x\n6:x\n", seen.stderr);
  assert.equal(seen.code, 0);
  const json = await runSluice([
    "baldr",
    "cat",
    "--format=jsonl",
    "--limit=1",
    `file://${files.folder}/sluice/whole`,
  ]);
  assert.deepEqual(JSON.parse(json.stdout), {
    offset: 5,
    timestamp: 1_790_000_000_005,
    key: "k5",
    value: "5:x",
    headers: [],
  });
  const counted = await runSluice(["baldr", "cat", "--count", `file://${files.folder}`]);
  const lines = counted.stdout.trimEnd().split("\n");
  assert.equal(lines.length, 7);
  assert.match(
    lines[1] ?? "",
    /^1 file:\/\/.*\/sluice\/values\/partition=0\/9999999999\.baldr\.gz$/,
  );
  assert.deepEqual(
    [lines[0], lines.at(-1)],
    [`1 file://${files.folder}/loose.baldr`, "7 total"],
  );
});

Deno.test("sluice baldr check goes through the objects below a URL, and beside files", async () => {
  await using files = await archive();
  const path = `${files.folder}/sluice/values/partition=10/0000000000.baldr.gz`;
  await Deno.writeFile(path, gzipped(baldrOf(["a", "b"])).slice(0, -1));
  const seen = await runSluice([
    "baldr",
    "check",
    files.path("loose.baldr"),
    `file://${files.folder}/sluice/values`,
  ]);
  const lines = seen.stdout.trimEnd().split("\n");
  assert.equal(lines.length, 5);
  assert.equal(lines.filter((line) => line.includes(": ok, 1 record, ")).length, 4);
  assert.match(lines[4] ?? "", /partition=10\/0000000000\.baldr\.gz: damaged at byte 18 /);
  assert.equal(seen.code, 12);
});

Deno.test("sluice baldr cat tells of a URL that stands for nothing, and prints the rest", async () => {
  await using files = await archive();
  const seen = await runSluice([
    "baldr",
    "cat",
    `file://${files.folder}/nothing`,
    `file://${files.folder}/loose.baldr`,
  ]);
  assert.equal(seen.stdout, "loose\n");
  assert.match(
    seen.stderr,
    /^sluice: Cannot read file:.*\/nothing: no object has this name, [^\n]+\n$/,
  );
  assert.equal(seen.code, 1);
});

Deno.test("sluice baldr cat cannot reach a store: 10", async () => {
  const seen = await runSluice(
    ["baldr", "cat", "s3://bucket/a.baldr", "--s3-endpoint=http://127.0.0.1:1"],
    { env: { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" } },
  );
  assertComplaint(seen, 10, /a\.baldr in bucket bucket: nobody listens there/);
});

interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier?: string };
      readonly isDynamic?: boolean;
    }[];
  }[];
}

Deno.test("a baldr cat of files loads no client of a store", async () => {
  const command = fileURLToPath(new URL("../../commands/baldr_cat.ts", import.meta.url));
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json", command] })
    .output();
  const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as Graph;
  const reached = new Set<string>([
    modules.find(({ specifier }) => specifier.endsWith("commands/baldr_cat.ts"))?.specifier ?? "",
  ]);
  for (const specifier of reached) {
    for (
      const one of modules.find((module) => module.specifier === specifier)?.dependencies ?? []
    ) {
      if (!one.isDynamic && one.code?.specifier) reached.add(one.code.specifier);
    }
  }
  assert.ok(reached.size > 10);
  const loaded = [...reached].filter((one) =>
    /npm:|store\/(s3|folder)|url_inputs|archived/.test(one)
  );
  assert.deepEqual(loaded, []);
});
