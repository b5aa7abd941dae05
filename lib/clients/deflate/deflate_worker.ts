import { parentPort, workerData } from "node:worker_threads";
import { reasonOf } from "../../core/errors.ts";
import { BlockDeflater } from "./block_deflater.ts";
import type { Answer, DeflatedBlock, Job, WorkerPlan } from "./jobs.ts";

/**
 * Runs in a thread of its own: deflates a block per message. Every module that it imports is loaded
 * once more in each worker: few.
 */
const { level } = workerData as WorkerPlan;
const deflater = new BlockDeflater(level);

parentPort?.on("message", ({ raw, length }: Job) => {
  try {
    const block = new Uint8Array(raw, 0, length);
    const sums = deflater.checksums(block);
    const bytes = deflater.deflate(block);
    const answer: DeflatedBlock = { bytes, rawBytes: length, ...sums, spare: raw };
    parentPort?.postMessage(answer, [bytes.buffer, raw]);
  } catch (thrown) {
    // Uncaught, it would end the worker too, but be printed by the runtime.
    const answer: Answer = { problem: reasonOf(thrown) };
    parentPort?.postMessage(answer);
  }
});
