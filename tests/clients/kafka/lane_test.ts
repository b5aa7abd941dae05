import assert from "node:assert/strict";
import fc from "fast-check";
import { Lane, type Parcel } from "../../../lib/clients/kafka/lane.ts";

const sequences = 2 ** 31;

interface Freight extends Parcel {
  readonly records: readonly number[];
}

/** A request on its way: what was sealed, whatever becomes of the parcel meanwhile. */
interface Request {
  readonly freight: Freight;
  readonly producer: number;
  readonly sequence: number;
}

type Reply = "ok" | "out-of-order" | "too-large" | { readonly refused: readonly number[] };

function freight(records: readonly number[]): Freight {
  return { records, count: records.length, sequence: 0, flying: false };
}

/** One partition of a broker, as UnifiedLog, LogValidator and ProducerAppendInfo of Kafka handle it. */
class Broker {
  readonly log: number[] = [];
  #producer = -1;
  #next: number | null = null;
  #taken: string[] = [];

  constructor(
    private readonly refuses: (record: number) => boolean,
    private readonly largest: number,
  ) {}

  /** Forgets its producers, as after `producer.id.expiration.ms` without a record. */
  forget(): void {
    this.#next = null;
    this.#taken = [];
  }

  take({ freight: { records }, producer, sequence }: Request): Reply {
    if (records.length > this.largest) return "too-large";
    const refused = records.flatMap((record, i) => this.refuses(record) ? [i] : []);
    if (refused.length > 0) return { refused };
    if (producer !== this.#producer) {
      this.forget();
      this.#producer = producer;
    }
    const range = `${sequence}+${records.length}`;
    if (this.#taken.includes(range)) return "ok";
    if (this.#next !== null && this.#next !== sequence) return "out-of-order";
    this.log.push(...records);
    this.#next = (sequence + records.length) % sequences;
    this.#taken = [...this.#taken, range].slice(-5);
    return "ok";
  }
}

/** The producer's part around a lane, and the connection to the broker. */
class Model {
  readonly lane: Lane<Freight>;
  readonly given: number[] = [];
  readonly acked: number[] = [];
  readonly refused: number[] = [];
  restarts = 0;
  #producer = 0;
  #needsId = false;
  #records = 0;
  #requests: Request[] = [];
  #replies: [Request, Reply][] = [];

  constructor(readonly broker: Broker, readonly flyingMost: number) {
    this.lane = new Lane(flyingMost);
  }

  push(count: number): void {
    const records = Array.from({ length: count }, () => this.#records++);
    this.given.push(...records);
    this.lane.push(freight(records));
  }

  send(): void {
    const next = this.lane.next();
    if (next === null) return;
    this.#requests.push({ freight: next, producer: this.#producer, sequence: next.sequence });
    assert.ok(this.#requests.length + this.#replies.length <= this.flyingMost);
  }

  /** The broker handles the next request; its reply is on the way back. */
  handle(): void {
    const request = this.#requests.shift();
    if (request !== undefined) this.#replies.push([request, this.broker.take(request)]);
  }

  receive(): void {
    const next = this.#replies.shift();
    if (next === undefined) return;
    const [{ freight }, reply] = next;
    const isHead = this.lane.head === freight;
    if (reply === "ok") {
      this.lane.acked(freight);
      this.acked.push(...freight.records);
    } else {
      this.lane.failed(freight);
      if (reply === "out-of-order") this.#needsId ||= isHead;
      else this.#replace(freight, reply);
    }
    this.#recover();
  }

  /** The connection breaks: no reply comes any more, whether the broker has the request or not. */
  cut(): void {
    const lost = [...this.#replies.map(([request]) => request), ...this.#requests];
    this.#replies = [];
    this.#requests = [];
    for (const { freight } of lost) this.lane.failed(freight);
    this.#recover();
  }

  get isIdle(): boolean {
    return this.#requests.length + this.#replies.length === 0;
  }

  finish(): void {
    for (let step = 0; this.lane.length > 0; step++) {
      assert.ok(step < 10_000, "the lane came to a stand");
      this.send();
      this.handle();
      this.receive();
    }
  }

  #replace(freight: Freight, reply: "too-large" | { readonly refused: readonly number[] }): void {
    const { records } = freight;
    if (reply === "too-large") {
      const middle = records.length >> 1;
      return this.lane.replace(freight, [records.slice(0, middle), records.slice(middle)].map(cut));
    }
    const kept = records.filter((_, i) => !reply.refused.includes(i));
    this.refused.push(...records.filter((record) => !kept.includes(record)));
    this.lane.replace(freight, kept.length === 0 ? [] : [cut(kept)]);
  }

  #recover(): void {
    if (!this.lane.mayRecover) return;
    const mustRestart = this.#needsId || this.lane.mustRestart;
    this.#needsId = false;
    this.lane.recover();
    if (!mustRestart) return;
    this.restarts++;
    this.#producer++;
    this.lane.restart();
  }
}

const cut = freight;

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 9 }) },
    { weight: 12, arbitrary: fc.constantFrom("send", "handle", "receive") },
    { weight: 1, arbitrary: fc.constant("cut") },
    { weight: 1, arbitrary: fc.constant("forget") },
  ),
  { maxLength: 120 },
);
const settings = fc.record({
  flyingMost: fc.integer({ min: 1, max: 5 }),
  largest: fc.integer({ min: 1, max: 9 }),
  // Every n-th record is one that the broker refuses; 0 for none.
  refusing: fc.constantFrom(0, 0, 1, 3, 7),
});

function run(
  { flyingMost, largest, refusing }: { flyingMost: number; largest: number; refusing: number },
  acts: readonly (number | string)[],
): Model {
  const refuses = (record: number) => refusing > 0 && record % refusing === 0;
  const model = new Model(new Broker(refuses, largest), flyingMost);
  for (const act of acts) {
    if (typeof act === "number") model.push(act);
    else if (act === "forget" && model.isIdle) model.broker.forget();
    else if (act === "send" || act === "handle" || act === "receive" || act === "cut") model[act]();
  }
  model.finish();
  return model;
}

Deno.test("whatever is refused, split or cut: each record is in the log once and in order", () => {
  fc.assert(
    fc.property(settings, steps, (how, acts) => {
      const model = run(how, acts.filter((act) => act !== "forget"));
      const wanted = model.given.filter((record) => !model.refused.includes(record));
      assert.deepEqual(model.broker.log, wanted, "the log");
      assert.deepEqual(model.acked, wanted, "what was acknowledged");
      assert.equal(
        model.restarts,
        0,
        "a broker that forgets nothing never asks for a new producer",
      );
    }),
    { numRuns: 1_500 },
  );
});

Deno.test("nothing is lost even when the broker forgets the producer between batches", () => {
  fc.assert(
    fc.property(settings, steps, (how, acts) => {
      const { given, refused, acked, broker } = run(how, acts);
      const wanted = given.filter((record) => !refused.includes(record));
      assert.deepEqual(wanted.filter((record) => !broker.log.includes(record)), [], "lost");
      assert.deepEqual([...acked].sort((a, b) => a - b), wanted, "acknowledged once each");
    }),
    { numRuns: 1_500 },
  );
});

Deno.test("a batch that a forgetful broker took over a refused one makes a new producer necessary", () => {
  const model = new Model(new Broker((record) => record === 1, 9), 2);
  model.push(1);
  model.finish();
  model.broker.forget();
  for (const count of [1, 1, 1, 1]) model.push(count);
  for (const act of ["send", "send", "handle", "handle", "receive", "receive"] as const) {
    model[act]();
  }
  model.finish();
  assert.equal(model.restarts, 1);
  assert.deepEqual(model.broker.log, [0, 2, 3, 4]);
});

Deno.test("a new producer sends one batch, and more only once that is acknowledged", () => {
  const lane = new Lane<Freight>(3);
  for (let i = 0; i < 5; i++) lane.push(freight([i]));
  const first = lane.next();
  assert.ok(first);
  assert.equal(lane.next(), null);
  lane.acked(first);
  assert.deepEqual([lane.next(), lane.next(), lane.next()].map((one) => one?.sequence), [1, 2, 3]);
  assert.equal(lane.next(), null);
});

Deno.test("sequences go on at 0 behind 2^31 - 1", () => {
  const lane = new Lane<Parcel>(1);
  const parcels = [sequences - 3, 5, 1].map((count) => ({ count, sequence: 0, flying: false }));
  for (const parcel of parcels) lane.push(parcel);
  assert.deepEqual(parcels.map(({ sequence }) => sequence), [0, sequences - 3, 2]);
  const first = lane.next();
  assert.ok(first);
  lane.acked(first);
  lane.restart();
  assert.deepEqual(parcels.slice(1).map(({ sequence }) => sequence), [0, 5]);
});

Deno.test("a lane refuses replies that cannot be, and a recovery that comes too early", () => {
  const lane = new Lane<Freight>(2);
  const parcel = freight([1]);
  lane.push(parcel);
  assert.throws(() => lane.acked(parcel), /was not sent/);
  assert.throws(() => lane.recover(), /requests under way/);
  lane.next();
  lane.failed(parcel);
  assert.ok(lane.isRecovering && lane.mayRecover);
  assert.equal(lane.next(), null, "nothing is sent before the recovery");
  lane.recover();
  assert.equal(lane.next(), parcel);
});
