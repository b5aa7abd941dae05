import assert from "node:assert/strict";
import { resolveOptions } from "../../lib/core/resolve.ts";
import {
  replicateOptions,
  replicateSettings,
  type ReplicateValues,
} from "../../commands/replicate_options.ts";
import { replicate } from "../../commands/replicate.ts";
import { runSluice } from "../support/command_line.ts";

async function valuesOf(
  flags: Record<string, string | readonly string[] | boolean>,
  env: Record<string, string> = {},
): Promise<ReplicateValues> {
  return await resolveOptions("replicate", replicateOptions, {
    ...{ flags, env, commands: ["replicate"], config: {} },
    readFile: () => Promise.resolve(""),
    credential: () => Promise.resolve(undefined),
  });
}

const base = { "source-project": "shop", "source-dataset": "web", "destination-dataset": "web_eu" };

Deno.test("replicate has the predecessor's flags, letters and defaults", async () => {
  const letters = Object.entries(replicateOptions)
    .flatMap(([name, option]) =>
      "letter" in option && option.letter ? [[name, option.letter]] : []
    );
  assert.deepEqual(letters, [
    ["source-project", "s"],
    ["source-dataset", "i"],
    ["destination-project", "p"],
    ["destination-dataset", "d"],
    ["table-filter", "f"],
    ["google-cloud-bucket", "g"],
    ["number", "n"],
    ["number-of-agents", "a"],
  ]);
  const settings = replicateSettings(
    await valuesOf({ "source-project": "a", "source-dataset": "b", "destination-project": "c" }),
  );
  assert.equal(settings.number, 7);
  assert.equal(settings.agents, navigator.hardwareConcurrency);
  assert.ok(settings.filter.test("anything at all"));
  assert.deepEqual(settings.destination, { projectId: "c", datasetId: "b" });
  assert.equal(settings.choice, "missing");
});

Deno.test("replicate takes its options from the environment, too", async () => {
  const env = {
    SLUICE_REPLICATE_SOURCE_PROJECT: "shop",
    SLUICE_REPLICATE_SOURCE_DATASET: "web",
    SLUICE_REPLICATE_DESTINATION_DATASET: "web_eu",
    SLUICE_REPLICATE_NUMBER: "30",
  };
  assert.equal(replicateSettings(await valuesOf({}, env)).number, 30);
});

Deno.test("replicate reads maps of keys, tags and members", async () => {
  const settings = replicateSettings(
    await valuesOf({
      ...base,
      "kms-map": ["a=b", "c=d"],
      "row-policy-map": ["p=user:x@y,p=group:z", "t.q=user:w"],
    }),
  );
  assert.deepEqual([...settings.kmsMap], [["a", "b"], ["c", "d"]]);
  assert.deepEqual([...settings.rowPolicyMap], [["p", ["user:x@y", "group:z"]], ["t.q", [
    "user:w",
  ]]]);
});

const wrong: readonly [Record<string, string | readonly string[] | boolean>, RegExp][] = [
  [{ "source-dataset": "web" }, /give --source-project PROJECT/],
  [{ "source-project": "shop" }, /give --source-dataset DATASET/],
  [{ "source-project": "shop", "source-dataset": "web" }, /shop\.web into itself/],
  [{ ...base, "source-dataset": "shop:web" }, /source dataset "shop:web".*without the project/],
  [{ ...base, "source-project": "Shop Ltd" }, /source project "Shop Ltd"/],
  [{ ...base, "table-filter": "(" }, /read --table-filter "\("/],
  [{ ...base, "google-cloud-bucket": "bucket" }, /--google-cloud-bucket "bucket": give gs:/],
  [{ ...base, "destination-bucket": "gs://bucket" }, /give --google-cloud-bucket, too/],
  [{ ...base, "via": "extract" }, /--via extract: give --google-cloud-bucket/],
  [{ ...base, "changed": true, "all": true }, /--changed and --all together/],
  [{ ...base, "kms-map": ["a"] }, /--kms-map "a": give FROM=TO/],
  [{ ...base, "row-policy-map": ["eu"] }, /--row-policy-map "eu": give POLICY=MEMBER/],
  [{ ...base, "row-policy-map": ["eu=bob"] }, /policy eu to "bob": say what it is: user:MAIL/],
];

for (const [flags, message] of wrong) {
  Deno.test(`replicate refuses ${JSON.stringify(flags)}`, async () => {
    const values = await valuesOf(flags);
    assert.throws(() => replicateSettings(values), (thrown) => {
      assert.match(String(thrown), message);
      return (thrown as { fault?: string }).fault === "usage";
    });
  });
}

Deno.test("replicate: help tells exit codes and examples; a wrong option ends with 2, no server with 10", async () => {
  assert.ok(replicate.examples.length > 0);
  const help = await runSluice(["replicate", "--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /EXIT STATUS[^]*130[^]*EXAMPLES/);
  const wrong = await runSluice(["replicate", "-s", "a", "-i", "b"]);
  assert.equal(wrong.code, 2);
  const away = await runSluice([
    ...["replicate", "-s", "a", "-i", "b", "-d", "c", "--retry-for", "1s", "--log-level", "error"],
    ...["--bigquery-endpoint", "http://127.0.0.1:1"],
  ]);
  assert.deepEqual([away.code, away.stdout], [10, ""]);
  assert.match(away.stderr, /^sluice: Cannot read the dataset a\.\w: nobody listens there\n$/);
});
