/** Works like the real one, but ends without a word at a block that begins with 0xdead. */
import process from "node:process";
import { parentPort } from "node:worker_threads";

parentPort?.on("message", ({ raw }: { raw: ArrayBuffer }) => {
  const [first, second] = new Uint8Array(raw);
  if (first === 0xde && second === 0xad) process.exit(7);
});
await import("../../../lib/clients/deflate/deflate_worker.ts");
