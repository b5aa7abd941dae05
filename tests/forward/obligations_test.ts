import assert from "node:assert/strict";
import fc from "fast-check";
import { AnswerQueue, Obligation } from "../../lib/forward/obligations.ts";

Deno.test("an obligation is paid by its batch and by every batch that shares it", () => {
  const obligation = new Obligation();
  let told = 0;
  obligation.watch({ paid: () => told++ });
  obligation.share();
  obligation.pay();
  assert.deepEqual([obligation.isPaid, told], [false, 0]);
  obligation.pay();
  assert.deepEqual([obligation.isPaid, told], [true, 1]);
});

Deno.test("whoever watches an obligation twice is told once", () => {
  const obligation = new Obligation();
  let told = 0;
  const debtor = { paid: () => told++ };
  obligation.watch(debtor);
  obligation.watch(debtor);
  obligation.pay();
  assert.equal(told, 1);
});

/** A queue as a session has it: takes what may be answered whenever something was paid. */
class Answers {
  readonly queue = new AnswerQueue();
  readonly given: number[] = [];

  add(txnr: number, obligation: Obligation, last = true): void {
    this.queue.add(txnr, obligation, last, this);
  }

  paid(): void {
    this.queue.take((txnr) => this.given.push(txnr));
  }
}

Deno.test("an answer waits for those before it", () => {
  const answers = new Answers();
  const [first, second, third] = [new Obligation(), new Obligation(), new Obligation()];
  answers.add(1, first);
  answers.add(2, second);
  answers.add(3, first);
  answers.add(4, third);
  second.pay();
  assert.deepEqual(answers.given, []);
  first.pay();
  assert.deepEqual(answers.given, [1, 2, 3]);
  assert.equal(answers.queue.waiting, 1);
  third.pay();
  assert.deepEqual(answers.given, [1, 2, 3, 4]);
  assert.equal(answers.queue.waiting, 0);
});

Deno.test("a message of several parts is answered when all of them are safe", () => {
  const answers = new Answers();
  const [first, second] = [new Obligation(), new Obligation()];
  answers.add(7, first, false);
  first.pay();
  assert.deepEqual(answers.given, []);
  answers.add(7, second, false);
  answers.add(7, second);
  answers.add(8, second);
  second.pay();
  assert.deepEqual(answers.given, [7, 8]);
});

Deno.test("what was safe before its transaction was complete is answered at the next look", () => {
  const answers = new Answers();
  const obligation = new Obligation();
  answers.add(1, obligation, false);
  obligation.pay();
  answers.add(1, obligation);
  answers.paid();
  assert.deepEqual(answers.given, [1]);
});

Deno.test("answers come in order, each once, none before all its records are safe, whatever is paid when", () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant("add" as const),
      batch: fc.nat(30),
      parts: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({ do: fc.constant("pay" as const), batch: fc.nat(30) }),
  );
  const steps = fc.array(step, { maxLength: 300, size: "max" });
  fc.assert(
    fc.property(steps, (taken) => {
      const answers = new Answers();
      const batches: Obligation[] = [];
      const needs: Obligation[][] = [];
      for (const one of taken) {
        const batch = batches[one.batch % (batches.length + 1)] ?? new Obligation();
        if (!batches.includes(batch)) batches.push(batch);
        if (one.do === "pay") {
          if (!batch.isPaid) batch.pay();
        } else {
          // The parts of a message lie in one batch or in several that follow each other.
          const fresh = batch.isPaid ? new Obligation() : batch;
          if (!batches.includes(fresh)) batches.push(fresh);
          const parts = [fresh];
          while (parts.length < one.parts) {
            const next = new Obligation();
            batches.push(next);
            parts.push(next);
          }
          const txnr = needs.push(parts);
          parts.forEach((part, i) => answers.add(txnr, part, i + 1 === parts.length));
        }
        const firstOpen = needs.findIndex((parts) => parts.some(({ isPaid }) => !isPaid));
        const due = firstOpen < 0 ? needs.length : firstOpen;
        assert.deepEqual(answers.given, Array.from({ length: due }, (_, n) => n + 1));
        assert.equal(answers.queue.waiting, needs.length - due);
      }
    }),
    { numRuns: 300 },
  );
});
