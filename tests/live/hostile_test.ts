// deno-lint-ignore-file no-console -- each bound is printed
/** What people who wish us ill may send or drop; each test prints the bound that held. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { constants, createGzip, gzipSync, zstdCompressSync } from "node:zlib";
import { decompress } from "../../lib/clients/kafka/codecs.ts";
import { openStore } from "../../lib/clients/store/store.ts";
import { realWorld } from "../../lib/core/world.ts";
import { readManifest } from "../../lib/ingest/manifest.ts";
import { scan } from "../../lib/ingest/scan.ts";
import { runSluice, runToEnd } from "../support/command_line.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { sendLines } from "../support/line_sender.ts";
import { MemoryStore } from "../support/memory_store.ts";
import { peakBytesOf } from "../support/peak_memory.ts";
import { startPostgres } from "../support/postgres_server.ts";
import { onTerminal } from "../support/shell.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { workedMs } from "../support/proc.ts";
import { eventually } from "../support/waiting.ts";
import { Drops, gzip, ingestOnce } from "./ingesting.ts";

const mebibyte = 1024 * 1024;

/** These it is that command a terminal. */
// deno-lint-ignore no-control-regex -- they are what it is about
const commanding = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;

function told(what: string, bound: string): void {
  console.log(`    ${what}: ${bound}`);
}

/** A gzip of `mebibytes` of one byte, a thousandth as long, made piece by piece. */
async function bomb(mebibytes: number, byte: number): Promise<Uint8Array> {
  const stream = createGzip({ level: constants.Z_BEST_COMPRESSION });
  const pieces: Uint8Array[] = [];
  stream.on("data", (piece: Uint8Array) => pieces.push(piece));
  const ended = new Promise((resolve) => stream.on("end", resolve));
  const piece = Buffer.alloc(mebibyte, byte);
  for (let i = 0; i < mebibytes; i++) {
    await new Promise((resolve) => stream.write(piece, resolve));
  }
  stream.end();
  await ended;
  return Buffer.concat(pieces);
}

/** Decompresses a batch in a process of its own. */
async function decompressApart(
  codec: number,
  bytes: readonly number[],
): Promise<{ readonly fault: string | null; readonly grownBytes: number }> {
  const program = fileURLToPath(new URL("../support/decompress_program.ts", import.meta.url));
  const { code, stdout, stderr } = await runToEnd(
    [Deno.execPath(), "run", "-A", program, String(codec), Uint8Array.from(bytes).toHex()],
  );
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

Deno.test("batches of Kafka that inflate without end are refused at 256 MiB", async () => {
  const zeros = Buffer.alloc(300 * mebibyte);
  const bombs: [name: string, codec: number, bytes: Uint8Array][] = [
    ["gzip", 1, gzipSync(zeros, { level: 1 })],
    ["zstd", 4, zstdCompressSync(zeros)],
  ];
  for (const [name, codec, bytes] of bombs) {
    assert.throws(() => decompress(codec, bytes), {
      fault: "corrupt",
      detail: /longer than 256 MiB/,
    });
    told(`${bytes.length} bytes of ${name}`, "refused at 256 MiB");
  }
  // Headers that promise four gigabytes.
  const liars: [name: string, codec: number, bytes: number[]][] = [
    ["snappy", 2, [0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1]],
    ["lz4", 3, [4, 0x22, 0x4d, 0x18, 0x68, 0x70, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0]],
  ];
  for (const [name, codec, bytes] of liars) {
    const { fault, grownBytes } = await decompressApart(codec, bytes);
    assert.equal(fault, "corrupt", name);
    assert.ok(grownBytes < 64 * mebibyte, `${grownBytes} bytes for ${name}`);
    told(`${name} whose header promises 4 GiB`, "refused, nothing reserved");
  }
});

Deno.test("baldr cat reads a gzip bomb of 512 MiB in memory that does not grow with it", async () => {
  await using drops = await Drops.make();
  // Zeros are empty records; 0x7f is one record whose length is beyond everything.
  await drops.put("zeros.baldr.gz", await bomb(512, 0));
  await drops.put("long.baldr.gz", await bomb(64, 0x7f));
  const most = 250 * mebibyte;
  for (const [file, wanted] of [["zeros.baldr.gz", 0], ["long.baldr.gz", 12]] as const) {
    const { code, peakBytes } = await peakBytesOf(["baldr", "cat", "--count", file], drops.folder);
    assert.equal(code, wanted, file);
    assert.ok(peakBytes < most, `${peakBytes} bytes for ${file}`);
    told(`baldr cat ${file}`, `${Math.round(peakBytes / mebibyte)} of at most 250 MiB`);
  }
});

/** Manifests that are made to take long, or much, or to break their parser. */
function* hostileManifests(): Generator<[what: string, name: string, text: string]> {
  const tenOf = (i: number) => Array(10).fill(`*a${i}`).join(",");
  const laughs = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
  for (let i = 0; i < 9; i++) laughs.push(`a${i + 1}: &a${i + 1} [${tenOf(i)}]`);
  yield ["a billion laughs", "manifest.yaml", laughs.join("\n")];
  const many = 60_000;
  yield ["brackets", "manifest.yaml", "[".repeat(many)];
  yield ["brackets", "manifest.json", `{"table":${"[".repeat(many)}${"]".repeat(many)}}`];
  yield ["brackets", "manifest.edn", `{:table ${"[".repeat(many)}${"]".repeat(many)}}`];
  yield ["sequences in each other", "manifest.yaml", "- ".repeat(20_000)];
  yield ["maps in each other", "manifest.edn", `${"{:a ".repeat(many)}1${"}".repeat(many)}`];
  const keys = Array.from({ length: 20_000 }, (_, i) => `k${i}`);
  yield ["20,000 keys", "manifest.yaml", keys.map((key) => `${key}: 1\n`).join("")];
  yield ["20,000 keys", "manifest.json", `{${keys.map((key) => `"${key}":1`).join()}}`];
  yield ["20,000 keys", "manifest.edn", `{${keys.map((key) => `:${key} 1`).join(" ")}}`];
  yield ["tags", "manifest.yaml", "!!x ".repeat(many)];
  yield ["anchors", "manifest.yaml", "&a ".repeat(20_000)];
  yield ["a string without end", "manifest.edn", `"${"\\a".repeat(many)}`];
  for (const kind of ["yaml", "json", "edn"]) {
    yield ["a mebibyte", `manifest.${kind}`, " ".repeat(mebibyte)];
  }
}

Deno.test("no manifest takes more than 10 s of work to refuse, however it is made", async () => {
  let slowest = 0;
  for (const [what, name, text] of hostileManifests()) {
    const begun = workedMs();
    const read = readManifest(name, new TextEncoder().encode(text), () => Promise.reject());
    await assert.rejects(read, { fault: "usage" }, `${what} in ${name}`);
    const ms = workedMs() - begun;
    assert.ok(ms < 10_000, `${what} in ${name}: ${ms} ms`);
    slowest = Math.max(slowest, ms);
  }
  told("manifests are at most 256 KiB; the slowest", `${Math.round(slowest)} ms`);
  await using drops = await Drops.make();
  const laughs = [...hostileManifests()].find(([what]) => what === "a billion laughs")?.[2] ?? "";
  await drops.put("c.yaml", laughs);
  const { code, stderr } = await runSluice(["ingest", `--config=${drops.folder}/c.yaml`]);
  assert.equal(code, 2);
  assert.match(stderr, /alias/);
});

Deno.test("keys lead out of no folder, and what a bucket lists under such names is nobody's file", async () => {
  await using drops = await Drops.make();
  const outside = `${drops.folder}/outside`;
  await Deno.writeTextFile(outside, "secret");
  const store = await openStore(`file://${drops.folder}/store`, { world: realWorld(() => {}) });
  const tricks = [
    "../outside",
    "a/../../outside",
    "/etc/passwd",
    "a//b",
    "./a",
    "a\0b",
    "",
    "a/..",
  ];
  for (const key of tricks) {
    for (
      const act of [
        () => store.get(key),
        () => store.head(key),
        () => store.put(key, new Uint8Array(1)),
        () => store.delete(key),
      ]
    ) {
      await assert.rejects(act, { fault: "permanent" }, JSON.stringify(key));
    }
  }
  assert.equal(await Deno.readTextFile(outside), "secret");
  const bucket = new MemoryStore();
  for (
    const key of [
      "../manifest.json",
      "a/../../manifest.json",
      "/manifest.json",
      "b/./manifest.json",
    ]
  ) {
    await bucket.put(key, new TextEncoder().encode("{}"));
  }
  assert.deepEqual(await Array.fromAsync(scan(bucket, () => true)), []);
  for (const url of ["file:///a%2F..%2Fb", "file://host/a", "file:///a?b", "file:///a%00b"]) {
    await assert.rejects(
      openStore(url, { world: realWorld(() => {}) }).then((one) => one.head("x")),
      url,
    );
  }
  told(`${tricks.length} keys with .., NUL, empty and absolute parts`, "refused by every act");
});

Deno.test("ingest: SQL in names stays a name, a bomb is a bad file, escapes reach no terminal", async () => {
  await using postgres = await startPostgres();
  await using drops = await Drops.make();
  const table = `x\x1b[2J"; DROP TABLE canary; --`;
  const column = `id\x1b]0;x\x07\x9b2J"); DROP TABLE canary; --`;
  const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
  await postgres.psql("CREATE TABLE canary (id int); CREATE TABLE t (id text PRIMARY KEY)");
  await postgres.psql(`CREATE TABLE ${quoted(table)} (${quoted(column)} text PRIMARY KEY)`);
  const manifest = { "target-url": postgres.url, options: ["CSV"] };
  await drops.manifest("sql", {
    ...manifest,
    table: quoted(table),
    columns: [quoted(column)],
    "pk-columns": [quoted(column)],
  });
  await drops.put("sql/'; DROP TABLE canary; --.csv", "'); DROP TABLE canary; --\n");
  await drops.manifest("bare", { ...manifest, table, columns: ["id"], "pk-columns": ["id"] });
  await drops.put("bare/1.csv", "1\n");
  const keyed = { table: "t", columns: ["id"], "pk-columns": ["id"] };
  await drops.manifest("bomb", { ...manifest, ...keyed, options: ["CSV", "GZIP"] });
  await drops.put("bomb/1.csv.gz", await bomb(64, 0x61));
  await drops.put("bomb/2.csv.gz", gzip("good\n"));
  await drops.manifest("escape\x1b[31m", { ...manifest, ...keyed });
  await drops.put("escape\x1b[31m/\x1b]0;owned\x07.csv", "a,b,c\n");
  const dry = await onTerminal(`$SLUICE ingest --from=${drops.url} --dry-run`, drops.folder);
  assert.match(dry.text, /^ {2}sql:\n/m);
  assert.doesNotMatch(dry.text, commanding);
  const ingest = ["ingest", `--from=${drops.url}`, "--once"];
  const { peakBytes } = await peakBytesOf(ingest, drops.folder);
  const said = await ingestOnce(drops.url, ["--log-format=text", "--log-level=debug"]);
  assert.doesNotMatch(said.stderr + said.stdout, commanding);
  assert.equal(await postgres.psql("SELECT count(*) FROM canary"), "0");
  assert.equal(await postgres.psql(`SELECT * FROM ${quoted(table)}`), "'); DROP TABLE canary; --");
  assert.equal(await postgres.psql("SELECT id FROM t"), "good");
  const rejected = (await drops.keys()).filter((key) => key.includes("_rejected/"));
  assert.ok(rejected.some((key) => key.includes("1.csv.gz")), rejected.join("\n"));
  assert.ok(peakBytes < 500 * mebibyte, `${peakBytes}`);
  told("a row of 64 MiB", "the file is moved aside at 16 MiB of it");
  told("ingest at its most", `${Math.round(peakBytes / mebibyte)} of at most 500 MiB`);
});

/** Starts forward-syslog for connections that say nothing. */
async function startForIdle(kafka: KafkaServer, ...args: string[]): Promise<SluiceProcess> {
  const sluice = await SluiceProcess.start([
    ...["forward-syslog", `--kafka=${kafka.bootstrap}`, "--listen=tcp://127.0.0.1:0"],
    ...["--http=127.0.0.1:0", ...args],
  ]);
  await sluice.said(`"Forwarding"`);
  return sluice;
}

/** Connections that are closed at the end of their scope. */
class Connections implements Disposable {
  readonly #all: Deno.Conn[] = [];

  constructor(private readonly port: number) {}

  async open(count: number): Promise<void> {
    const connect = () => Deno.connect({ hostname: "127.0.0.1", port: this.port });
    for (let left = count; left > 0; left -= 250) {
      this.#all.push(...await Promise.all(Array.from({ length: Math.min(left, 250) }, connect)));
    }
  }

  [Symbol.dispose](): void {
    for (const conn of this.#all) conn.close();
  }
}

async function takeLittle(kafka: KafkaServer): Promise<void> {
  const count = 10_000;
  await using sluice = await startForIdle(
    kafka,
    `--max-connections=${count}`,
    "--metrics-host=<img src=x onerror=alert(1)>",
  );
  using conns = new Connections(await sluice.port("tcp"));
  const before = await sluice.memoryPeak();
  await conns.open(count);
  const full = () => sluice.metric("forward_connections").then((now) => now === count);
  await eventually("all of them", full, { timeoutMs: 120_000, everyMs: 250 });
  const grown = await sluice.memoryPeak() - before;
  assert.ok(grown < 300 * mebibyte, `${grown} bytes more`);
  // One more has to wait, and the pages answer all the same.
  await conns.open(1);
  const page = await (await fetch(await sluice.statusUrl())).text();
  assert.ok(!page.includes("<img"), "HTML of a host's name");
  assert.equal(await sluice.metric("forward_connections"), count);
  told(`${count} idle connections`, `${Math.round(grown / mebibyte)} of at most 300 MiB more`);
}

async function holdNoPlace(kafka: KafkaServer): Promise<void> {
  const count = 100;
  await using sluice = await startForIdle(
    kafka,
    ...[`--max-connections=${count}`, "--idle-timeout=1s"],
  );
  const port = await sluice.port("tcp");
  using conns = new Connections(port);
  await conns.open(count);
  await sendLines(port, ["<13>I had to wait"]);
  const silent = () => sluice.metric("forward_connections_idle_closed_total");
  assert.ok(await silent() > 0, "it came in the place of one that said nothing");
  await eventually("their end", async () => await silent() >= count);
  assert.equal(await sluice.metric("forward_messages_received_total"), 1);
  told("one that says nothing", "closed after --idle-timeout");
}

Deno.test("idle connections take little memory, and nobody else's place for ever", async (t) => {
  await using kafka = await startKafka();
  await kafka.createTopic("syslog");
  await t.step("10,000 of them", () => takeLittle(kafka));
  await t.step("as many as may be", () => holdNoPlace(kafka));
});
