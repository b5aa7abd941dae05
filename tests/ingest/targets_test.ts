import assert from "node:assert/strict";
import type { Warehouse, WarehouseKind } from "../../lib/clients/warehouse/warehouse.ts";
import { Secret } from "../../lib/core/secret.ts";
import { realWorld } from "../../lib/core/world.ts";
import { Targets } from "../../lib/ingest/targets.ts";

/** Targets that count what they open and close. */
function counting(kind: WarehouseKind) {
  const counted = { opened: 0, open: 0, most: 0 };
  const open = (): Promise<Warehouse> => {
    counted.opened++;
    counted.most = Math.max(counted.most, ++counted.open);
    return Promise.resolve({
      ...{ kind, url: "there", connect: () => Promise.reject(new Error("not in this test")) },
      close: async () => {
        await Promise.resolve();
        counted.open--;
      },
    });
  };
  return { counted, targets: new Targets(realWorld(() => {}), open) };
}

for (const kind of ["postgres", "pglite"] as const) {
  Deno.test(`targets open a ${kind} once for all who come at the same moment`, async () => {
    const { counted, targets } = counting(kind);
    const url = new Secret("there");
    const act = () => Promise.resolve();
    await Promise.all(Array.from({ length: 20 }, () => targets.use(url, act)));
    assert.equal(counted.opened, 1);
    // PGlite is let go of when nobody uses it, and never is open twice.
    await Promise.all(Array.from({ length: 20 }, async (_, n) => {
      for (let wait = 0; wait < n; wait++) await Promise.resolve();
      await targets.use(url, act);
    }));
    assert.equal(counted.most, 1);
    await targets.close();
    assert.equal(counted.open, 0);
  });
}
