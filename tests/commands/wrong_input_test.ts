import assert from "node:assert/strict";
import { makeCertificates } from "../support/certificates.ts";
import { assertComplaint, runSluice, SilentPort } from "../support/command_line.ts";
import { freePort } from "../support/ports.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { eventually } from "../support/waiting.ts";

const folder = await Deno.makeTempDir({ prefix: "sluice-wrong-" });
const made = await makeCertificates(folder);

/** A file of the tests' folder with this text; gives its path. */
async function file(name: string, text: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/${name}`, text);
  return `${folder}/${name}`;
}

const text = await file("text.pem", "no certificate");
const anywhere = "--listen=tcp://127.0.0.1:0";
const tls = ["--listen=tls://127.0.0.1:0", `--tls-cert=${made.serverCert}`];

/** Kept open to the end: ports that are taken, and a broker that takes connections and is silent. */
const taken = new SilentPort();
const takenUdp = Deno.listenDatagram({ hostname: "127.0.0.1", port: 0, transport: "udp" });
const takenUdpPort = (takenUdp.addr as Deno.NetAddr).port;
const takenPath = `${folder}/taken.sock`;
const takenUnix = Deno.listen({ path: takenPath, transport: "unix" });
const kafka = `--kafka=${taken.address}`;

addEventListener("unload", () => {
  for (const one of [takenUdp, takenUnix]) one.close();
  taken[Symbol.dispose]();
  Deno.removeSync(folder, { recursive: true });
});

const elsewhere = "another program listens there already; stop it or choose another";

/** What a person can get wrong, each time as daemon: not one of these may begin to run. */
const wrong: [
  what: string,
  args: string[],
  code: number,
  complaint: string,
  env?: Record<string, string>,
][] = [
  [
    "no way to Kafka",
    [anywhere],
    2,
    "Cannot find Kafka: give --kafka HOST:PORT,... or --zookeeper HOST:PORT,.../CHROOT",
  ],
  [
    "two ways to Kafka",
    [anywhere, kafka, "--zookeeper=a:1"],
    2,
    "Cannot use --kafka and --zookeeper together: give one of them",
  ],
  [
    "a value out of range",
    [anywhere, kafka, "--max-line=5"],
    2,
    "Cannot use --max-line: cannot use 5; it must be between 480 and 512KiB",
  ],
  [
    "dead letters without a topic",
    [anywhere, kafka, "--oversize=dead-letter"],
    2,
    "Cannot use --oversize dead-letter: give --dead-letter-topic too",
  ],
  [
    "TLS without a key",
    [kafka, ...tls],
    2,
    "Cannot listen on tls://127.0.0.1:0: give --tls-cert and --tls-key",
  ],
  [
    "a password over an open line",
    [anywhere, kafka, "--sasl-mechanism=PLAIN", "--sasl-username=a"],
    2,
    "Cannot use --sasl-mechanism PLAIN without TLS: everybody on the way could read the secret; " +
    "give --kafka-tls, or --sasl-plain-without-tls if that is meant",
    { SLUICE_FORWARD_SYSLOG_SASL_PASSWORD: "c4n4ry" },
  ],
  [
    "a password as an argument",
    [anywhere, kafka, "--sasl-password=c4n4ry"],
    2,
    "Cannot take --sasl-password as an argument: any user of this machine could read it there; give " +
    "--sasl-password-file with the path of a file that holds it, or set SLUICE_FORWARD_SYSLOG_SASL_PASSWORD",
  ],
  [
    "a password's file that is missing",
    [anywhere, kafka, "--sasl-password-file=/gone"],
    2,
    "Cannot read secret /gone: there is no such file or folder",
  ],
  [
    "an unknown variable",
    [anywhere, kafka],
    2,
    "Cannot use SLUICE_FORWARD_SYSLOG_TOPC: there is no such option; did you mean SLUICE_FORWARD_SYSLOG_TOPIC?",
    { SLUICE_FORWARD_SYSLOG_TOPC: "x" },
  ],
  [
    "a configuration that is missing",
    ["--config=/gone.yaml"],
    2,
    "Cannot read configuration /gone.yaml: there is no such file or folder",
  ],
  [
    "a configuration that is not YAML",
    [`--config=${await file("bad.yaml", "kafka: [a\n")}`],
    2,
    `Cannot read configuration ${folder}/bad.yaml: it is not YAML: Flow sequence in block collection ` +
    "must be sufficiently indented and end with a ] at line 2, column 1",
  ],
  [
    "a configuration that is a list",
    [`--config=${await file("list.yaml", "- kafka\n")}`],
    2,
    `Cannot read configuration ${folder}/list.yaml: give one \`name: value\` a line`,
  ],
  [
    "an unknown key",
    [`--config=${await file("key.yaml", "kafak: a:1\n")}`],
    2,
    `Cannot use kafak in ${folder}/key.yaml: there is no such option; did you mean kafka?`,
  ],
  [
    "a password in the configuration",
    [`--config=${await file("secret.yaml", "sasl-password: c4n4ry\n")}`],
    2,
    `Cannot use sasl-password in ${folder}/secret.yaml: a secret does not belong in a configuration ` +
    "file; give sasl-password-file with the path of a file that holds it",
  ],
  [
    "a TCP port in use",
    [kafka, `--listen=tcp://${taken.address}`],
    1,
    `Cannot listen on tcp://${taken.address}: ${elsewhere} port`,
  ],
  [
    "a RELP port in use",
    [kafka, anywhere, `--listen=relp://${taken.address}`],
    1,
    `Cannot listen on relp://${taken.address}: ${elsewhere} port`,
  ],
  [
    "a TLS port in use",
    [kafka, `--listen=tls://${taken.address}`, ...tls.slice(1), `--tls-key=${made.serverKey}`],
    1,
    `Cannot listen on tls://${taken.address}: ${elsewhere} port`,
  ],
  [
    "a UDP port in use",
    [kafka, `--listen=udp://127.0.0.1:${takenUdpPort}`],
    1,
    `Cannot listen on udp://127.0.0.1:${takenUdpPort}: ${elsewhere} port`,
  ],
  [
    "a socket in use",
    [kafka, `--listen=unix://${takenPath}`],
    1,
    `Cannot listen on unix://${takenPath}: ${elsewhere} path`,
  ],
  [
    "an HTTP port in use",
    [kafka, anywhere, `--http=${taken.address}`],
    1,
    `Cannot serve HTTP on ${taken.address}: another program listens there already; choose another port`,
  ],
  [
    "a certificate that is missing",
    [kafka, "--listen=tls://127.0.0.1:0", "--tls-cert=/gone.pem", `--tls-key=${made.serverKey}`],
    1,
    "Cannot read certificate /gone.pem: there is no such file",
  ],
  [
    "a certificate that is none",
    [kafka, "--listen=tls://127.0.0.1:0", `--tls-cert=${text}`, `--tls-key=${made.serverKey}`],
    1,
    `Cannot use certificate ${text}: it holds no certificate in PEM`,
  ],
  [
    "the key of another certificate",
    [kafka, ...tls, `--tls-key=${made.clientKey}`],
    1,
    `Cannot use private key ${made.clientKey}: it does not belong to the certificate; give the key that it was made with`,
  ],
];

for (const [what, args, code, complaint, env = {}] of wrong) {
  Deno.test(`${what} ends it with code ${code} and one clear line`, async () => {
    const outcome = await runSluice(["forward-syslog", ...args], { env });
    assertComplaint(outcome, code, complaint);
  });
}

Deno.test("a listener that fails takes the sockets before it away again", async () => {
  const path = `${folder}/first.sock`;
  const args = [kafka, `--listen=unix://${path},tcp://${taken.address}`];
  assertComplaint(await runSluice(["forward-syslog", ...args]), 1, /^Cannot listen on tcp/);
  await assert.rejects(Deno.lstat(path), Deno.errors.NotFound);
});

const unreachable: [what: string, way: string, complaint: RegExp][] = [
  [
    "a broker that is away",
    `--kafka=127.0.0.1:${freePort()}`,
    /Kafka at 127\.0\.0\.1:\d+: connect ECONNREFUSED/,
  ],
  ["a broker that says nothing", kafka, /Kafka at 127\.0\.0\.1:\d+: .*timed out/],
  [
    "a host that does not exist",
    "--kafka=host.invalid:9092",
    /Kafka at host\.invalid:9092: .*host\.invalid/,
  ],
  [
    "a ZooKeeper that is away",
    `--zookeeper=127.0.0.1:${freePort()}`,
    /ZooKeeper at 127\.0\.0\.1:\d+: no answer within/,
  ],
];

for (const [what, way, complaint] of unreachable) {
  Deno.test(`--check: ${what} is code 10 and one line, and not for ever`, async () => {
    const outcome = await runSluice(["forward-syslog", anywhere, way, "--check"]);
    assertComplaint(outcome, 10, complaint);
    // Ten seconds are the longest that is waited for an answer; the rest is the machine's.
    assert.ok(outcome.seconds < 60, `${outcome.seconds} s`);
  });
}

Deno.test("stack traces are for --log-level debug, however that is given, and for nothing else", async () => {
  const away = ["forward-syslog", anywhere, `--kafka=127.0.0.1:${freePort()}`, "--check"];
  const config = await file("debug.yaml", "log-level: debug\n");
  const debugging: [args: string[], env: Record<string, string>][] = [
    [["--log-level=debug"], {}],
    [[`--config=${config}`], {}],
    [[], { SLUICE_FORWARD_SYSLOG_LOG_LEVEL: "debug" }],
  ];
  for (const [args, env] of debugging) {
    const { code, stderr } = await runSluice([...away, ...args], { env });
    assert.equal(code, 10);
    assert.match(stderr, /"level":"debug".*\.ts:\d+:\d+/);
    assert.match(stderr, /\nsluice: Cannot connect to Kafka[^\n]*\n$/, "the last line is the same");
  }
  for (const env of [{}, { OTHER_LOG_LEVEL: "debug", DEBUG: "debug" }]) {
    assertComplaint(await runSluice(away, { env }), 10, /^Cannot connect to Kafka/);
  }
});

Deno.test("as a daemon it keeps trying, says so once, is not ready, and stops at SIGTERM with 0", async () => {
  const port = freePort();
  await using sluice = await SluiceProcess.start([
    "forward-syslog",
    ...[`--kafka=127.0.0.1:${port}`, anywhere, "--http=127.0.0.1:0", "--drain-timeout=10m"],
  ]);
  const line = await sluice.said('"level":"warn"', "trying on", "ECONNREFUSED");
  assert.match(line, /Kafka takes no records/);
  const url = await sluice.statusUrl();
  const ready = await fetch(`${url}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /^Kafka: .*ECONNREFUSED 127\.0\.0\.1:\d+\n$/);
  assert.equal(await (await fetch(`${url}/healthz`)).text(), "ok\n");
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const warnings = (await sluice.log()).split("\n").filter((one) => one.includes('"level":"warn"'));
  assert.equal(warnings.length, 1, "one line for many tries");
  const begun = performance.now();
  assert.equal(await sluice.end("SIGTERM"), 0);
  assert.ok(performance.now() - begun < 60_000, "it has waited for senders that are not there");
  assert.match(await sluice.log(), /"message":"Stopped"/);
  assert.doesNotMatch(await sluice.log(), /"level":"error"/, "a stop is no trouble");
});

Deno.test("a broker that comes to answer in time ends the trying: nothing has to be restarted", async () => {
  // A real Kafka is asked in the live tests; here it is enough that another try is made.
  const port = freePort();
  await using sluice = await SluiceProcess.start([
    "forward-syslog",
    ...[`--kafka=127.0.0.1:${port}`, anywhere],
  ]);
  await sluice.said("trying on", "ECONNREFUSED");
  const listener = Deno.listen({ hostname: "127.0.0.1", port });
  const conn = await listener.accept();
  await eventually("it speaks Kafka", async () => await conn.read(new Uint8Array(64)) !== null);
  conn.close();
  listener.close();
  assert.equal(await sluice.end("SIGTERM"), 0);
});
