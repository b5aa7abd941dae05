import assert from "node:assert/strict";
import type { Membership } from "../../../lib/clients/kafka/group_coordinator.ts";
import { groupCode } from "../../../lib/clients/kafka/group_failures.ts";
import { GroupSession } from "../../../lib/clients/kafka/group_session.ts";
import type { World } from "../../../lib/core/world.ts";

const sessionTimeoutMs = 10_000;
const everyMs = 1_000;
const us: Membership = { memberId: "us", generation: 4 };

/** A session whose clock and coordinator are turned by hand. */
class Rig {
  readonly told: string[] = [];
  readonly asked: { readonly of: Membership; readonly answer: (code: number | Error) => void }[] =
    [];
  readonly ended = new AbortController();
  readonly session: GroupSession;
  clockMs = 50_000;
  #wake: () => void = () => {};

  constructor() {
    const world: World = {
      nowMs: () => 0,
      monotonicMs: () => this.clockMs,
      random: () => 0,
      log: () => {},
      sleep: (ms, signal) => {
        assert.equal(ms, everyMs);
        return new Promise((resolve) => {
          this.#wake = resolve;
          signal?.addEventListener("abort", () => resolve());
        });
      },
    };
    const coordinator = {
      heartbeat: (of: Membership) =>
        new Promise<number>((resolve, reject) => {
          const answer = (code: number | Error) =>
            typeof code === "number" ? resolve(code) : reject(code);
          this.asked.push({ of, answer });
        }),
      forget: () => this.told.push("forget"),
      cutJoin: () => this.told.push("cut"),
    };
    this.session = new GroupSession(coordinator, { group: "g", sessionTimeoutMs, world }, {
      rebalance: () => this.told.push("rebalance"),
      ended: () => this.told.push("ended"),
      failed: ({ fault }) => this.told.push(fault),
      well: () => this.told.push("well"),
    });
    this.session.become(us);
    this.session.prove(this.clockMs);
    this.session.beatUntil(this.ended.signal);
  }

  /** The clock goes on, and the timer is due. */
  async tick(ms = everyMs): Promise<void> {
    this.clockMs += ms;
    this.#wake();
    await settled();
  }

  /** Answers the oldest heartbeat. */
  async answer(code: number | Error): Promise<void> {
    this.asked.shift()?.answer(code);
    await settled();
  }

  /** What was told since the last call. */
  news(): string[] {
    return this.told.splice(0);
  }
}

/** Resolves when all promises that are fulfilled have had their effect. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("GroupSession sends one heartbeat at a time and is proven by the time of the question", async () => {
  const rig = new Rig();
  await rig.tick();
  await rig.tick();
  assert.equal(rig.asked.length, 1);
  assert.deepEqual(rig.asked[0]?.of, us);
  await rig.answer(groupCode.none);
  assert.deepEqual(rig.news(), ["well"]);
  // It was asked a second after the beginning, and answered a second later.
  rig.clockMs += sessionTimeoutMs - everyMs;
  assert.equal(rig.session.hasExpired, false);
  rig.clockMs += 1;
  assert.equal(rig.session.hasExpired, true);
  rig.ended.abort();
});

Deno.test("GroupSession ends by its own clock while a heartbeat hangs", async () => {
  const rig = new Rig();
  for (let beat = 0; beat < 10; beat++) await rig.tick();
  assert.deepEqual(rig.news(), []);
  await rig.tick();
  assert.deepEqual(rig.news(), ["cut", "ended"]);
  assert.equal(rig.session.isMember, false);
  assert.equal(rig.session.membership.memberId, "us", "the coordinator may know it still");
  // The answer comes late, of a membership that is over.
  await rig.answer(groupCode.none);
  assert.deepEqual(rig.news(), []);
  assert.equal(rig.session.hasExpired, true);
  rig.ended.abort();
});

Deno.test("GroupSession has expired at once after a standstill, before any timer is due", () => {
  const rig = new Rig();
  rig.clockMs += 3_600_000;
  assert.equal(rig.session.hasExpired, true);
  rig.ended.abort();
});

for (
  const [what, code, isJoining, news, memberId] of [
    ["a member that the group does not know has lost all", 25, false, ["cut", "ended"], ""],
    ["that is true while joining, too", 25, true, ["cut", "ended"], ""],
    ["a fenced one as well", 82, false, ["cut", "ended"], ""],
    ["one of an old generation keeps its id", 22, false, ["cut", "ended"], "us"],
    ["a generation that goes by while joining means nothing", 22, true, [], "us"],
    ["a rebalance is told", 27, false, ["rebalance"], "us"],
    ["a rebalance that we are joining already is not", 27, true, [], "us"],
    ["a coordinator that moved is looked for", 16, false, ["forget", "transient"], "us"],
    ["one that is loading is waited for", 14, false, ["transient"], "us"],
    ["rights that were taken are told", 30, false, ["denied"], "us"],
  ] as const
) {
  Deno.test(`GroupSession: ${what}`, async () => {
    const rig = new Rig();
    await rig.tick();
    rig.session.isJoining = isJoining;
    await rig.answer(code);
    assert.deepEqual(rig.news(), news);
    assert.equal(rig.session.membership.memberId, memberId);
    assert.equal(rig.session.isMember, !(news as readonly string[]).includes("ended"));
    rig.ended.abort();
  });
}

Deno.test("GroupSession goes by no answer that is older than its generation", async () => {
  for (const code of [groupCode.illegalGeneration, groupCode.rebalancing]) {
    const rig = new Rig();
    await rig.tick();
    rig.session.become({ ...us, generation: 5 });
    await rig.answer(code);
    assert.deepEqual(rig.news(), []);
    assert.equal(rig.session.isMember, true);
    rig.ended.abort();
  }
});

Deno.test("GroupSession goes by no answer about a member id that it has given up", async () => {
  const rig = new Rig();
  await rig.tick();
  rig.session.become({ memberId: "us again", generation: 1 });
  await rig.answer(groupCode.unknownMember);
  assert.deepEqual(rig.news(), []);
  assert.equal(rig.session.isMember, true);
  rig.ended.abort();
});

Deno.test("GroupSession tells of a heartbeat without an answer and sends the next", async () => {
  const rig = new Rig();
  await rig.tick();
  await rig.answer(new Error("connection refused"));
  assert.deepEqual(rig.news(), ["transient"]);
  await rig.tick();
  await rig.answer(groupCode.none);
  assert.deepEqual(rig.news(), ["well"]);
  rig.ended.abort();
});

Deno.test("GroupSession sends nothing before it is a member", async () => {
  const rig = new Rig();
  rig.session.end("test");
  await rig.tick();
  await rig.tick();
  assert.equal(rig.asked.length, 0);
  assert.deepEqual(rig.news(), ["cut", "ended"]);
  rig.ended.abort();
});
