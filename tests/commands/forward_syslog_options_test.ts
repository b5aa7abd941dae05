import assert from "node:assert/strict";
import { runCommandLine } from "../../commands/cli.ts";
import { SluiceError } from "../../lib/core/errors.ts";
import { type CertificateSet, makeCertificates } from "../support/certificates.ts";
import { SilentPort } from "../support/command_line.ts";

const folder = await Deno.makeTempDir({ prefix: "sluice-options-" });
const made: CertificateSet = await makeCertificates(folder);
const text = `${folder}/text.pem`;
await Deno.writeTextFile(text, "no certificate");
const token = `${folder}/token`;
await Deno.writeTextFile(token, "t0ken\n");
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const login = ["--sasl-username=alice", `--sasl-password-file=${token}`];
const both = "Cannot use a client certificate: give both --kafka-cert and --kafka-key";

/** Without a way to Kafka, or with a wrong one. */
const cluster: [args: string[], message: string][] = [
  [[], "Cannot find Kafka: give --kafka HOST:PORT,... or --zookeeper HOST:PORT,.../CHROOT"],
  [
    ["--kafka=a:1", "--zookeeper=b:2"],
    "Cannot use --kafka and --zookeeper together: give one of them",
  ],
  ...["kafka-1", "a:0", "a:65536", "a:b", "http://a:1", "a:1/x", "::1:9092"].map((
    broker,
  ): [string[], string] => [
    [`--kafka=ok:9092,${broker}`],
    `Cannot use --kafka "${broker}": write HOST:PORT, for example kafka-1:9092`,
  ]),
  [
    ["--kafka=alice:s3cret@a:9092"],
    'Cannot use --kafka "alice:[secret]@a:9092": write HOST:PORT, for example kafka-1:9092',
  ],
  ...["zk", "zk:2181,", "zk:2181/a b", "zk:70000", "[::1]:2181"].map((zk): [string[], string] => [
    [`--zookeeper=${zk}`],
    `Cannot use --zookeeper "${zk}": write HOST:PORT,HOST:PORT/CHROOT`,
  ]),
  [
    ["--zookeeper=u:s3cret@zk:2181"],
    'Cannot use --zookeeper "u:[secret]@zk:2181": write HOST:PORT,HOST:PORT/CHROOT',
  ],
];

/** With a broker that is sound. */
const contradictions: [args: string[], message: string][] = [
  [["--sasl-username=alice"], "Cannot log in to Kafka: give --sasl-mechanism"],
  [
    ["--sasl-mechanism=PLAIN", ...login],
    "Cannot use --sasl-mechanism PLAIN without TLS: everybody on the way could read the secret; " +
    "give --kafka-tls, or --sasl-plain-without-tls if that is meant",
  ],
  [
    ["--sasl-mechanism=OAUTHBEARER", `--sasl-token-file=${token}`],
    "Cannot use --sasl-mechanism OAUTHBEARER without TLS: everybody on the way could read the " +
    "secret; give --kafka-tls, or --sasl-plain-without-tls if that is meant",
  ],
  [["--sasl-mechanism=OAUTHBEARER"], "Cannot use OAUTHBEARER: give --sasl-token-file"],
  [
    ["--sasl-mechanism=SCRAM-SHA-512", "--sasl-username=alice"],
    "Cannot use SCRAM-SHA-512: give --sasl-username and --sasl-password-file",
  ],
  [
    ["--sasl-mechanism=GSSAPI"],
    'Cannot use --sasl-mechanism: cannot use "GSSAPI"; give one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER',
  ],
  [[`--kafka-cert=${made.clientCert}`], both],
  [[`--kafka-key=${made.clientKey}`], both],
  [["--kafka-ca=/gone.pem"], "Cannot read --kafka-ca /gone.pem: there is no such file or folder"],
  [[`--kafka-ca=${text}`], `Cannot use --kafka-ca ${text}: it holds no certificate in PEM`],
  [
    [`--kafka-cert=${text}`, `--kafka-key=${made.clientKey}`],
    `Cannot use --kafka-cert ${text}: it holds no certificate in PEM`,
  ],
  [
    [`--kafka-cert=${made.clientCert}`, `--kafka-key=${made.serverKey}`],
    `Cannot use --kafka-key ${made.serverKey}: it does not belong to the certificate; ` +
    "give the key that it was made with",
  ],
  [["--oversize=dead-letter"], "Cannot use --oversize dead-letter: give --dead-letter-topic too"],
  [
    ["--dead-letter-topic=dead.{tag}"],
    'Cannot use --dead-letter-topic "dead.{tag}": it must be one fixed topic',
  ],
  [
    ["--topic=a", "--dead-letter-topic=a"],
    'Cannot use --dead-letter-topic "a": it is the --topic itself',
  ],
  [
    ["--topic=sys log"],
    'Cannot use topic "sys log": Kafka allows letters, digits, dots, dashes, underscores',
  ],
  [
    ["--topic=syslog.{host}"],
    'Cannot use topic "syslog.{host}": {host} is no field; give one of {hostname}, {tag}, {facility}, {severity}',
  ],
  [
    ["--timezone=Mars/Olympus"],
    'Cannot use time zone "Mars/Olympus": give an IANA name such as Europe/London, or UTC, or an offset such as +02:00',
  ],
  [
    ["--listen=tls://127.0.0.1:0"],
    "Cannot listen on tls://127.0.0.1:0: give --tls-cert and --tls-key",
  ],
  [
    ["--listen=relp+tls://127.0.0.1:0", `--tls-cert=${made.serverCert}`],
    "Cannot listen on relp+tls://127.0.0.1:0: give --tls-cert and --tls-key",
  ],
  [
    [`--tls-cert=${made.serverCert}`],
    "Cannot use --tls-cert, --tls-key or --tls-client-ca: no --listen URL is tls:// or relp+tls://",
  ],
  [
    ["--listen=tcp://alice:s3cret@a:1"],
    'Cannot listen on "tcp://alice:[secret]@a:1": write tcp://HOST:PORT, for example tcp://0.0.0.0:1514',
  ],
  [
    ["--http=9108"],
    'Cannot serve HTTP on "9108": write HOST:PORT, for example 127.0.0.1:9108 or [::1]:9108',
  ],
];

const ranges: [flag: string, value: string, detail: string][] = [
  ["--max-line", "479", "cannot use 479; it must be between 480 and 512KiB"],
  ["--max-line", "1MiB", "cannot use 1MiB; it must be between 480 and 512KiB"],
  ["--memory", "1MiB", "cannot use 1MiB; it must be between 4MiB and 8GiB"],
  ["--topic-limit", "0", "cannot use 0; it must be between 1 and 10000"],
  ["--max-connections", "-1", "cannot use -1; it must be between 1 and 1000000"],
  ["--drain-timeout", "2h", "cannot use 2h; it must be between 0 and 1h"],
  [
    "--drain-timeout",
    "10",
    'cannot read duration "10"; give a number with a unit (ms, s, m, h, d), for example 250ms, 60s or 1h30m',
  ],
  ["--key", "host", 'cannot use "host"; give one of none, hostname, tag'],
  ["--compression", "zip", 'cannot use "zip"; give one of none, gzip, snappy, lz4, zstd'],
  ["--log-level", "trace", 'cannot use "trace"; give one of debug, info, warn, error'],
  ["--listen", "", 'cannot use ""; one part of the list is empty'],
  ["--topic", "", "cannot use an empty text; give a value or leave it out"],
];

async function assertRefused(args: readonly string[], message: string): Promise<void> {
  await assert.rejects(runCommandLine(["forward-syslog", ...args]), (thrown) => {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    assert.deepEqual([thrown.message, thrown.fault], [message, "usage"]);
    return true;
  });
}

for (const [args, message] of cluster) {
  Deno.test(`"${args.join(" ") || "no option at all"}" is refused`, () => {
    return assertRefused(["--listen=tcp://127.0.0.1:0", ...args], message);
  });
}

for (const [args, message] of contradictions) {
  Deno.test(`${args.map((arg) => arg.replaceAll(folder, "")).join(" ")} is refused, and no connection is opened`, async () => {
    using kafka = new SilentPort();
    const listen = args.some((arg) => arg.startsWith("--listen"))
      ? []
      : ["--listen=tcp://127.0.0.1:0"];
    await assertRefused([`--kafka=${kafka.address}`, ...listen, ...args], message);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(kafka.connections, 0);
  });
}

for (const [flag, value, detail] of ranges) {
  Deno.test(`${flag} ${value || '""'} is refused`, () => {
    return assertRefused(["--kafka=127.0.0.1:1", flag, value], `Cannot use ${flag}: ${detail}`);
  });
}
