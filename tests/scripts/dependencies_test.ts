import assert from "node:assert/strict";
import { dependenciesIn, dependencyComplaints, packageOf } from "../../scripts/dependencies.ts";
import { sourcesUnder } from "../../scripts/sources.ts";

const root = new URL("../../", import.meta.url).pathname;
const read = (path: string) => Deno.readTextFile(root + path);

interface Lock {
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<
    Record<string, { readonly integrity?: string; readonly tarball?: string }>
  >;
}

const config = JSON.parse(await read("deno.json")) as {
  readonly lock: unknown;
  readonly imports: Readonly<Record<string, string>>;
};

Deno.test("docs/dependencies.md has each dependency, why it is there and who imports it", async () => {
  const sources = new Map<string, string>();
  for (const folder of ["main.ts", "commands", "lib", "scripts", "tests", "bench"]) {
    for await (const path of sourcesUnder(root + folder)) {
      // Its imports stand in strings, as cases.
      if (!/tests\/scripts\/(layers|imports|dependencies)_test\.ts$/.test(path)) {
        sources.set(path.slice(root.length), await Deno.readTextFile(path));
      }
    }
  }
  const table = dependenciesIn(await read("docs/dependencies.md"));
  assert.ok(sources.size > 300 && table.length > 15, `${sources.size} files, ${table.length} rows`);
  assert.deepEqual(dependencyComplaints(table, config.imports, sources), []);
});

Deno.test("the lock is frozen and pins every package by its checksum", async () => {
  assert.deepEqual(config.lock, { path: "./deno.lock", frozen: true });
  const lock = JSON.parse(await read("deno.lock")) as Lock;
  assert.deepEqual(
    Object.keys(lock.specifiers).filter((one) => one.startsWith("npm:")).sort(),
    Object.values(config.imports).sort(),
  );
  const packages = Object.entries(lock.npm);
  assert.ok(packages.length > 100, `${packages.length} packages`);
  for (const [name, { integrity, tarball }] of packages) {
    assert.match(integrity ?? "", /^sha512-[\w+/]{86}==$/, `${name} has no checksum`);
    assert.equal(tarball, undefined, `${name} comes from elsewhere`);
  }
});

const table = dependenciesIn([
  "| package | imported by | why it is there |",
  "|---|---|---|",
  "| `pg` | `lib/clients/warehouse/` | PostgreSQL's protocol, SCRAM and TLS |",
  "| `yaml` | `lib/clients/yaml.ts` | the configuration is YAML: a parser of all of it |",
].join("\n"));
const pinned = { pg: "npm:pg@8.23.1", yaml: "npm:yaml@2.9.1" };
const sound = {
  "lib/clients/warehouse/pg.ts": 'import pg from "pg";',
  "lib/clients/yaml.ts": 'import { parse } from "yaml";',
};

const cases: [what: string, files: object, imports: object, complaint: RegExp | null][] = [
  ["all that is sound", {}, {}, null],
  ["a test that imports", { "tests/a_test.ts": 'import "yaml";' }, {}, null],
  ["an import elsewhere", { "lib/core/a.ts": '\nimport "yaml";' }, {}, /^lib\/core\/a\.ts:2: yaml/],
  ["an import by version", { "lib/a.ts": 'import "npm:yaml@2.9.1/x";' }, {}, /^lib\/a\.ts:1: yaml/],
  ["a package nobody imports", { "lib/clients/yaml.ts": "" }, {}, /^yaml: nothing in/],
  ["a package without a row", {}, { zod: "npm:zod@4.6.7" }, /^zod is in deno\.json/],
  ["a range", {}, { pg: "npm:pg@^8.23.1" }, /no exact version/],
  ["another package by that name", {}, { pg: "npm:gp@8.23.1" }, /no exact version/],
  ["a row without a package", {}, { pg: undefined }, /^pg is in the table/],
];

for (const [what, files, imports, complaint] of cases) {
  Deno.test(`${what} is ${complaint ? "complained about" : "fine"}`, () => {
    const all = Object.entries({ ...pinned, ...imports }).filter(([, one]) => one !== undefined);
    const complaints = dependencyComplaints(
      table,
      Object.fromEntries(all) as Record<string, string>,
      new Map(Object.entries({ ...sound, ...files } as Record<string, string>)),
    );
    if (complaint === null) return assert.deepEqual(complaints, []);
    assert.equal(complaints.length, 1, complaints.join("\n"));
    assert.match(complaints[0] ?? "", complaint);
  });
}

Deno.test("a specifier tells its package", () => {
  assert.equal(packageOf("protobufjs/light.js"), "protobufjs");
  assert.equal(packageOf("@aws-sdk/client-s3"), "@aws-sdk/client-s3");
  assert.equal(packageOf("npm:kafkajs@2.2.4/src/a.js"), "kafkajs");
  assert.equal(packageOf("npm:@scope/name@1.0.0/a.js"), "@scope/name");
  assert.equal(packageOf("node:fs"), undefined);
  assert.equal(packageOf("./a.ts"), undefined);
});
