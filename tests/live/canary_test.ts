/**
 * Canaries: secrets that can be told from anything else, planted in every option, variable, key, URL
 * and manifest that there is, and looked for in everything that comes out.
 */
import { PutObjectCommand } from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Command } from "../../commands/command.ts";
import { commands } from "../../commands/mod.ts";
import { envOf, flagOf, type Option } from "../../lib/core/options.ts";
import { manifestKeys, readManifest } from "../../lib/ingest/manifest.ts";
import type { CanaryCase } from "../support/canary_program.ts";
import { startPostgres } from "../support/postgres_server.ts";
import { s3ClientOf } from "../support/s3_client.ts";
import { startS3 } from "../support/s3_server.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { eventually } from "../support/waiting.ts";

const folder = await Deno.makeTempDir({ prefix: "sluice-canary-" });
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** Planted as secrets; no part of them may come out. */
const canary = "c4n4ry-Tr0ub4dor-3";
const parts = /c4n4ry|Tr0ub4dor/i;
/** A URL with a secret in each of its places. */
const url =
  `postgres://alice:${canary}@127.0.0.1:1/shop?password=${canary}&X-Amz-Signature=${canary}`;
/** As people mistype an address. */
const address = `alice:${canary}@127.0.0.1:1`;

async function file(name: string, text: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/${name}`, text);
  return `${folder}/${name}`;
}

const secretFile = await file("secret", `${canary}\n`);
const sqlFile = await file("a.sql", "SELECT 1");
await Deno.mkdir(`${folder}/empty`);

/** What each command needs to come as far as its work, where nobody is at home. */
const sound: Readonly<
  Record<string, { readonly args: readonly string[]; readonly operands?: string[] }>
> = {
  "forward-syslog": { args: ["--kafka=127.0.0.1:1", "--listen=tcp://127.0.0.1:0", "--check"] },
  "archive": { args: ["--kafka=127.0.0.1:1", `--to=file://${folder}/empty`, "--check"] },
  "archive verify": { args: [], operands: [`file://${folder}/empty`] },
  "archive ls": { args: [], operands: [`file://${folder}/empty`] },
  "archive restore": { args: ["--kafka=127.0.0.1:1"], operands: [`file://${folder}/empty`] },
  "ingest": { args: [`--from=file://${folder}/empty`, "--check"] },
  "replicate": {
    args: [
      ...["--source-project=shop", "--source-dataset=web", "--destination-dataset=web_eu"],
      ...["--bigquery-endpoint=http://127.0.0.1:1", "--check"],
    ],
  },
  "materialize": {
    args: [
      ...["--project-id=shop", "--dataset-id=web", "--table-id=hits", `--file=${sqlFile}`],
      ...["--bigquery-endpoint=http://127.0.0.1:1", "--dry-run", "--retry-for=0"],
    ],
  },
  "query": { args: [], operands: ["postgres://alice@127.0.0.1:1/shop", "SELECT 1"] },
  "baldr cat": { args: [], operands: [`${folder}/none.baldr`] },
  "baldr pack": { args: [], operands: [`${folder}/none.txt`] },
  "completion": { args: [], operands: ["bash"] },
  "baldr check": { args: [], operands: [`${folder}/none.baldr`] },
};

/** The command lines that plant a canary in one option, in each way that an option can be given. */
async function* casesOf(
  { name, options }: Command,
  option: string,
  declared: Option<unknown>,
): AsyncGenerator<CanaryCase> {
  const basis = sound[name];
  assert.ok(basis, `canary_test.ts does not know what ${name} needs: add it to "sound"`);
  const debug = "log-level" in options && option !== "log-level" ? ["--log-level=debug"] : [];
  const variable = envOf(name, option);
  const words = [...name.split(" "), ...debug, ...basis.args];
  const rest = basis.operands ?? [];
  const one = (label: string, args: readonly string[], env = {}): CanaryCase => ({
    label: `${name}: --${option} ${label}`,
    // What is looked at stands last: a flag that comes twice has its last value.
    args: [...words.filter((word) => !word.startsWith(`--${option}=`)), ...args, ...rest],
    env,
  });
  const written = declared.placeholder.includes("HOST:PORT") ? [url, address] : [url];
  const config = async (key: string, value: string) => {
    const text = `${JSON.stringify(key)}: ${JSON.stringify(value)}\n`;
    return [`--config=${await file(`${crypto.randomUUID()}.yaml`, text)}`];
  };
  if (declared.kind === "secret") {
    yield one("from its file", [`--${option}-file=${secretFile}`]);
    yield one("from its variable", [], { [variable]: canary });
    yield one("from the file of its variable", [], { [`${variable}_FILE`]: secretFile });
    yield one("as a flag", [`--${option}=${canary}`]);
    yield one("as the name of its file", [`--${option}-file=${url}`]);
    if ("config" in options) yield one("as a key", await config(option, canary));
    if ("config" in options) yield one("by a key", await config(`${option}-file`, secretFile));
    return;
  }
  for (const value of written) {
    yield one("as a flag", [`${flagOf(option, declared)}=${value}`]);
    yield one("with a slip", [`--x${option}=${value}`]);
    yield one("from its variable", [], { [variable]: value });
    if ("config" in options && option !== "config") {
      yield one("as a key", await config(option, value));
    }
  }
}

/** What came out of each, by label. */
async function outcomes(cases: readonly CanaryCase[]): Promise<Map<string, string>> {
  const program = fileURLToPath(new URL("../support/canary_program.ts", import.meta.url));
  const given = await file("cases.json", JSON.stringify(cases));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", program, given],
    env: {
      NO_COLOR: "1",
      XDG_STATE_HOME: folder,
      PGPASSWORD: canary,
      AWS_EC2_METADATA_DISABLED: "true",
    },
    stdin: "null",
    cwd: folder,
    signal: AbortSignal.timeout(300_000),
  }).output();
  const decoder = new TextDecoder();
  const said = new Map<string, string>();
  for (const text of [decoder.decode(stdout), decoder.decode(stderr)]) {
    for (const part of text.split(/^=== /m).slice(1)) {
      const at = part.indexOf("\n");
      const label = part.slice(0, at);
      said.set(label, (said.get(label) ?? "") + part.slice(at + 1));
    }
  }
  assert.equal(code, 0, decoder.decode(stderr).slice(-2_000));
  return said;
}

Deno.test("no secret comes out that was planted in any option, variable or key of any command", async () => {
  const cases: CanaryCase[] = [];
  for (const entry of commands) {
    const command = await entry.load();
    const words = command.name.split(" ");
    const args = command.operands ? [...sound[command.name]?.args ?? [], url] : [url];
    cases.push({ label: `${command.name}: an operand`, args: [...words, ...args], env: {} });
    for (const [option, declared] of Object.entries(command.options)) {
      for await (const one of casesOf(command, option, declared)) cases.push(one);
    }
  }
  const said = await outcomes(cases);
  const labels = new Set(cases.map(({ label }) => label));
  assert.equal(said.size, labels.size);
  const leaks = [...said].filter(([, text]) => parts.test(text));
  // It would be no proof if nothing came so far as to be told.
  const told = [...said].filter(([, text]) => text.includes("[secret]"));
  assert.ok(cases.length > 900 && told.length > 300, `${told.length} of ${cases.length} are told`);
  assert.deepEqual(leaks.map(([label, text]) => `${label}: ${text.trim()}`), []);
});

/** A manifest in each language, with one value changed. */
function manifests(key: string, value: unknown): [name: string, text: string][] {
  const basis = { table: "t", columns: ["id"], "pk-columns": ["id"], "target-url": "pglite:x" };
  const whole = { ...basis, [key]: value };
  const edn = Object.entries(whole).map(([name, one]) =>
    `:${name} ${
      Array.isArray(one)
        ? `[${one.map((each) => JSON.stringify(each)).join(" ")}]`
        : JSON.stringify(one)
    }`
  );
  return [
    ["manifest.json", JSON.stringify(whole)],
    ["manifest.yaml", JSON.stringify(whole)],
    ["manifest.edn", `{${edn.join(" ")}}`],
    // Broken right behind it: parsers like to show where.
    ["manifest.json", JSON.stringify(whole).slice(0, -1) + "?"],
    ["manifest.yaml", `${key}: ${JSON.stringify(value)}\n  - [`],
    ["manifest.edn", `{:${key} ${JSON.stringify(value)} \\`],
  ];
}

Deno.test("no secret comes out that was planted in a manifest, whichever key and language", async () => {
  const looked = [];
  for (const key of [...manifestKeys, "pasword"]) {
    for (const value of [url, [url], address, { "timeout-millis": url }]) {
      for (const [name, text] of manifests(key, value)) {
        const bytes = new TextEncoder().encode(text);
        const read = readManifest(name, bytes, () => Promise.reject(new Error("not asked")));
        const said = await read.then(
          (manifest) => Deno.inspect(manifest.targetUrl),
          (thrown: unknown) => thrown instanceof Error ? thrown.stack ?? "" : String(thrown),
        );
        looked.push(said);
        const isAddress = value === address && key !== "target-url" && key !== "jdbc-url";
        // A text that is no URL cannot be told from a table's name.
        if (!isAddress) assert.doesNotMatch(said, parts, `${key} in ${name}: ${text}`);
      }
    }
  }
  assert.ok(looked.length > 300, `${looked.length}`);
});

/** All datagrams that come to a port of ours, as text: names and values in it are readable. */
class Listener implements Disposable {
  readonly #socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  text = "";

  constructor() {
    this.#read().catch(() => {}); // ended by the close
  }

  get address(): string {
    return `udp://127.0.0.1:${(this.#socket.addr as Deno.NetAddr).port}`;
  }

  async #read(): Promise<void> {
    for await (const [bytes] of this.#socket) this.text += new TextDecoder("latin1").decode(bytes);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** The first events of a page's stream. */
async function eventsOf(address: string): Promise<string> {
  const answer = await fetch(`${address}/events`);
  const reader = answer.body?.getReader();
  let text = "";
  while (text.split("\n\n").length < 3) {
    const read = await reader?.read();
    assert.ok(read?.value, `the events ended after ${text}`);
    text += new TextDecoder().decode(read.value);
  }
  await reader?.cancel();
  return text;
}

Deno.test("a daemon at work shows its secrets nowhere: log, pages, events, reports, ledger, arguments", async () => {
  await using postgres = await startPostgres();
  await using s3 = await startS3();
  await s3.createBucket("drops");
  using statsd = new Listener();
  using riemann = new Listener();
  await postgres.psql("CREATE TABLE people (id int PRIMARY KEY, name text)");
  const client = s3ClientOf(s3);
  const drop = (key: string, text: string) =>
    client.send(new PutObjectCommand({ Bucket: "drops", Key: key, Body: text }));
  const manifest = { table: "people", columns: ["id", "name"], "pk-columns": ["id"] };
  const put = (directory: string, more: Record<string, unknown>) =>
    drop(`${directory}/manifest.json`, JSON.stringify({ ...manifest, options: ["CSV"], ...more }));
  await drop("good/1.csv", "1,ada\n");
  await drop("good/2.csv", "two,bad\n");
  await put("good", { "target-url": postgres.url });
  await put("by-variable", { "target-url": "env:WAREHOUSE_URL" });
  await drop("by-variable/1.csv", "2,bob\n");
  await put("wrong", { "target-url": `postgres://sluice:${canary}@127.0.0.1:${postgres.port}/x` });
  await drop("wrong/1.csv", "3,eve\n");
  await put("refused", { "target-url": postgres.url, "pre-sql": `SELECT '${url}' FROM nowhere` });
  await drop("refused/1.csv", "4,mallory\n");
  client.destroy();
  await using sluice = await SluiceProcess.start([
    ...["ingest", "--from=s3://drops", `--s3-endpoint=${s3.endpoint}`, "--poll-interval=300ms"],
    ...["--http=127.0.0.1:0", `--statsd=${statsd.address}`, `--riemann=${riemann.address}`],
    ...["--report-log", "--report-interval=500ms", "--log-level=debug"],
  ], { ...s3.env(), WAREHOUSE_URL: postgres.url, PGPASSWORD: canary });
  const address = await sluice.statusUrl();
  await eventually(
    "both good files in the table",
    async () => await postgres.psql("SELECT count(*) FROM people") === "2",
  );
  await sluice.said("wrong");
  await sluice.said("refused");
  await eventually("reports", () => statsd.text.length > 100 && riemann.text.length > 100);
  const seen: Record<string, string> = { statsd: statsd.text, riemann: riemann.text };
  for (const path of ["/", "/metrics", "/readyz", "/healthz"]) {
    seen[path] = await (await fetch(address + path)).text();
  }
  seen["/events"] = await eventsOf(address);
  seen["arguments"] = await Deno.readTextFile(`/proc/${sluice.pid}/cmdline`);
  seen["ledger"] = await postgres.psql("SELECT * FROM sluice_ingest_ledger");
  const reports = new Deno.Command("sh", {
    args: ["-c", "find . -path '*_rejected*' -type f -exec cat {} +"],
    cwd: `${s3.folder}/data`,
  });
  const reported = async () => new TextDecoder().decode((await reports.output()).stdout);
  await eventually("a report of what was rejected", async () => (await reported()).length > 2);
  await sluice.end();
  seen["log"] = await sluice.log();
  seen["reports"] = await reported();
  const secrets = [canary, "c4n4ry", postgres.password, s3.secretKey];
  for (const [where, text] of Object.entries(seen)) {
    assert.ok(text.length > 2, `there is nothing in ${where}`);
    for (const one of secrets) assert.ok(!text.includes(one), `${one} in ${where}: ${text}`);
  }
});
