import assert from "node:assert/strict";
import kafkajs from "kafkajs";
import { partitionKey, type TopicPartition } from "../../lib/clients/kafka/kafka.ts";
import { faultOf } from "../../lib/core/errors.ts";
import { Secret } from "../../lib/core/secret.ts";
import { kafkajsOf, type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { eventually } from "../support/waiting.ts";
import { Holdings, TestMember } from "./group_members.ts";

/** What Kafka's own tools would show of a group: the partitions of each member. */
async function described(kafka: KafkaServer, group: string): Promise<string[][]> {
  const admin = kafkajsOf(kafka.bootstrap).admin();
  await admin.connect();
  try {
    const { groups: [seen] } = await admin.describeGroups([group]);
    assert.equal(seen?.state, "Stable");
    assert.equal(seen.protocolType, "consumer");
    return seen.members.map(({ memberAssignment }) => {
      const decoded = kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment);
      return Object.entries(decoded?.assignment ?? {}).flatMap(([topic, numbers]) =>
        numbers.map((partition) => partitionKey({ topic, partition }))
      ).sort();
    }).sort();
  } finally {
    await admin.disconnect();
  }
}

/** A new topic, a group named like it, and what its members have in common. */
async function startGroup(kafka: KafkaServer, group: string, partitions: number) {
  await kafka.createTopic(group, { partitions });
  const holdings = new Holdings();
  const { bootstrap } = kafka;
  return {
    holdings,
    common: { bootstrap, holdings, group, shared: () => ({ [group]: partitions }) },
  };
}

async function comeAndGo(kafka: KafkaServer, rebalance: "cooperative" | "eager"): Promise<void> {
  const { holdings, common } = await startGroup(kafka, `crowd-${rebalance}`, 7);
  await using one = new TestMember({ ...common, rebalance, name: "one" });
  await holdings.evenly(7, "one");
  const first = holdings.of("one");
  await using two = new TestMember({ ...common, rebalance, name: "two" });
  await holdings.evenly(7, "one", "two");
  await using three = new TestMember({ ...common, rebalance, name: "three" });
  await holdings.evenly(7, "one", "two", "three");
  assert.ok(holdings.of("one").every((key) => first.includes(key)));
  assert.deepEqual(
    await described(kafka, common.group),
    ["one", "two", "three"].map((name) => holdings.of(name)).sort(),
  );
  await one.stop();
  assert.equal(one.member.state.phase, "stopped");
  await holdings.evenly(7, "two", "three");
  // Together: a member that stops must not wait for a round that another one keeps open.
  await Promise.all([two.stop(), three.stop()]);
  assert.equal(holdings.now.length, 0);
  holdings.assertNoOverlap();
  for (const { lost, lines } of [one, two, three]) {
    assert.deepEqual(lost, []);
    assert.ok(lines.every(({ level }) => level !== "error"));
  }
}

async function shareNewTopic(kafka: KafkaServer): Promise<void> {
  const { holdings, common } = await startGroup(kafka, "grows", 2);
  let topics: Readonly<Record<string, number>> = common.shared();
  const growing = { ...common, shared: () => topics };
  await using one = new TestMember({ ...growing, name: "one" });
  await using two = new TestMember({ ...growing, name: "two" });
  await holdings.evenly(2, "one", "two");
  await kafka.createTopic("grown", { partitions: 3 });
  topics = { ...topics, grown: 3 };
  for (const { member } of [one, two]) member.topicsChanged();
  await holdings.evenly(5, "one", "two");
  topics = { grown: 3 };
  for (const { member } of [one, two]) member.topicsChanged();
  await holdings.evenly(3, "one", "two");
  holdings.assertNoOverlap();
}

async function commitAndRead(kafka: KafkaServer): Promise<void> {
  const { holdings, common } = await startGroup(kafka, "commits", 2);
  const [zero, one] = [{ topic: "commits", partition: 0 }, { topic: "commits", partition: 1 }];
  await using first = new TestMember({ ...common, name: "first" });
  // Reading does not wait for the membership, and a group that never committed has nothing.
  const committed = await eventually("committed offsets", async () => {
    try {
      return await first.member.committed([zero, one]);
    } catch (thrown) {
      if (faultOf(thrown) === "transient") return undefined;
      throw thrown;
    }
  });
  assert.deepEqual(committed, new Map([["commits/0", null], ["commits/1", null]]));
  await holdings.evenly(2, "first");
  const far = 2n ** 53n + 1n;
  await first.member.commit([{ ...zero, offset: far, metadata: "a note" }]);
  await first.stop();
  await assert.rejects(first.member.commit([{ ...zero, offset: 1n }]), { fault: "permanent" });
  await using second = new TestMember({ ...common, name: "second" });
  await holdings.evenly(2, "second");
  assert.deepEqual(
    await second.member.committed([zero, one]),
    new Map([["commits/0", { offset: far, metadata: "a note" }], ["commits/1", null]]),
  );
}

async function refuseOthers(kafka: KafkaServer): Promise<void> {
  const { holdings, common } = await startGroup(kafka, "mixed", 1);
  await using _one = new TestMember({ ...common, name: "one" });
  await holdings.evenly(1, "one");
  await using two = new TestMember({ ...common, rebalance: "eager", name: "two" });
  await assert.rejects(two.running, { fault: "permanent", message: /group mixed .*--rebalance/ });

  const consumer = kafkajsOf(kafka.bootstrap).consumer({ groupId: "strangers" });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: ["mixed"] });
    await consumer.run({ eachMessage: () => Promise.resolve() });
    await eventually("a stranger in the group", async () => {
      const { state } = await consumer.describeGroup();
      return state === "Stable";
    });
    await using three = new TestMember({ ...common, group: "strangers", name: "three" });
    await assert.rejects(three.running, { fault: "permanent", message: /other than sluice/ });
  } finally {
    await consumer.disconnect();
  }
  await using four = new TestMember({ ...common, group: "short", sessionTimeoutMs: 10, name: "4" });
  await assert.rejects(four.running, { fault: "permanent", message: /--session-timeout/ });
}

async function tellWhatIsDenied(kafka: KafkaServer): Promise<void> {
  const { common } = await startGroup(kafka, "denied", 1);
  const password = new Secret("sesame");
  await using one = new TestMember({
    ...common,
    name: "one",
    bootstrap: kafka.saslBootstrap,
    cluster: { sasl: { mechanism: "PLAIN", username: "ali", password } },
  });
  await eventually("the group denied", () => one.member.state.trouble?.fault === "denied");
  await assert.rejects(one.member.committed([{ topic: "denied", partition: 0 }]), {
    fault: "denied",
    message: /may not use group denied/,
  });
  const beganMs = performance.now();
  await one.stop();
  assert.ok(performance.now() - beganMs < 2_000, "a stop does not wait for the next try");
  assert.equal(one.said("Cannot reach the group, trying on"), 1);
}

async function outliveFrozen(kafka: KafkaServer): Promise<void> {
  const { holdings, common } = await startGroup(kafka, "frozen", 4);
  const brief = { ...common, sessionTimeoutMs: 2_000 };
  await using one = new TestMember({ ...brief, name: "one" });
  await holdings.evenly(4, "one");
  const twice: TopicPartition[] = [];
  await using _two = new TestMember({
    ...brief,
    name: "two",
    assigned: (partitions) => {
      twice.push(...partitions.filter((each) => one.member.holds(each)));
      holdings.begin("two", partitions);
    },
  });
  await holdings.evenly(4, "one", "two");
  const kept = holdings.of("one");
  one.freeze();
  await eventually("the frozen one's partitions taken over", () => holdings.of("two").length === 4);
  assert.deepEqual(twice, []);
  assert.deepEqual(one.lost, []);
  one.thaw();
  await eventually("the loss noticed", () => one.lost.length > 0);
  assert.deepEqual(one.lost.sort(), kept);
  await holdings.evenly(4, "one", "two");
  assert.equal(one.said("Lost the group's partitions"), 1);
}

async function takeFromSlow(kafka: KafkaServer): Promise<void> {
  const { holdings, common } = await startGroup(kafka, "slow", 2);
  const hasty = { ...common, rebalanceTimeoutMs: 2_000 };
  const never = new Promise<void>(() => {});
  await using slow = new TestMember({ ...hasty, name: "slow", revoking: () => never });
  await holdings.evenly(2, "slow");
  await using _quick = new TestMember({ ...hasty, name: "quick" });
  await holdings.evenly(2, "slow", "quick");
  assert.equal(slow.lost.length, 1);
  assert.equal(slow.said("Gave up partitions that were not finished"), 1);
  holdings.assertNoOverlap();
}

async function outliveRestart(kafka: KafkaServer): Promise<void> {
  const { holdings, common } = await startGroup(kafka, "restart", 4);
  const cluster = { bootstrap: () => Promise.resolve([kafka.bootstrap]) };
  const patient = { ...common, cluster, sessionTimeoutMs: 30_000 };
  await using one = new TestMember({ ...patient, name: "one" });
  await using two = new TestMember({ ...patient, name: "two" });
  await holdings.evenly(4, "one", "two");
  const offsets = [{ topic: "restart", partition: 0, offset: 5n }];
  const holder = holdings.of("one").includes("restart/0") ? one : two;
  await holder.member.commit(offsets);
  const before = holdings.now;
  await kafka.kill("SIGKILL");
  await eventually("the trouble seen", () => one.member.state.trouble && two.member.state.trouble);
  await assert.rejects(holder.member.commit(offsets), { fault: "transient" });
  await kafka.restart();
  await eventually(
    "the trouble over",
    () => one.member.state.trouble === null && two.member.state.trouble === null,
  );
  assert.deepEqual(
    await holder.member.committed(offsets),
    new Map([["restart/0", { offset: 5n, metadata: "" }]]),
  );
  await holder.member.commit([{ topic: "restart", partition: 0, offset: 6n }]);
  // The coordinator has known them by what is in its log: nobody lost anything.
  assert.deepEqual(holdings.now, before);
  for (const each of [one, two]) {
    assert.equal(each.said("Cannot reach the group, trying on"), 1);
    assert.equal(each.said("Reached the group again"), 1);
    assert.ok(each.member.holds({ topic: "restart", partition: 0 }) === (each === holder));
  }
  await kafka.move();
  await eventually("the coordinator found where it is now", async () => {
    try {
      await holder.member.commit(offsets);
      return true;
    } catch (thrown) {
      if (faultOf(thrown) === "transient") return false;
      throw thrown;
    }
  });
  assert.deepEqual(holdings.now, before);
  await one.stop();
  await holdings.evenly(4, "two");
}

for (const version of ["4.1.0", "3.9.1"] as const) {
  Deno.test(`GroupMember with Kafka ${version}`, async (t) => {
    await using kafka = await startKafka({
      version,
      acl: true,
      sasl: { mechanism: "PLAIN", users: { ali: "sesame" } },
      // Sessions of two seconds, so that their end need not be waited for long.
      properties: { "group.min.session.timeout.ms": "1000" },
    });
    for (const rebalance of ["cooperative", "eager"] as const) {
      await t.step(
        `shares out when ${rebalance} members come and go`,
        () => comeAndGo(kafka, rebalance),
      );
    }
    await t.step("shares out a new topic and takes back an old one", () => shareNewTopic(kafka));
    await t.step("commits offsets and reads them", () => commitAndRead(kafka));
    await t.step("is refused where others share out in another way", () => refuseOthers(kafka));
    await t.step("tells what it may not do and tries on", () => tellWhatIsDenied(kafka));
    await t.step("takes over from one that stands still", () => outliveFrozen(kafka));
    if (version === "3.9.1") return; // the rest is not the broker's doing, or takes too long there
    await t.step("takes what is not handed over in time", () => takeFromSlow(kafka));
    await t.step("outlives the coordinator's kill -9 and its move", () => outliveRestart(kafka));
  });
}
