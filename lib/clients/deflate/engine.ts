import { Worker } from "node:worker_threads";
import { reasonOf, SluiceError } from "../../core/errors.ts";
import type { Answer, DeflatedBlock, Job, WorkerPlan } from "./jobs.ts";

/** One worker and the jobs that it was given. Idle, it does not keep the process alive. */
export class Engine {
  readonly #worker: Worker;
  /** Those of the jobs that have no answer yet, in order. */
  readonly #waiting: PromiseWithResolvers<DeflatedBlock>[] = [];
  readonly #ended: () => void;
  #hasWorked = false;
  #isOver = false;

  /**
   * @param script a module that takes a {@linkcode Job} per message and answers it.
   * @param ended is called when the worker has died, before its jobs fail.
   */
  constructor(script: URL, plan: WorkerPlan, ended: () => void) {
    this.#ended = ended;
    this.#worker = new Worker(script, { workerData: plan });
    this.#worker.unref();
    this.#worker.on("message", (answer: Answer) => this.#take(answer));
    this.#worker.on("messageerror", (thrown: unknown) => this.#die(reasonOf(thrown), thrown));
    this.#worker.on("error", (thrown: unknown) => this.#die(reasonOf(thrown), thrown));
    this.#worker.on("exit", (code: number) => this.#die(`it ended by itself, with code ${code}`));
  }

  /** Jobs without an answer. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Gives the worker a job; the buffer is out of reach from now on. @throws as `Deflater.deflate`. */
  run(job: Job): Promise<DeflatedBlock> {
    this.#worker.postMessage(job, [job.raw]);
    if (this.#waiting.length === 0) this.#worker.ref();
    const answer = Promise.withResolvers<DeflatedBlock>();
    this.#waiting.push(answer);
    return answer.promise;
  }

  /** Ends the worker; its jobs fail. */
  close(): void {
    this.#fail(new SluiceError("compress a block", "permanent", "compression has been closed"));
  }

  #take(answer: Answer): void {
    if ("problem" in answer) return this.#die(answer.problem);
    this.#hasWorked = true;
    this.#waiting.shift()?.resolve(answer);
    if (this.#waiting.length === 0) this.#worker.unref();
  }

  #die(reason: string, cause?: unknown): void {
    if (this.#isOver) return;
    this.#ended();
    // One that never did anything will not do so the next time either.
    const fault = this.#hasWorked ? "transient" : "permanent";
    const detail = `the worker that did it has died, and the block with it: ${reason}`;
    this.#fail(new SluiceError("compress a block", fault, detail, { cause }));
  }

  #fail(error: SluiceError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    void this.#worker.terminate();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
