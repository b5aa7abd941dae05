import assert from "node:assert/strict";
import { assertArrivedOnce } from "../support/arrival.ts";
import { bytesOf, textOf } from "../support/syslog_reading.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { readAll, type ReadRecord } from "../support/kafka_reader.ts";
import { readAllKcat } from "../support/kcat_reader.ts";
import { numberedLines } from "../support/numbered_lines.ts";
import { finish, send, sendOver, startForwarding } from "./forwarding.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });
const text = (bytes: Uint8Array) => decoder.decode(bytes);
const byOffset = (a: ReadRecord, b: ReadRecord) => Number(a.offset - b.offset);

/** Forwards what is written over one connection to a topic of its own and reads it back. */
async function forwarded(
  kafka: KafkaServer,
  topic: string,
  args: readonly string[],
  written: string | Uint8Array,
  expect: number,
  read: typeof readAll = readAllKcat,
): Promise<ReadRecord[]> {
  await kafka.createTopic(topic);
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    `--topic=${topic}`,
    ...args,
  ]);
  await send(sluice, written);
  const records = await read(kafka.bootstrap, topic, { expect });
  await finish(sluice);
  return records.sort(byOffset);
}

/** The predecessor's fields (Go, jeromer/syslogparser) and ours beside them. */
async function jsonFields(kafka: KafkaServer): Promise<void> {
  const year = new Date().getUTCFullYear();
  const before = Date.now();
  const records = await forwarded(
    kafka,
    "json",
    ["--timezone=+02:00"],
    [
      `<34>${year}-03-04T05:06:07.089+01:00 mymachine su[77]: 'su root' failed`,
      '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog 17 ID47 [exampleSDID@32473 iut="3"] héllo',
      "<13>just a line",
      "<34>1 broken here",
      "",
    ].join("\n"),
    4,
    readAll,
  );
  const after = Date.now();
  const values = records.map(({ value }) => JSON.parse(text(value)));
  assert.deepEqual(values[0], {
    timestamp: `${year}-03-04T04:06:07.089Z`,
    hostname: "mymachine",
    tag: "su",
    content: "'su root' failed",
    priority: 34,
    facility: 4,
    severity: 2,
    pid: "77",
  });
  assert.deepEqual(values[1], {
    timestamp: "2003-10-11T22:14:15.003Z",
    hostname: "mymachine.example.com",
    tag: "evntslog",
    content: "héllo",
    priority: 165,
    facility: 20,
    severity: 5,
    pid: "17",
    msgid: "ID47",
    structured_data: { "exampleSDID@32473": { iut: "3" } },
  });
  assert.deepEqual(Object.keys(values[0]).slice(0, 7), [
    "timestamp",
    "hostname",
    "tag",
    "content",
    "priority",
    "facility",
    "severity",
  ]);
  assert.equal(values[2].hostname, "127.0.0.1");
  assert.equal(values[2].content, "just a line");
  const stamped = Date.parse(values[2].timestamp);
  assert.ok(stamped >= before && stamped <= after, `stamp ${stamped}`);
  assert.equal(values[3].content, "<34>1 broken here");
  assert.match(values[3].problem, /RFC 5424/);
  assert.deepEqual(records.map(({ headers }) => Object.keys(headers)), [
    [],
    [],
    [],
    ["sluice-parse-error"],
  ]);
  for (const { key, timestamp } of records) {
    assert.equal(key, null);
    assert.ok(timestamp >= before && timestamp <= after, `record time ${timestamp}`);
  }
}

async function localStamps(kafka: KafkaServer): Promise<void> {
  // A stamp without year and zone: the nearest year, in the zone that was given.
  const now = new Date();
  const month = now.toLocaleString("en", { month: "short", timeZone: "UTC" });
  const day = String(now.getUTCDate()).padStart(2);
  const [record] = await forwarded(
    kafka,
    "zone",
    ["--timezone=America/New_York", "--record-time=message"],
    `<13>${month} ${day} 00:00:01 h a: x\n`,
    1,
  );
  const { timestamp } = JSON.parse(text(record?.value ?? new Uint8Array()));
  const offsetHours = (Date.parse(timestamp) - Date.UTC(
    now.getUTCFullYear(),
    now.getUTCMonth(),
    now.getUTCDate(),
    0,
    0,
    1,
  )) / 3_600_000;
  assert.ok(offsetHours === 4 || offsetHours === 5, timestamp);
}

async function keysAndHeaders(kafka: KafkaServer): Promise<void> {
  const lines =
    "<13>Nov 23 20:30:00 web-1 app: x\n<13>Nov 23 20:30:00 web-2 cron: y\n<13>no host\n";
  const byHost = await forwarded(kafka, "hosts", ["--key=hostname", "--headers"], lines, 3);
  assert.deepEqual(byHost.map(({ key }) => key && text(key)), ["web-1", "web-2", "127.0.0.1"]);
  for (const { headers } of byHost) {
    assert.equal(headers["sluice-peer"], "127.0.0.1");
    assert.match(headers["sluice-listener"] ?? "", /^tcp:\/\/127\.0\.0\.1:\d+$/);
  }
  const byTag = await forwarded(kafka, "tags", ["--key=tag"], lines, 3);
  assert.deepEqual(byTag.map(({ key }) => key && text(key)), ["app", "cron", null]);
}

async function recordTime(kafka: KafkaServer): Promise<void> {
  const [seen, unstamped] = await forwarded(
    kafka,
    "times",
    ["--record-time=message", "--format=raw"],
    "<13>1 2003-10-11T22:14:15.003Z h a - - - old\n<13>no stamp\n",
    2,
  );
  assert.equal(seen?.timestamp, Date.UTC(2003, 9, 11, 22, 14, 15, 3));
  assert.ok(Math.abs((unstamped?.timestamp ?? 0) - Date.now()) < 3_600_000);
}

const anyBytes = Array.from({ length: 256 }, (_, n) => String.fromCharCode(n)).join("");

async function rawBytes(kafka: KafkaServer): Promise<void> {
  const all = anyBytes.replace(/[\n\0]/g, "");
  const counted = `<13>Nov 23 20:30:00 h a: ${anyBytes}`;
  const records = await forwarded(
    kafka,
    "raw",
    ["--format=raw"],
    bytesOf(`${all}\0second\0${counted.length} ${counted}last\r\n`),
    4,
  );
  assert.deepEqual(records.map(({ value }) => textOf(value)), [all, "second", counted, "last"]);
}

async function jsonBytes(kafka: KafkaServer): Promise<void> {
  const content = `${anyBytes.replace(/[\n\0]/g, "")}`;
  const [record] = await forwarded(
    kafka,
    "json-bytes",
    [],
    bytesOf(`<13>Nov 23 20:30:00 h a: ${content}\n`),
    1,
  );
  const value = JSON.parse(text(record?.value ?? new Uint8Array()));
  assert.deepEqual([value.charset, value.content], ["iso-8859-1", content]);
}

async function compressed(kafka: KafkaServer, codec: string): Promise<void> {
  await kafka.createTopic(codec, { partitions: 3 });
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    `--topic=${codec}`,
    `--compression=${codec}`,
    "--format=raw",
  ]);
  const lines = [...numberedLines(20_000)];
  await send(sluice, lines.map((line) => `${line}\n`).join(""));
  // kcat checks the checksum of every batch and knows all codecs.
  await assertArrivedOnce(kafka.bootstrap, codec, lines);
  await finish(sluice);
  const stored = await kafka.storedBytes(codec);
  const sent = lines.length * 164;
  assert.ok(codec === "none" ? stored > sent : stored < sent / 2, `${stored} bytes for ${sent}`);
}

async function otherListeners(kafka: KafkaServer): Promise<void> {
  await kafka.createTopic("others");
  const folder = await Deno.makeTempDir();
  const path = `${folder}/log.socket`;
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    "--topic=others",
    "--format=raw",
    `--listen=unix://${path},udp://127.0.0.1:0`,
    "--headers",
  ]);
  await sendOver(await Deno.connect({ transport: "unix", path }), "<13>by unix\n<13>again");
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const to = { transport: "udp", hostname: "127.0.0.1", port: await sluice.port("udp") } as const;
  await socket.send(new TextEncoder().encode("<13>by udp\n"), to);
  await socket.send(new TextEncoder().encode("<13>two\nlines\0"), to);
  socket.close();
  const records = await readAllKcat(kafka.bootstrap, "others", { expect: 4 });
  assert.deepEqual(
    records.map(({ value, headers }) => [text(value), headers["sluice-peer"]]).sort(),
    [
      ["<13>again", path],
      ["<13>by udp", "127.0.0.1"],
      ["<13>by unix", path],
      ["<13>two\nlines", "127.0.0.1"],
    ],
  );
  await finish(sluice);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  await Deno.remove(folder);
}

async function templates(kafka: KafkaServer): Promise<void> {
  for (const host of ["web", "db"]) await kafka.createTopic(`by.${host}`);
  await using sluice = await startForwarding([
    `--kafka=${kafka.bootstrap}`,
    "--topic=by.{hostname}",
    "--format=raw",
  ]);
  // The broker makes the third topic when it is asked for.
  const lines = ["web", "db", "web", "new"].map((host, n) => `<13>Nov 23 20:30:00 ${host} a: ${n}`);
  await send(sluice, lines.map((line) => `${line}\n`).join(""));
  const web = await readAllKcat(kafka.bootstrap, "by.web", { expect: 2 });
  const db = await readAllKcat(kafka.bootstrap, "by.db", { expect: 1 });
  assert.deepEqual(web.map(({ value }) => text(value)), [lines[0], lines[2]]);
  assert.deepEqual(db.map(({ value }) => text(value)), [lines[1]]);
  const made = await readAllKcat(kafka.bootstrap, "by.new", { expect: 1 });
  assert.deepEqual(made.map(({ value }) => text(value)), [lines[3]]);
  await finish(sluice);
}

async function longLines(kafka: KafkaServer): Promise<void> {
  const line = `<13>Nov 23 20:30:00 h a: ${"0123456789".repeat(20_000)}`;
  await kafka.createTopic("dead");
  const whole = await forwarded(kafka, "split", ["--format=raw"], `${line}\n`, 4);
  assert.deepEqual(whole.map(({ headers }) => headers["sluice-part"]), ["1", "2", "3", "4/4"]);
  assert.equal(whole.map(({ value }) => text(value)).join(""), line);
  const [cut] = await forwarded(
    kafka,
    "truncate",
    ["--format=raw", "--oversize=truncate", "--max-line=1KiB"],
    `${line}\n`,
    1,
  );
  assert.equal(text(cut?.value ?? new Uint8Array()), line.slice(0, 1024));
  assert.deepEqual({ ...cut?.headers }, { "sluice-truncated": "true" });
  const kept = await forwarded(
    kafka,
    "not-dead",
    ["--format=raw", "--dead-letter-topic=dead"],
    `${line}\n<13>short\n`,
    1,
  );
  assert.deepEqual(kept.map(({ value }) => text(value)), ["<13>short"]);
  const dead = await readAllKcat(kafka.bootstrap, "dead", { expect: 4 });
  assert.equal(dead.map(({ value }) => text(value)).join(""), line);
}

Deno.test("records in a real Kafka", async (t) => {
  await using kafka = await startKafka({ properties: { "auto.create.topics.enable": "true" } });
  await t.step("have the fields of their lines as JSON", () => jsonFields(kafka));
  await t.step("have local stamps of the nearest year in --timezone", () => localStamps(kafka));
  await t.step("have keys and headers as wanted", () => keysAndHeaders(kafka));
  await t.step("have the message's own time if wanted", () => recordTime(kafka));
  await t.step("hold raw bytes as they came, in any framing", () => rawBytes(kafka));
  await t.step("hold in JSON what is not UTF-8", () => jsonBytes(kafka));
  for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"]) {
    await t.step(`are read back by kcat, compression ${codec}`, () => compressed(kafka, codec));
  }
  await t.step("come by a Unix socket and by UDP, too", () => otherListeners(kafka));
  await t.step("are in the topics that their messages name", () => templates(kafka));
  await t.step("of long lines are split, cut or set aside", () => longLines(kafka));
});
