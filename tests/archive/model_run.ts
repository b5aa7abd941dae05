import assert from "node:assert/strict";
import { type Log, Log as ModelLog } from "./model_log.ts";
import { ModelProcess, sessionMs } from "./model_process.ts";
import { Ledger } from "./model_servers.ts";
import { storm, type Weather } from "./model_wire.ts";
import { turn, VirtualTime } from "./rig.ts";

const beatMs = 1_000;
const handOverMs = 4_000;

/** Numbers in [0, 1) that are the same for the same seed. */
export function chanceOf(seed: number): () => number {
  let state = seed * 0x9e3779b9 >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** A member as the coordinator knows it. */
interface Member {
  seenMs: number;
}

/** One schedule of everything that may happen to a group that archives two partitions. */
export class Run {
  /** Few turns: what does not get that far goes on after the next event. */
  readonly time = new VirtualTime(12);
  readonly random: () => number;
  readonly weather: Weather = { ...storm };
  readonly faults = { rate: 0.03 };
  readonly logs: Log[];
  readonly ledger: Ledger;
  readonly #members = new Map<ModelProcess, Member>();
  readonly #processes = new Set<ModelProcess>();
  #names = 0;
  /** Nobody gets partitions any more. */
  isOver = false;

  constructor(seed: number) {
    this.random = chanceOf(seed);
    this.logs = [0, 1].map((partition) => new ModelLog(partition, this.random));
    this.ledger = new Ledger(this.logs);
    for (const log of this.logs) log.produce();
    for (let i = 0; i < 2; i++) this.#launch();
    this.#every(500, () => this.#shareOut());
  }

  /** Something happens. */
  step(): void {
    const log = this.#one(this.logs);
    const process = this.#one([...this.#processes]);
    const kind = this.random() * 100;
    if (kind < 45) log?.produce();
    else if (kind < 50) log?.trim();
    else if (kind < 55 && log) log.leader = 3 - log.leader;
    else if (kind < 65) this.#move(Math.floor(this.random() * this.logs.length));
    else if (kind < 75) process?.squeeze();
    else if (kind < 85) process && this.#freeze(process, this.random() * 4 * sessionMs);
    else if (kind < 89) process && this.#crash(process);
    else if (kind < 94 && this.#processes.size < 3) this.#launch();
    else for (let i = 0; i < 10; i++) log?.produce();
  }

  async pass(ms: number): Promise<void> {
    await this.time.pass(ms);
  }

  /** All is well again: everything is archived, and every process gives back what it holds. */
  async finish(): Promise<void> {
    this.faults.rate = 0;
    Object.assign(this.weather, { lost: 0, mute: 0, slow: 0 });
    for (let i = 0; i < 200 && !this.ledger.isComplete; i++) await this.pass(2_000);
    assert.ok(this.ledger.isComplete, "it does not come to an end");
    this.isOver = true;
    for (const process of this.#processes) {
      for (const one of [...process.held.keys()]) void process.revoking(one);
    }
    // Requests of old may be under way for a while.
    await this.pass(20_000);
    this.ledger.assertWhole();
    for (const process of this.#processes) this.#assertEmpty(process);
  }

  #assertEmpty(process: ModelProcess): void {
    assert.equal(process.held.size, 0, `${process.name} still holds partitions`);
    assert.equal(process.memory.usedBytes, 0, `${process.name} holds memory`);
    assert.equal(process.memory.fillers, 0, `${process.name} has fillers`);
    assert.equal(process.pressure.spoolUse.usedBytes, 0, `${process.name} has spooled bytes`);
  }

  #one<T>(all: readonly T[]): T | undefined {
    return all[Math.floor(this.random() * all.length)];
  }

  #every(ms: number, act: () => void, process: ModelProcess | null = null): void {
    this.time.after(ms, () => {
      act();
      this.#every(ms, act, process);
    }, process);
  }

  #launch(): void {
    const name = `w${++this.#names}`;
    const resume = this.random() < 0.3 ? "store" : "group";
    const process = new ModelProcess(name, this, resume);
    this.#processes.add(process);
    this.#join(process);
    this.#every(1_000, () => process.tick(), process);
    this.#every(beatMs, () => this.#beat(process), process);
  }

  #crash(process: ModelProcess): void {
    if (this.#processes.size < 2) return;
    process.isDead = true;
    process.stop();
    this.#processes.delete(process);
  }

  /** A process stands still, and its partitions perhaps go to others; then it goes on unawares. */
  #freeze(process: ModelProcess, ms: number): void {
    process.isFrozen = true;
    this.time.after(ms, () => this.time.thaw(process));
  }

  #join(process: ModelProcess): void {
    this.#members.set(process, { seenMs: this.time.nowMs });
  }

  #beat(process: ModelProcess): void {
    const askedMs = this.time.nowMs;
    const member = this.#members.get(process);
    process.wire.ask("beat", () => {
      const isKnown = member !== undefined && this.#members.get(process) === member;
      if (isKnown) member.seenMs = this.time.nowMs;
      return isKnown;
    }).then((isKnown) => {
      if (isKnown) process.provenMs = Math.max(process.provenMs, askedMs);
      else if (this.#members.get(process) === member) {
        for (const one of [...process.held.keys()]) void process.lost(one);
        this.#join(process);
      }
    }, () => {});
  }

  /** The coordinator: throws out who is silent, and gives what nobody has to somebody. */
  #shareOut(): void {
    if (this.isOver) return;
    const { nowMs } = this.time;
    for (const [process, { seenMs }] of this.#members) {
      if (nowMs - seenMs > sessionMs) this.#expel(process);
    }
    for (const [partition, owner] of this.ledger.owners) {
      if (owner !== null) continue;
      const process = this.#one([...this.#members.keys()]);
      if (process === undefined) return;
      this.ledger.owners.set(partition, process);
      const grant = (this.ledger.grants.get(partition) ?? 0) + 1;
      this.ledger.grants.set(partition, grant);
      const member = this.#members.get(process);
      this.time.after(10 * this.random(), () => {
        if (this.isOver || this.#members.get(process) !== member) return;
        process.provenMs = Math.max(process.provenMs, nowMs);
        process.assigned(partition, grant);
      }, process);
    }
  }

  #expel(process: ModelProcess): void {
    this.#members.delete(process);
    for (const [partition, owner] of this.ledger.owners) {
      if (owner === process) this.ledger.owners.set(partition, null);
    }
  }

  /** A partition is to be another's: its owner finishes first, for as long as the group waits. */
  #move(partition: number): void {
    const process = [...this.#members.keys()].find((one) =>
      this.ledger.owners.get(partition) === one
    );
    if (process === undefined) return;
    const { owners, grants } = this.ledger;
    const grant = grants.get(partition);
    this.time.after(10, async () => {
      if (!process.held.has(partition)) return;
      const late = process.world.sleep(handOverMs).then(() => false);
      const isDone = await Promise.race([process.revoking(partition).then(() => true), late]);
      if (grants.get(partition) !== grant) return;
      if (!isDone) void process.lost(partition);
      if (owners.get(partition) === process) owners.set(partition, null);
    }, process);
  }
}

/** Plays one schedule from beginning to end. */
export async function play(seed: number): Promise<Run> {
  const run = new Run(seed);
  const steps = 20 + Math.floor(run.random() * 40);
  for (let i = 0; i < steps; i++) {
    run.step();
    await turn();
    await run.pass(run.random() * 1_000);
  }
  await run.finish();
  return run;
}
