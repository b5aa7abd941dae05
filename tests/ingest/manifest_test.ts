import assert from "node:assert/strict";
import { SluiceError } from "../../lib/core/errors.ts";
import { Secret } from "../../lib/core/secret.ts";
import {
  isDataFile,
  type Manifest,
  manifestKindOf,
  readManifest,
} from "../../lib/ingest/manifest.ts";
import { readDataPattern } from "../../lib/ingest/manifest_pattern.ts";
import { secretResolver } from "../../lib/ingest/manifest_secret.ts";

const resolve = secretResolver({
  env: (name) => ({ DB: "redshift://u:hush@h/db", NONE: "", KEY: "hush" })[name],
  readFile: (path) =>
    path === "/run/url" ? Promise.resolve("postgres://u:hush@h/db\n") : Promise.reject(
      new SluiceError(`read ${path}`, "usage", "there is no such file"),
    ),
});

function read(text: string, name = "dir/manifest.edn"): Promise<Manifest> {
  return readManifest(name, new TextEncoder().encode(text), resolve);
}

const least = { table: "t", columns: ["id", "at"], "pk-columns": ["id"], "target-url": "pglite:x" };

function readJson(keys: Record<string, unknown>): Promise<Manifest> {
  return read(JSON.stringify({ ...least, ...keys }), "manifest.json");
}

/** The example of Blueshift's own README. */
const blueshift = String.raw`
{:table        "testing"
 :pk-columns   ["foo"]
 :columns      ["foo" "bar"]
 :jdbc-url     "jdbc:postgresql://foo.eu-west-1.redshift.amazonaws.com:5439/db?tcpKeepAlive=true&user=user&password=pwd"
 :options      ["DELIMITER '\\t'" "IGNOREHEADER 1" "ESCAPE" "TRIMBLANKS"]
 :data-pattern ".*tsv$"}`;

Deno.test("readManifest() reads the predecessor's own example", async () => {
  const { targetUrl, ...manifest } = await read(blueshift);
  assert.match(targetUrl.reveal(), /^jdbc:postgresql:\/\/foo.*&password=pwd$/);
  assert.deepEqual(manifest, {
    table: "testing",
    pkColumns: ["foo"],
    columns: ["foo", "bar"],
    options: ["DELIMITER '\\t'", "IGNOREHEADER 1", "ESCAPE", "TRIMBLANKS"],
    dataPattern: /^(?:.*tsv$)$/,
    strategy: "merge",
    timeoutMs: 300_000,
    orderBy: [],
    onError: "quarantine",
    format: "csv",
    preSql: [],
    postSql: [],
  });
});

const everything = {
  table: "web.hits",
  "pk-columns": ["id", "at"],
  columns: ["id", "at", "gone"],
  "jdbc-url": "jdbc:redshift://h:5439/db?user=u&password=hush",
  options: ["JSON 'auto'", "GZIP"],
  "data-pattern": "[0-9]+\\.json\\.gz",
  strategy: "merge",
  "staging-select": "select * from {{table}} where id > 0",
  "execute-opts": { "timeout-millis": 1000 },
  "order-by": ["at desc", "id"],
  "delete-when": "gone = 'yes'",
  "on-error": "stop",
  format: "json",
  "pre-sql": "set x = 1",
  "post-sql": ["analyze a", "analyze b"],
};

function asEdn(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(asEdn).join(" ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, one]) => `:${key} ${asEdn(one)}`).join(", ")}}`;
}

Deno.test("readManifest() reads the same keys in EDN, JSON and YAML", async () => {
  const json = await read(JSON.stringify(everything), "manifest.json");
  assert.deepEqual(json.orderBy, [
    { column: "at", descending: true },
    { column: "id", descending: false },
  ]);
  assert.equal(json.timeoutMs, 1000);
  assert.equal(json.stagingSelect, everything["staging-select"]);
  assert.equal(json.deleteWhen, "gone = 'yes'");
  assert.equal(json.onError, "stop");
  assert.deepEqual([json.preSql, json.postSql], [["set x = 1"], ["analyze a", "analyze b"]]);
  const yaml = Object.entries(everything).map(([k, v]) => `${k}: ${JSON.stringify(v)}\n`).join("");
  assert.deepEqual(await read(yaml, "manifest.yaml"), json);
  assert.deepEqual(await read(asEdn(everything)), json);
});

Deno.test("readManifest() takes keywords of EDN where words are meant", async () => {
  const edn = asEdn(least).replace(
    /}$/,
    " :strategy :append :staging-select :distinct :on-error :stop :execute-opts nil}",
  );
  const { strategy, stagingSelect, onError, timeoutMs } = await read(edn);
  assert.deepEqual([strategy, stagingSelect, onError, timeoutMs], [
    "append",
    "distinct",
    "stop",
    300_000,
  ]);
});

Deno.test("readManifest() knows the format from the options, or completes the options", async () => {
  const cases: [keys: Record<string, unknown>, format: string, options: string[]][] = [
    [{}, "csv", []],
    [{ options: ["JSON 'auto'"] }, "json", ["JSON 'auto'"]],
    [{ format: "json", options: ["GZIP"] }, "json", ["JSON 'auto'", "GZIP"]],
    [{ format: "csv", options: ["IGNOREHEADER 1"] }, "csv", ["CSV", "IGNOREHEADER 1"]],
    [{ format: "csv", options: ["CSV"] }, "csv", ["CSV"]],
    [{ format: "baldr" }, "baldr", ["JSON 'auto'"]],
  ];
  for (const [keys, format, options] of cases) {
    const manifest = await readJson(keys);
    assert.deepEqual([manifest.format, manifest.options], [format, options]);
  }
});

Deno.test("readManifest() takes names out of their quotes", async () => {
  const { columns, pkColumns, orderBy } = await readJson({
    columns: ['"a ""b"""', "Odd name desc", "c"],
    "pk-columns": ['"a ""b"""'],
    "order-by": ["Odd name desc", '"c" DESC', "c  asc"],
  });
  assert.deepEqual(columns, ['a "b"', "Odd name desc", "c"]);
  assert.deepEqual(pkColumns, ['a "b"']);
  assert.deepEqual(orderBy, [
    { column: "Odd name desc", descending: false },
    { column: "c", descending: true },
    { column: "c", descending: false },
  ]);
});

Deno.test("readManifest() needs no pk-columns to replace or append", async () => {
  for (const strategy of ["replace", "append"]) {
    assert.deepEqual((await readJson({ strategy, "pk-columns": null })).pkColumns, []);
  }
});

Deno.test("readManifest() finds the URL by reference and never tells it", async () => {
  const byEnv = await readJson({ "target-url": "env:DB" });
  assert.equal(byEnv.targetUrl.reveal(), "redshift://u:hush@h/db");
  assert.ok(!JSON.stringify(byEnv).includes("hush"));
  const byFile = await readJson({ "target-url": null, "jdbc-url": "file:/run/url" });
  assert.equal(byFile.targetUrl.reveal(), "postgres://u:hush@h/db");
  assert.equal((await byFile.targetUrl.fresh()).reveal(), "postgres://u:hush@h/db");
});

const refused: [keys: Record<string, unknown>, message: RegExp][] = [
  [{ "pk-column": ["id"] }, /key "pk-column" is unknown: write pk-columns/],
  [{ pk_columns: ["id"] }, /key "pk_columns" is unknown: write pk-columns/],
  [{ ":table": "x" }, /key ":table" is unknown: write table/],
  [{ zzzzzzzzzz: 1 }, /key "zzzzzzzzzz" is unknown: the keys are table, pk-columns/],
  [{ table: null }, /table is missing/],
  [{ table: "" }, /table is "": give a text/],
  [{ table: "a.b.c" }, /table is wrong: .*give table or schema.table/],
  [{ table: 7 }, /table is 7: give a text/],
  [{ columns: null }, /columns is missing/],
  [{ columns: [] }, /columns is missing/],
  [{ columns: ["id", ""] }, /columns is \["id",""\]: give a list of texts/],
  [{ columns: ["id", '""'] }, /columns is .*: give columns' names/],
  [{ columns: ["id", "id"] }, /columns names "id" twice/],
  [{ columns: ["at"] }, /pk-columns names "id", which is none of the columns/],
  [{ "pk-columns": null }, /pk-columns is missing: merge finds/],
  [{ "target-url": null }, /target-url is missing/],
  [{ "jdbc-url": "pglite:y" }, /target-url and jdbc-url are the same thing/],
  [{ "target-url": "mysql://u:hush@h/db" }, /target-url is no URL of a warehouse/],
  [{ "target-url": ["postgres://u:hush@h"] }, /target-url is no text/],
  [{ "target-url": "env:KEY" }, /target-url \(env:KEY\) is no URL of a warehouse/],
  [{ "target-url": "env:NOPE" }, /Cannot use secret env:NOPE: nothing is there/],
  [{ "target-url": "env:NONE" }, /Cannot use secret env:NONE: nothing is there/],
  [{ "target-url": "file:/nope" }, /Cannot read \/nope/],
  [{ options: ["GZIPP"] }, /options is wrong: .*write GZIP/],
  [{ options: [1] }, /options is \[1\]: give a list of texts/],
  [{ "data-pattern": "(" }, /data-pattern is "\(": .*group/],
  [{ "data-pattern": "\\Qx\\E" }, /"\\Q" is Java's alone/],
  [{ strategy: "upsert" }, /strategy is "upsert": (give merge or|write )/],
  [{ strategy: "appendd" }, /strategy is "appendd": write append/],
  [{ "staging-select": "select 1" }, /staging-select is .*\{\{table}}/],
  [{ "execute-opts": 5 }, /execute-opts is no map/],
  [{ "execute-opts": { timeout: 5 } }, /execute-opts key "timeout" is unknown: .*timeout-millis/],
  [{ "execute-opts": { "timeout-millis": 0 } }, /execute-opts timeout-millis is 0: give a whole/],
  [{ "execute-opts": { "timeout-millis": "5" } }, /timeout-millis is "5": give a whole/],
  [{ "order-by": ["nope desc"] }, /order-by names "nope", which is none of the columns/],
  [{ "order-by": "at", "pk-columns": null, strategy: "append" }, /order-by orders rows with/],
  [{ "delete-when": "a;b" }, /delete-when is "a;b": it holds a ";"/],
  [
    { "delete-when": "at is null", strategy: "replace" },
    /delete-when contradicts strategy replace/,
  ],
  [{ "delete-when": "at is null", strategy: "append" }, /delete-when contradicts strategy append/],
  [{ "on-error": "ignore" }, /on-error is "ignore": give quarantine or stop/],
  [{ format: "xml" }, /format is "xml"/],
  [{ format: "json", options: ["CSV"] }, /format is "json": options say CSV/],
  [{ format: "csv", options: ["ESCAPE"] }, /options is wrong: .*ESCAPE with CSV/],
];

for (const [keys, message] of refused) {
  Deno.test(`readManifest() refuses ${JSON.stringify(keys)}`, async () => {
    await assert.rejects(readJson(keys), (thrown: SluiceError) => {
      assert.equal(thrown.fault, "usage");
      assert.match(thrown.message, message);
      assert.ok(!thrown.message.includes("hush"));
      return true;
    });
  });
}

const unreadable: [name: string, text: string, message: RegExp][] = [
  ["manifest.edn", "{:table", /Cannot read manifest manifest.edn: .*not closed/],
  ["manifest.edn", "[1 2]", /it is no map of keys/],
  ["manifest.json", '{"jdbc-url": "postgres://u:hush@h" "table"', /it is not JSON/],
  [
    "manifest.json",
    '{"table": "a", "columns": {"table": "a"}, "table": "a"}',
    /"table" stands twice/,
  ],
  ["manifest.edn", '{:table "a" :table "a"}', /:table stands twice/],
  ["manifest.json", "null", /it is no map of keys/],
  ["manifest.yaml", "table: a\ntable: b", /unique/],
  ["manifest.yaml", "", /it is no map of keys/],
  ["manifest.toml", "", /call it manifest.edn/],
  ["manifest.json", `"${"x".repeat(2 ** 20)}"`, /longer than 262144 bytes/],
];

for (const [name, text, message] of unreadable) {
  Deno.test(`readManifest() refuses ${name} with ${text.slice(0, 50)}`, async () => {
    await assert.rejects(read(text, name), (thrown: SluiceError) => {
      assert.equal(thrown.fault, "usage");
      assert.match(thrown.message, message);
      assert.ok(!thrown.message.includes("hush"));
      return true;
    });
  });
}

Deno.test("readManifest() refuses bytes that are not UTF-8", async () => {
  const bytes = Uint8Array.of(0x7b, 0xff, 0x7d);
  await assert.rejects(readManifest("manifest.edn", bytes, resolve), { fault: "usage" });
});

Deno.test("secretResolver() refuses what is no reference", async () => {
  for (const text of ["env:", "file:", "other:x", "plain"]) {
    await assert.rejects(resolve(text), { fault: "usage", message: /Cannot find a secret/ });
  }
  assert.ok(await resolve("env:KEY") instanceof Secret);
});

const kinds: [key: string, kind: string | null][] = [
  ["a/b/manifest.edn", "edn"],
  ["a/foo-manifest.edn", "edn"],
  ["manifest.json", "json"],
  ["a/manifest.yaml", "yaml"],
  ["a/manifest.yml", "yaml"],
  ["a/data-manifest.json", null],
  ["a/manifest.edn.bak", null],
  ["manifest.edn/0001.csv", null],
];

for (const [key, kind] of kinds) {
  Deno.test(`manifestKindOf() says ${kind} of ${key}`, () => {
    assert.equal(manifestKindOf(key), kind);
  });
}

const matches: [pattern: string | undefined, key: string, isData: boolean][] = [
  [undefined, "dir/0001.csv", true],
  [undefined, "dir/manifest.edn", false],
  [".*tsv$", "dir/0001.tsv", true],
  [".*tsv", "dir/0001.tsv.gz", false],
  ["[0-9]+\\.tsv", "dir/0001.tsv", true],
  ["dir/.*", "dir/0001.tsv", true],
  ["dir", "dir/0001.tsv", false],
  ["a|b", "dir/ab", false],
  ["(?i).*\\.CSV", "dir/x.csv", true],
  [".*\\.(csv|tsv)(\\.gz)?", "dir/x.tsv.gz", true],
];

for (const [pattern, key, isData] of matches) {
  Deno.test(`isDataFile() says ${isData} of ${key} by ${pattern}`, async () => {
    assert.equal(isDataFile(await readJson({ "data-pattern": pattern ?? null }), key), isData);
  });
}

Deno.test("readDataPattern() refuses what Java reads otherwise", () => {
  for (const pattern of ["\\Aa", "a\\z", "a*+", "(?>a)", "[a&&b]", "\\p{Alpha}"]) {
    assert.equal(typeof readDataPattern(pattern), "string", pattern);
  }
  for (const pattern of ["a\\\\Z", "\\d+", "[a-z]*", "a+?", "\\.\\-"]) {
    assert.ok(readDataPattern(pattern) instanceof RegExp, pattern);
  }
});
