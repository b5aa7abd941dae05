import { createFile, findFile, readAllText } from "../../clients/file.ts";
import { SluiceError, usageError } from "../../core/errors.ts";

/**
 * How far the restore of one partition has come. The target is the ledger: of what it has got since
 * `target`, every record is ours, in order, so its end tells what is to be written next, whatever has
 * become of the process that wrote.
 */
export interface Checkpoint {
  /** All wanted records of the objects that begin before it are in the target; null: of none. */
  readonly source: bigint | null;
  /** The target's end at that moment. */
  readonly target: bigint;
  /** As whom the records are written: the broker refuses what comes late or twice from a dead one. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The target's end when that producer began: its record there has the sequence 0. */
  readonly since: bigint;
  /** Offsets that the archive lacks, as far as it was read. */
  readonly gaps: readonly (readonly [from: bigint, to: bigint, isRetention: boolean])[];
}

/** What makes two runs the same restore. */
export type RestoreRequest = Readonly<Record<string, string | readonly string[]>>;

/** How often the file is written at most. */
const writeMs = 1_000;
const version = 1;

/** The file that makes a restore resumable. It is replaced as a whole, durably, or not at all. */
export class StateFile {
  readonly #checkpoints: Map<string, Checkpoint>;
  #writing: Promise<void> | null = null;
  #isDirty = false;
  #writtenMs = -Infinity;

  private constructor(
    private readonly path: string,
    private readonly request: RestoreRequest,
    private readonly monotonicMs: () => number,
    checkpoints: Map<string, Checkpoint>,
  ) {
    this.#checkpoints = checkpoints;
  }

  /**
   * Reads the file if there is one.
   *
   * @throws {SluiceError} `usage` when it is another restore's or no state file; `permanent` when it
   * cannot be read.
   */
  static async open(
    path: string,
    request: RestoreRequest,
    monotonicMs: () => number,
  ): Promise<StateFile> {
    const found = await findFile(path);
    const checkpoints = found === undefined
      ? new Map<string, Checkpoint>()
      : parse(path, await readAllText(path, "state file"), request);
    return new StateFile(path, request, monotonicMs, checkpoints);
  }

  /** Of a partition of the archive, by its name; undefined when it was not begun. */
  get(partition: string): Checkpoint | undefined {
    return this.#checkpoints.get(partition);
  }

  /** Keeps a checkpoint in mind; it is in the file after the next {@linkcode save}. */
  set(partition: string, checkpoint: Checkpoint): void {
    this.#checkpoints.set(partition, checkpoint);
    this.#isDirty = true;
  }

  /** Writes the file if there is something new and the last time is long enough ago. */
  saveNowAndThen(): Promise<void> {
    if (this.monotonicMs() - this.#writtenMs < writeMs) return Promise.resolve();
    return this.save();
  }

  /** Writes the file if there is something new. @throws {SluiceError} when it cannot be written. */
  async save(): Promise<void> {
    while (this.#isDirty || this.#writing !== null) {
      this.#writing ??= this.#write().finally(() => this.#writing = null);
      await this.#writing;
    }
  }

  async #write(): Promise<void> {
    this.#isDirty = false;
    this.#writtenMs = this.monotonicMs();
    const partitions = Object.fromEntries(
      [...this.#checkpoints].map(([name, checkpoint]) => [name, toJson(checkpoint)]),
    );
    const content = { sluice: "archive restore", version, request: this.request, partitions };
    const draft = await createFile(this.path);
    try {
      await draft.write(new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`));
      await draft.commit();
    } finally {
      draft.discard();
    }
  }
}

function toJson(checkpoint: Checkpoint): Record<string, unknown> {
  const { source, target, producerId, producerEpoch, since, gaps } = checkpoint;
  return {
    source: source === null ? null : String(source),
    target: String(target),
    producerId: String(producerId),
    producerEpoch,
    since: String(since),
    gaps: gaps.map(([from, to, isRetention]) => [String(from), String(to), isRetention]),
  };
}

function parse(path: string, text: string, request: RestoreRequest): Map<string, Checkpoint> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (thrown) {
    throw usageError(`use the state file ${path}`, "it is no JSON; give another name", thrown);
  }
  if (!isObject(content) || content["sluice"] !== "archive restore") {
    throw usageError(`use the state file ${path}`, "it is none; give another name");
  }
  if (content["version"] !== version) {
    throw usageError(`use the state file ${path}`, `its version is ${content["version"]}, not 1`);
  }
  const before = content["request"];
  for (const [name, wanted] of Object.entries(request)) {
    const was = isObject(before) ? before[name] : undefined;
    if (JSON.stringify(was) === JSON.stringify(wanted)) continue;
    throw usageError(
      `go on with the state file ${path}`,
      `it is of a restore with ${name} ${JSON.stringify(was)}, not ${JSON.stringify(wanted)}; ` +
        "repeat that, or give another file",
    );
  }
  const { partitions } = content;
  if (!isObject(partitions)) throw damaged(path);
  return new Map(
    Object.entries(partitions).map(([name, one]) => [name, checkpointOf(path, one)]),
  );
}

function checkpointOf(path: string, json: unknown): Checkpoint {
  if (!isObject(json)) throw damaged(path);
  const { producerEpoch, gaps } = json;
  if (typeof producerEpoch !== "number" || !Array.isArray(gaps)) throw damaged(path);
  const integer = (value: unknown): bigint => {
    if (typeof value !== "string" || !/^\d{1,19}$/.test(value)) throw damaged(path);
    return BigInt(value);
  };
  return {
    source: json["source"] === null ? null : integer(json["source"]),
    target: integer(json["target"]),
    producerId: integer(json["producerId"]),
    producerEpoch,
    since: integer(json["since"]),
    gaps: gaps.map((gap) => [integer(gap?.[0]), integer(gap?.[1]), gap?.[2] === true] as const),
  };
}

function damaged(path: string): SluiceError {
  return new SluiceError(`use the state file ${path}`, "corrupt", "it was altered");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
