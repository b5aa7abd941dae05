import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { checkout } from "../../scripts/stages.ts";
import { workersOfProgram } from "../../scripts/workers.ts";

Deno.test("workersOfProgram() finds every worker of the program, wherever it is started", async () => {
  const folder = await Deno.makeTempDir({ prefix: "sluice-workers-" });
  await Deno.mkdir(`${folder}/lib/clients/a`, { recursive: true });
  await Deno.mkdir(`${folder}/tests`);
  await Deno.writeTextFile(`${folder}/main.ts`, 'new URL("./lib/b.ts", import.meta.url);\n');
  await Deno.writeTextFile(
    `${folder}/lib/clients/a/a.ts`,
    'import "./c.ts";\nnew Worker(new URL("../d.ts", import.meta.url));\n',
  );
  await Deno.writeTextFile(`${folder}/tests/e.ts`, 'new URL("./f.ts", import.meta.url);\n');
  assert.deepEqual(await workersOfProgram(folder), ["lib/b.ts", "lib/clients/d.ts"]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("The workers of this program are files", async () => {
  const root = fileURLToPath(checkout);
  const workers = await workersOfProgram(root);
  assert.ok(workers.includes("lib/clients/deflate/deflate_worker.ts"), workers.join());
  for (const path of workers) assert.ok((await Deno.stat(`${root}/${path}`)).isFile, path);
});
