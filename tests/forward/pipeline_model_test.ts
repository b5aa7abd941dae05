import assert from "node:assert/strict";
import fc from "fast-check";
import { SyslogFramer } from "../../lib/formats/syslog_frame.ts";
import type { Obligation } from "../../lib/forward/obligations.ts";
import type { Refusal } from "../../lib/clients/kafka/kafka.ts";
import type { Oversize } from "../../lib/forward/settings.ts";
import { Source } from "../../lib/forward/source.ts";
import { bytesOf } from "../support/syslog_reading.ts";
import { joinParts } from "./parts_joined.ts";
import { Rig, seenIn, type SeenRecord, type Sent, turn } from "./rig.ts";

const lineBytesMost = 120;
const memoryBytes = 12_000;
const batchBytes = 4_000;
const hosts = ["h0", "h1", "h2"] as const;
/** Records are not refused for their size below this: all parts can be told from each other. */
const refusedBytesLeast = 80;

/** A message of the model: its text holds its own letter again and again. */
interface Message {
  readonly line: string;
  readonly letter: string;
  readonly sender: number;
  /** What its sender waits for. */
  readonly owed: Obligation[];
  /** The broker refused it, or a part of it, at least once: it may have lost its place. */
  wasRefused: boolean;
}

/** What was sent, over all senders; the letters are one byte each, so there are so many. */
class Book {
  readonly messages: Message[] = [];

  next(sender: number, host: string, length: number): Message | null {
    if (this.messages.length >= 120) return null;
    const letter = String.fromCharCode(0x80 + this.messages.length);
    let line = `<13>Nov 23 20:30:00 ${host} t: `;
    // No part of it may be so short that the letter is not in it.
    for (let n = 100; line.length < length || line.length % lineBytesMost < 8; n++) {
      line += letter + n;
    }
    const message = { line, letter, sender, owed: [], wasRefused: false };
    this.messages.push(message);
    return message;
  }

  /** The message that a record was made of. */
  of(value: string): Message {
    const code = /[\x80-\xff]/.exec(value)?.[0].charCodeAt(0) ?? 0;
    const message = this.messages[code - 0x80];
    assert.ok(message, `foreign: ${JSON.stringify(value)}`);
    return message;
  }
}

class Sender extends Source {
  readonly #framer: SyslogFramer;
  #current: Message | null = null;

  constructor(private readonly rig: Rig, private readonly book: Book, readonly number: number) {
    super(number, `peer${number}`, []);
    this.#framer = new SyslogFramer({
      frame: (bytes, start, end, part, more) =>
        rig.pipeline.accept(this, bytes, start, end, part, more),
    }, { maxLineBytes: lineBytesMost });
  }

  override landed(obligation: Obligation, more: boolean): void {
    super.landed(obligation, more);
    this.#current?.owed.push(obligation);
  }

  /** Writes a message in pieces; nothing when there is no room. */
  write(host: string, length: number, pieceBytes: number): void {
    if (!this.rig.pipeline.hasRoom(this)) return;
    this.#current = this.book.next(this.number, host, length);
    if (this.#current === null) return;
    const bytes = bytesOf(`${this.#current.line}\n`);
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.slice(at, at + pieceBytes);
      this.#framer.push(piece, piece.length);
      piece.fill(0xee);
    }
  }
}

const stepKinds = {
  write: fc.record({
    do: fc.constant("write" as const),
    sender: fc.nat(3),
    host: fc.constantFrom(...hosts),
    length: fc.oneof(fc.integer({ min: 40, max: 110 }), fc.integer({ min: 110, max: 420 })),
    pieceBytes: fc.integer({ min: 1, max: 300 }),
  }),
  turn: fc.record({ do: fc.constant("turn" as const) }),
  ack: fc.record({ do: fc.constant("ack" as const), which: fc.nat(20) }),
  refuse: fc.record({
    do: fc.constant("refuse" as const),
    which: fc.nat(20),
    record: fc.nat(60),
    why: fc.constantFrom<Refusal["why"]>("too-large", "timestamp", "invalid"),
  }),
  create: fc.record({
    do: fc.constant("create" as const),
    topic: fc.constantFrom("dead", ...hosts.map((host) => `t-${host}`)),
    partitions: fc.integer({ min: 1, max: 4 }),
  }),
  wake: fc.record({ do: fc.constant("wake" as const) }),
};

const stepOf = fc.oneof(
  { arbitrary: stepKinds.write, weight: 12 },
  { arbitrary: stepKinds.turn, weight: 3 },
  { arbitrary: stepKinds.ack, weight: 4 },
  { arbitrary: stepKinds.refuse, weight: 2 },
  { arbitrary: stepKinds.create, weight: 1 },
  { arbitrary: stepKinds.wake, weight: 1 },
);

type Step = typeof stepOf extends fc.Arbitrary<infer T> ? T : never;

/** One run of the model. */
class Run {
  readonly rig: Rig;
  readonly book = new Book();
  readonly senders: Sender[];
  refusals = 0;

  constructor(private readonly oversize: Oversize) {
    this.rig = new Rig({
      topic: "t-{hostname}",
      lineBytesMost,
      memoryBytes,
      oversize,
      ...(oversize === "dead-letter" ? { deadLetterTopic: "dead" } : {}),
    }, batchBytes);
    this.senders = [0, 1, 2, 3].map((number) => new Sender(this.rig, this.book, number));
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "write":
        return this.senders[step.sender]?.write(step.host, step.length, step.pieceBytes);
      case "turn":
        return await turn();
      case "ack": {
        const head = this.#head(step.which);
        return head && this.rig.ack(head);
      }
      case "refuse":
        return this.#refuse(this.#head(step.which), step.record, step.why);
      case "create":
        this.rig.outlet.create(step.topic, step.partitions);
        return await turn();
      case "wake":
        this.rig.world.wake();
        return await turn();
    }
  }

  /** The oldest batch of some partition: the broker answers those of one partition in order. */
  #head(which: number): Sent | undefined {
    const heads = new Map<string, Sent>();
    for (const sent of this.rig.outlet.sent) {
      const lane = `${sent.topic}/${sent.partition}`;
      if (!heads.has(lane)) heads.set(lane, sent);
    }
    return [...heads.values()][which % Math.max(1, heads.size)];
  }

  #refuse(sent: Sent | undefined, record: number, why: Refusal["why"]): void {
    if (sent === undefined) return;
    const index = record % sent.batch.count;
    const value = seenIn(sent)[index]?.value ?? "";
    if (sent.refused.has(index) || value.length < refusedBytesLeast) return;
    this.refusals++;
    this.book.of(value).wasRefused = true;
    this.rig.refuse(sent, [index], why);
  }

  /** What has to hold after every step. */
  assertSound(): void {
    assert.equal(this.rig.missing, 0, "the books do not agree");
    const { heldBytes } = this.rig.pipeline;
    // A message is read when there is room for a byte; a refused record is held twice for a while.
    const most = memoryBytes + 3_000 + 2_000 * this.refusals;
    assert.ok(heldBytes >= 0 && heldBytes < most, `${heldBytes} bytes are held`);
    for (const message of this.book.messages) {
      if (message.owed.length === 0 || !message.owed.every(({ isPaid }) => isPaid)) continue;
      const kept = this.#recordsOf(message).reduce((sum, { value }) => sum + value.length, 0);
      const isWhole = kept === message.line.length || this.oversize === "truncate" && kept > 0;
      assert.ok(isWhole, `answered too early: ${kept} of ${message.line.length} bytes are safe`);
    }
  }

  #recordsOf(message: Message): SeenRecord[] {
    return this.rig.outlet.delivered.filter(({ value }) => this.book.of(value) === message);
  }

  /** All topics come, the broker takes everything. */
  async finish(): Promise<void> {
    for (const topic of ["dead", ...this.rig.outlet.missing]) this.rig.outlet.create(topic, 2);
    while (this.rig.pipeline.heldRecords > 0) {
      this.rig.world.wake();
      await this.rig.settle();
      this.assertSound();
    }
    await this.rig.pipeline.drained();
    assert.equal(this.rig.pipeline.heldBytes, 0);
    assert.ok(this.senders.every((sender) => this.rig.pipeline.hasRoom(sender)));
  }

  /** Everything that was sent is there, unaltered, once. */
  assertArrived(): void {
    for (const message of this.book.messages) {
      const records = this.#recordsOf(message);
      if (this.oversize === "truncate") {
        const [{ value, headers } = { value: "", headers: {} as Record<string, string> }] = records;
        assert.equal(records.length, 1);
        assert.ok(message.line.startsWith(value));
        assert.equal(headers["sluice-truncated"], value === message.line ? undefined : "true");
      } else assert.equal(joinParts(records), message.line);
      assert.ok(message.owed.length > 0 && message.owed.every(({ isPaid }) => isPaid));
    }
  }

  /** The messages of one sender in one partition are in the order of sending. */
  assertOrder(): void {
    const last = new Map<string, number>();
    for (const { topic, partition, value } of this.rig.outlet.delivered) {
      const message = this.book.of(value);
      if (message.wasRefused) continue;
      const lane = `${topic}/${partition}/${message.sender}`;
      const number = this.book.messages.indexOf(message);
      assert.ok(number >= (last.get(lane) ?? -1), "a message was overtaken");
      last.set(lane, number);
    }
  }
}

for (const oversize of ["split", "truncate", "dead-letter"] as const) {
  Deno.test(`no message is lost, altered or answered too early, whatever happens when (${oversize})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepOf, { minLength: 1, maxLength: 200, size: "max" }),
        async (steps) => {
          const run = new Run(oversize);
          for (const step of steps) {
            await run.take(step);
            run.assertSound();
          }
          await run.finish();
          run.assertArrived();
          run.assertOrder();
        },
      ),
      { numRuns: 200 },
    );
  });
}
