// deno-lint-ignore-file no-console -- a program for tests
/** A program that uses a warehouse as sluice does: `deno run ... warehouse_program.ts URL`. */
import { openWarehouse } from "../../lib/clients/warehouse/warehouse.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";

const [url = ""] = Deno.args;
const warehouse = await openWarehouse(new Secret(url), realWorld(() => {}));
const session = await warehouse.connect({ statementTimeoutMs: 30_000 });
await session.execute("CREATE TEMP TABLE t (id int, s text)");
async function* rows(): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  // Enough that PGlite puts it into a file.
  for (let i = 0; i < 100; i++) yield new TextEncoder().encode(`1\t${"x".repeat(99_000)}\n`);
}
const copied = await session.copyIn("COPY t FROM STDIN", rows());
let count = 0;
for await (const batch of await session.stream("SELECT * FROM t")) count += batch.length;
const cancelled = session.query("SELECT pg_sleep(0.2)").catch(() => {});
await session.cancel();
await cancelled;
console.log(JSON.stringify({ kind: warehouse.kind, copied, count }));
await warehouse.close();
