/** Works like the real one, and makes a file `?PATH` when it has done `&COUNT` blocks. */
import { parentPort } from "node:worker_threads";
await import("../../../lib/clients/deflate/deflate_worker.ts");

const { searchParams } = new URL(import.meta.url);
let left = Number(searchParams.get("count"));
parentPort?.on("message", () => {
  if (--left === 0) Deno.writeTextFileSync(searchParams.get("path") ?? "", "");
});
