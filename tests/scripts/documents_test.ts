import assert from "node:assert/strict";
import { commands } from "../../commands/mod.ts";
import { flagOf } from "../../lib/core/options.ts";

const root = new URL("../../", import.meta.url);
const documents = [
  ...["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  ...["docs/dependencies.md", "docs/migration.md", "docs/promises.md"],
];
const read = (path: string) => Deno.readTextFile(new URL(path, root));

function anchorsOf(markdown: string): Set<string> {
  const heads = [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, head = ""]) => head);
  return new Set(
    heads.map((head) => head.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")),
  );
}

for (const document of documents) {
  Deno.test(`${document} names files that exist, and links that lead somewhere`, async () => {
    const text = await read(document);
    const named = [...text.matchAll(/`((?:tests|lib|scripts|bench|commands)\/[\w/.-]+)`/g)];
    for (const [, path = ""] of named) {
      await Deno.stat(new URL(path, root)).catch(() => assert.fail(`there is no ${path}`));
    }
    for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const place = path === "" ? new URL(document, root) : new URL(path, new URL(document, root));
      await Deno.stat(place).catch(() => assert.fail(`there is no ${target}`));
      if (anchor === undefined) continue;
      const anchors = anchorsOf(await Deno.readTextFile(place));
      assert.ok(anchors.has(anchor), `no heading is #${anchor} in ${target}`);
    }
  });
}

Deno.test("docs/promises.md has each promise, with where it ends and what proves it", async () => {
  const sections = (await read("docs/promises.md")).split(/^## /m).slice(1);
  const names = [
    "P1 forward",
    "P2 archive",
    "P3 ingest",
    "P4 replicate",
    "P5 baldr",
    "P6 no secret",
  ];
  assert.equal(sections.length, names.length);
  for (const [i, name] of names.entries()) {
    const section = sections[i] ?? "";
    assert.ok(section.startsWith(name), section.slice(0, 40));
    const proofs = [...section.matchAll(/^\| `tests\/[^`]+_test\.ts`/gm)];
    assert.ok(proofs.length >= 3, `${name} has ${proofs.length} proofs`);
  }
});

Deno.test("every threat in SECURITY.md has what holds it and the test that tries it", async () => {
  const rows = (await read("SECURITY.md")).split("\n").filter((line) => line.startsWith("| "));
  assert.ok(rows.length > 15, `${rows.length} rows`);
  for (const row of rows.slice(1)) {
    const [, threat = "", holds = "", tried = ""] = row.split("|").map((cell) => cell.trim());
    assert.ok(threat.length > 10 && holds.length > 10, row);
    assert.match(tried, /^`tests\/[\w/]+_test\.ts`/, row);
  }
});

Deno.test("docs/migration.md names only options that its command has", async () => {
  const text = await read("docs/migration.md");
  for (const section of text.split(/^## /m).slice(1)) {
    const names = [...section.split("\n")[0]?.matchAll(/`sluice ([a-z-]+)`/g) ?? []];
    // Those of kafka-consumer-groups.sh, which a recipe there uses.
    const flags = new Set(
      section.startsWith("Bifrost")
        ? ["--bootstrap-server", "--topic", "--reset-offsets", "--to-offset", "--execute"]
        : [],
    );
    for (const name of names.map(([, one = ""]) => one)) {
      const command = await commands.find((one) => one.name === name)?.load();
      assert.ok(command, name);
      for (const [option, declared] of Object.entries(command.options)) {
        flags.add(flagOf(option, declared));
      }
    }
    // The first cell of a row is the predecessor's, whose flags Big Replicate's successor has kept.
    const here = section.startsWith("Big Replicate")
      ? section
      : section.replace(/^\| [^|]*\|/gm, "");
    for (const [flag] of here.matchAll(/(?<![\w-])--[a-z][a-z0-9-]+/g)) {
      assert.ok(flags.has(flag), `${flag} under ${section.slice(0, 40)}`);
    }
  }
});
