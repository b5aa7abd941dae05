import { checkContract } from "../clients/store/contract.ts";
import { openStore } from "../../lib/clients/store/store.ts";
import { realWorld } from "../../lib/core/world.ts";
import { startS3 } from "../support/s3_server.ts";

const world = realWorld(() => {});

Deno.test("S3 does what a store has to do", async (t) => {
  await using server = await startS3();
  await server.createBucket("contract");
  for (const [name, value] of Object.entries(server.env())) Deno.env.set(name, value);
  let count = 0;
  const partBytes = 5 * 1024 * 1024;
  await checkContract(t, {
    name: "s3",
    partBytes,
    keepsMetadata: true,
    open: () =>
      openStore(`s3://contract/store ${count++}/ü`, {
        endpoint: server.endpoint,
        partBytes,
        world,
      }),
  });
});
