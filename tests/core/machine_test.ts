import assert from "node:assert/strict";
import fc from "fast-check";
import { SluiceError } from "../../lib/core/errors.ts";
import {
  type Failure,
  Machine,
  type Next,
  retryTransient,
  type Unfinished,
} from "../../lib/core/machine.ts";
import { VirtualWorld } from "./virtual_world.ts";

const never = new AbortController().signal;

function transient(detail = "refused"): SluiceError {
  return new SluiceError("reach x", "transient", detail);
}

/** What a unit does in its next step: how long it takes, and what comes of it. */
type Act =
  | { readonly takesMs: number; readonly then: "again" | "fail" | "break" }
  | { readonly takesMs: number; readonly then: "wait"; readonly afterMs: number };

/** A machine whose units act out a script each; all that happens is written down. */
class Stage {
  readonly world = new VirtualWorld();
  readonly order: string[] = [];
  readonly results: [string, number][] = [];
  readonly ends: [string, Unfinished<number>][] = [];
  readonly machine: Machine<string, number, number>;
  readonly steps: { unit: string; state: number; fromMs: number; toMs: number; act: Act }[] = [];
  readonly tries = new Map<string, number>();
  patienceMs = Infinity;
  mostAtOnce = 0;
  #atOnce = 0;

  constructor(workers: number, private readonly scripts: Record<string, readonly Act[]>) {
    this.machine = new Machine(workers, this.world, {
      step: (unit, state) => this.step(unit, state),
      retryMs: (failure) => this.retryMs(failure),
      ended: (unit, result) => void this.results.push([unit, result]),
      unfinished: (unit, end) => void this.ends.push([unit, end]),
    });
    for (const unit of Object.keys(scripts)) this.machine.add(unit, 0);
  }

  /** The state is the position in the script; a failed act is got over by the next try. */
  async step(unit: string, state: number): Promise<Next<number, number>> {
    const fromMs = this.world.clockMs;
    this.order.push(`${unit}${state}`);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    const act = this.scripts[unit]?.[state] ?? { takesMs: 0, then: "again" };
    if (act.takesMs > 0) await this.world.sleep(act.takesMs);
    this.#atOnce--;
    this.steps.push({ unit, state, fromMs, toMs: this.world.clockMs, act });
    const tried = this.tries.get(`${unit}${state}`) ?? 0;
    this.tries.set(`${unit}${state}`, tried + 1);
    if (act.then === "break") throw new SluiceError("do x", "permanent", "never");
    if (act.then === "fail" && tried === 0) throw transient();
    if (state + 1 >= (this.scripts[unit]?.length ?? 0)) return { end: state };
    return act.then === "wait" ? { to: state + 1, afterMs: act.afterMs } : { to: state + 1 };
  }

  retryMs(failure: Failure<number>): number | null {
    return retryTransient(failure, this.patienceMs, 0, { firstMs: 100, mostMs: 100 });
  }

  run(stop: AbortSignal = never): Promise<void> {
    return this.world.until(this.machine.run(stop), 1e9);
  }
}

const again: Act = { takesMs: 10, then: "again" };
const fails: Act = { takesMs: 10, then: "fail" };
const breaks: Act = { takesMs: 10, then: "break" };
const waits = (afterMs: number): Act => ({ takesMs: 10, then: "wait", afterMs });

Deno.test("Machine takes units to their ends, side by side, in the order in which they came", async () => {
  const stage = new Stage(2, { a: [again, again], b: [again, again], c: [again], d: [again] });
  await stage.run();
  assert.deepEqual(stage.results, [["a", 1], ["b", 1], ["c", 0], ["d", 0]]);
  assert.deepEqual(stage.order, ["a0", "b0", "a1", "b1", "c0", "d0"]);
  assert.equal(stage.mostAtOnce, 2);
  assert.equal(stage.world.clockMs, 30);
  assert.equal(stage.machine.left, 0);
});

Deno.test("Machine keeps the place of a unit that waits for what it has begun", async () => {
  const stage = new Stage(1, { a: [waits(1_000), again], b: [again] });
  await stage.run();
  assert.deepEqual(stage.order, ["a0", "a1", "b0"]);
  assert.equal(stage.world.clockMs, 1_030);
});

Deno.test("Machine gives the place of a unit that failed to others, and tries its state again", async () => {
  const stage = new Stage(1, { a: [again, fails, again], b: [again], c: [again] });
  await stage.run();
  assert.deepEqual(stage.order, ["a0", "a1", "b0", "c0", "a1", "a2"]);
  assert.deepEqual(stage.results, [["b", 0], ["c", 0], ["a", 2]]);
});

Deno.test("Machine lets new units and those that come back take turns", async () => {
  const slow: Act = { takesMs: 100, then: "again" };
  const stage = new Stage(1, { a: [fails], b: [fails], c: [slow], d: [slow], e: [slow] });
  await stage.run();
  assert.deepEqual(stage.order, ["a0", "b0", "c0", "a0", "d0", "b0", "e0"]);
});

Deno.test("Machine ends a unit that fails for good, or for too long, with its state and error", async () => {
  const stage = new Stage(2, { a: [again, breaks], b: [fails] });
  stage.patienceMs = -1;
  await stage.run();
  const [first, second] = stage.ends.map(([unit, end]) =>
    [unit, end.why, end.state, (end.error as Error).message] as const
  );
  assert.deepEqual(first, ["b", "failed", 0, "Cannot reach x: refused"]);
  assert.deepEqual(second, ["a", "failed", 1, "Cannot do x: never"]);
});

Deno.test("Machine, told to stop, finishes what is under way and gives up what waits", async () => {
  const stop = new AbortController();
  const stage = new Stage(2, { a: [waits(500), again], b: [fails, again], c: [again], d: [again] });
  stage.world.sleep(15).then(() => stop.abort());
  await stage.run(stop.signal);
  // At 15 ms a waits for what it has begun, b after its failure, c works, d has not begun.
  assert.deepEqual(stage.results, [["c", 0], ["a", 1]]);
  assert.deepEqual(stage.ends.map(([unit, { why, error }]) => [unit, why, error !== undefined]), [
    ["d", "stopped", false],
    ["b", "stopped", true],
  ]);
});

Deno.test("Machine takes no unit while it stops, and ends at once when told before it runs", async () => {
  const stage = new Stage(1, { a: [again], b: [again] });
  await stage.run(AbortSignal.abort());
  assert.deepEqual(stage.order, []);
  assert.deepEqual(stage.ends.map(([unit]) => unit), ["a", "b"]);
});

Deno.test("Machine takes units in while it runs", async () => {
  const world = new VirtualWorld();
  const ended: string[] = [];
  const machine: Machine<string, null, string> = new Machine(1, world, {
    step: async (unit) => {
      await world.sleep(5);
      if (unit.length < 3) machine.add(`${unit}x`, null);
      return { end: unit };
    },
    retryMs: () => null,
    ended: (_unit, result) => void ended.push(result),
    unfinished: () => assert.fail(),
  });
  machine.add("a", null);
  await world.until(machine.run(never));
  assert.deepEqual(ended, ["a", "ax", "axx"]);
});

Deno.test("Machine hands on what goes wrong in telling of an end, after the steps under way", async () => {
  const world = new VirtualWorld();
  const done: string[] = [];
  const machine = new Machine<string, null, string>(2, world, {
    step: async (unit) => {
      await world.sleep(unit === "a" ? 5 : 50);
      done.push(unit);
      return { end: unit };
    },
    retryMs: () => null,
    ended: () => {
      throw new Error("the report is full");
    },
    unfinished: () => {},
  });
  for (const unit of ["a", "b", "c"]) machine.add(unit, null);
  await assert.rejects(world.until(machine.run(never)), { message: "the report is full" });
  assert.deepEqual(done, ["a", "b"]);
});

Deno.test("Machine sleeps while there is nothing to do", async () => {
  const stage = new Stage(4, { a: [waits(60_000), again], b: [waits(3_600_000), again] });
  await stage.run();
  // One for each step that takes time, and one for each time that the machine waited for a moment.
  assert.ok(stage.world.sleeps <= 8, `slept ${stage.world.sleeps} times`);
});

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ takesMs: fc.nat(50), then: fc.constantFrom("again" as const, "fail" as const) }),
  fc.record({ takesMs: fc.nat(50), then: fc.constant("wait" as const), afterMs: fc.nat(300) }),
  { weight: 1, arbitrary: fc.record({ takesMs: fc.nat(50), then: fc.constant("break" as const) }) },
);
const scripts = fc.array(fc.array(act, { minLength: 1, maxLength: 6 }), { maxLength: 12 })
  .map((all) => Object.fromEntries(all.map((script, i) => [`u${i}.`, script])));

Deno.test("Machine ends every unit once, however they act, with no more at once than it has workers", async () => {
  await fc.assert(
    fc.asyncProperty(scripts, fc.integer({ min: 1, max: 4 }), async (scripts, workers) => {
      const stage = new Stage(workers, scripts);
      await stage.run();
      const ended = [...stage.results, ...stage.ends].map(([unit]) => unit).sort();
      assert.deepEqual(ended, Object.keys(scripts).sort());
      assert.ok(stage.mostAtOnce <= workers);
      for (const [unit, script] of Object.entries(scripts)) {
        const broken = script.findIndex(({ then }) => then === "break");
        const states = stage.steps.filter((step) => step.unit === unit).map(({ state }) => state);
        const last = broken < 0 ? script.length - 1 : broken;
        const expected = script.slice(0, last + 1)
          .flatMap(({ then }, state) => then === "fail" ? [state, state] : [state]);
        assert.deepEqual(states, expected);
      }
    }),
    { numRuns: 150 },
  );
});

Deno.test("Machine waits as long as it is told, and never leaves a free place to waste", async () => {
  await fc.assert(
    fc.asyncProperty(scripts, fc.integer({ min: 1, max: 4 }), async (scripts, workers) => {
      const stage = new Stage(workers, scripts);
      await stage.run();
      for (const unit of Object.keys(scripts)) {
        const steps = stage.steps.filter((step) => step.unit === unit);
        steps.forEach((step, i) => {
          const next = steps[i + 1];
          if (next === undefined) return;
          const pause = step.act.then === "wait" ? step.act.afterMs : 0;
          const isFailure = next.state === step.state;
          assert.ok(next.fromMs - step.toMs >= (isFailure ? 100 : pause));
          // With places enough nobody waits for anything but its own pauses.
          if (workers >= Object.keys(scripts).length) {
            assert.equal(next.fromMs - step.toMs, isFailure ? 100 : pause);
          }
        });
      }
    }),
    { numRuns: 150 },
  );
});

Deno.test("Machine gives every unit its turn: nobody waits for a place while one that came later begins", async () => {
  await fc.assert(
    fc.asyncProperty(scripts, fc.integer({ min: 1, max: 3 }), async (scripts, workers) => {
      const stage = new Stage(workers, scripts);
      await stage.run();
      const begun = stage.order.filter((one) => one.endsWith(".0")).map((one) => one.split(".")[0]);
      assert.deepEqual([...new Set(begun)], Object.keys(scripts).map((unit) => unit.slice(0, -1)));
    }),
    { numRuns: 100 },
  );
});

Deno.test("retryTransient() tries what is transient, within patience and with growing pauses", () => {
  const failure = { state: 0, failures: 1, forMs: 0 };
  const policy = { firstMs: 100, mostMs: 1_000 };
  const pause = (more: Partial<Failure<number>>) =>
    retryTransient({ ...failure, error: transient(), ...more }, 60_000, 0, policy);
  assert.deepEqual([1, 2, 3, 9].map((failures) => pause({ failures })), [100, 200, 400, 1_000]);
  assert.equal(pause({ forMs: 60_000 }), 100);
  assert.equal(pause({ forMs: 60_001 }), null);
  for (const fault of ["permanent", "denied", "corrupt", "usage"] as const) {
    assert.equal(pause({ error: new SluiceError("do x", fault, "y") }), null);
  }
  assert.equal(pause({ error: new Error("a defect") }), null);
});
