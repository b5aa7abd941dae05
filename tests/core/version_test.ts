import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { sourceCommit, version } from "../../lib/core/version.ts";

async function checkout(files: Record<string, string>): Promise<URL> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-version-" });
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(`${folder}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${folder}/${path}`, text);
  }
  return pathToFileURL(`${folder}/`);
}

const hash = "0123456789abcdef0123456789abcdef01234567";

Deno.test("sourceCommit() finds the commit however git has written it down", async () => {
  const layouts: Record<string, string>[] = [
    { ".git/HEAD": `${hash}\n` },
    { ".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": `${hash}\n` },
    {
      ".git/HEAD": "ref: refs/heads/main\n",
      ".git/packed-refs": `# pack-refs\nffff refs/heads/other\n${hash} refs/heads/main\n`,
    },
  ];
  for (const files of layouts) {
    const root = await checkout(files);
    assert.equal(sourceCommit(root), "0123456");
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("sourceCommit() gives nothing outside a checkout", async () => {
  const root = await checkout({ "main.ts": "" });
  assert.equal(sourceCommit(root), undefined);
  await Deno.remove(root, { recursive: true });
});

Deno.test("version() is the version of deno.json", async () => {
  const config = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  ) as { version: string };
  assert.equal(version().version, config.version);
  assert.match(version().commit, /^([0-9a-f]{7}|unknown)$/);
});
