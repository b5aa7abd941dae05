import assert from "node:assert/strict";
import { forwardSyslog } from "../../commands/forward_syslog.ts";
import { type CertificateSet, makeCertificates } from "../support/certificates.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { readAll } from "../support/kafka_reader.ts";
import { numberedLine } from "../support/numbered_lines.ts";
import { compareLines, describeComparison } from "../support/oracle.ts";
import { freePort } from "../support/ports.ts";
import { Rsyslog } from "../support/rsyslog.ts";
import { SluiceProcess } from "../support/sluice_process.ts";
import { eventually } from "../support/waiting.ts";

const deploy = new URL("../../scripts/deploy/", import.meta.url);
const lineCount = 3_000;

/** The file as it is in the repository, with this machine's names and paths. */
async function adapted(name: string, port: number, certificates: CertificateSet): Promise<string> {
  const changes: [string | RegExp, string][] = [
    [/target="sluice\.example\.com" port="\d+"/, `target="127.0.0.1" port="${port}"`],
    ['PermittedPeers="sluice.example.com"', 'PermittedPeers="localhost"'],
    ["/etc/rsyslog.d/tls/ca.pem", certificates.ca],
    ["/etc/rsyslog.d/tls/client.pem", certificates.clientCert],
    ["/etc/rsyslog.d/tls/client-key.pem", certificates.clientKey],
    ['resumeInterval="5"', 'resumeInterval="1"'],
  ];
  const text = await Deno.readTextFile(new URL(`rsyslog/${name}`, deploy));
  return changes.reduce((changed, [from, to]) => changed.replace(from, to), text);
}

/** What rsyslog got while sluice was away, and kept over its own restart, is in Kafka. */
async function survives(
  kafka: KafkaServer,
  scheme: "tcp" | "tls" | "relp",
  certificates: CertificateSet,
): Promise<void> {
  const port = freePort();
  const spool = await Deno.makeTempDir({ prefix: "sluice-spool-" });
  const file = await adapted(`sluice-${scheme}.conf`, port, certificates);
  const start = async () => {
    const input = freePort();
    return await Rsyslog.run(input, () =>
      // Direct: what rsyslog has read is in the queue of its action.
      `global(workDirectory="${spool}")
main_queue(queue.type="Direct")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="${input}")
${file}`);
  };
  const lines = Array.from({ length: lineCount }, (_, n) => numberedLine(n, `${scheme}-host`));
  {
    await using rsyslog = await start();
    await rsyslog.inject(lines);
    await rsyslog.stop(120_000);
  }
  const kept = await Array.fromAsync(Deno.readDir(spool), ({ name }) => name);
  assert.ok(kept.some((name) => name.startsWith("sluice.")), `no queue on disk: ${kept}`);

  await kafka.createTopic(scheme);
  await using sluice = await SluiceProcess.start([
    "forward-syslog",
    `--kafka=${kafka.bootstrap}`,
    `--topic=${scheme}`,
    `--listen=${scheme}://127.0.0.1:${port}`,
    ...(scheme === "tls"
      ? [
        `--tls-cert=${certificates.serverCert}`,
        `--tls-key=${certificates.serverKey}`,
        `--tls-client-ca=${certificates.ca}`,
      ]
      : []),
  ]);
  await sluice.said("Forwarding");
  await using _rsyslog = await start();
  const ours = await eventually("as many lines as were sent", async () => {
    const records = await readAll(kafka.bootstrap, scheme, { expect: lineCount });
    const values = records.map(({ value }) => JSON.parse(new TextDecoder().decode(value)));
    // rsyslog itself has something to say, too, perhaps before the last of ours.
    const found = values.filter(({ hostname }) => hostname === `${scheme}-host`);
    return found.length >= lineCount && found;
  });
  const found = compareLines(
    lines,
    ours.map(({ priority, hostname, tag, content }) =>
      `<${priority}>Nov 23 20:30:00 ${hostname} ${tag}: ${content}`
    ),
  );
  // Not their order: what rsyslog was just trying to send when it stopped goes to the queue's end.
  const { lost, altered, foreign, duplicates } = found;
  assert.deepEqual(
    [lost.length, altered.length, foreign.length, duplicates],
    [0, 0, 0, 0],
    describeComparison(found),
  );
  await Deno.remove(spool, { recursive: true });
}

Deno.test("With the rsyslog files of scripts/deploy nothing is lost while sluice is away", async (t) => {
  const folder = await Deno.makeTempDir();
  const certificates = await makeCertificates(folder);
  await using kafka = await startKafka();
  for (const scheme of ["tcp", "tls", "relp"] as const) {
    await t.step(scheme, () => survives(kafka, scheme, certificates));
  }
  await Deno.remove(folder, { recursive: true });
});

const daemons = ["forward-syslog", "archive", "ingest", "replicate"] as const;

/** What every unit takes away; not MemoryDenyWriteExecute, which V8 cannot run under. */
const restrictions = [
  ...["CapabilityBoundingSet=", "AmbientCapabilities=", "NoNewPrivileges=yes", "DynamicUser=yes"],
  ...["ProtectSystem=strict", "ProtectHome=yes", "ProtectClock=yes", "ProtectControlGroups=yes"],
  ...["ProtectHostname=yes", "ProtectKernelLogs=yes", "ProtectKernelModules=yes"],
  ...["ProtectKernelTunables=yes", "ProtectProc=invisible", "ProcSubset=pid"],
  ...["PrivateDevices=yes", "PrivateTmp=yes", "PrivateUsers=yes", "PrivateMounts=yes"],
  "DevicePolicy=closed",
  ...["LockPersonality=yes", "KeyringMode=private", "RemoveIPC=yes", "RestrictNamespaces=yes"],
  ...["RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX", "RestrictRealtime=yes"],
  ...["RestrictSUIDSGID=yes", "SystemCallArchitectures=native"],
  ...["SystemCallFilter=@system-service", "SystemCallFilter=~@privileged @resources"],
  ...["UMask=0077", "LimitCORE=0"],
];

for (const name of daemons) {
  Deno.test(`The systemd unit of ${name} is one that systemd understands, and is tight`, async () => {
    const unit = await Deno.readTextFile(new URL(`systemd/sluice-${name}.service`, deploy));
    const lines = unit.split("\n");
    const config = `${name} --config /etc/sluice/${name}.yaml`;
    const told = [
      ...["Type=notify", "WatchdogSec=1min", "Restart=always", "RestartPreventExitStatus=2"],
      `ExecStartPre=-/usr/bin/timeout 60 /usr/local/bin/sluice ${config} --check`,
      `ExecStart=/usr/local/bin/sluice ${config}`,
    ];
    assert.deepEqual([...told, ...restrictions].filter((line) => !lines.includes(line)), []);
    const folder = await Deno.makeTempDir();
    const path = `${folder}/sluice-${name}.service`;
    // systemd wants to see the program.
    await Deno.writeTextFile(path, unit.replaceAll("/usr/local/bin/sluice", "/bin/true"));
    const analyze = (...args: string[]) =>
      new Deno.Command("systemd-analyze", { args: [...args, path] }).output();
    const { success, stderr } = await analyze("verify");
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.equal(new TextDecoder().decode(stderr), "");
    const { stdout } = await analyze("security", "--offline=true");
    const text = new TextDecoder().decode(stdout);
    const [, level] = /exposure level for \S+: ([\d.]+)/.exec(text) ?? [];
    assert.ok(Number(level) < 1.3, `exposure ${level}`);
    await Deno.remove(folder, { recursive: true });
  });

  Deno.test(`The Upstart job of ${name} starts what the unit starts`, async () => {
    const job = await Deno.readTextFile(new URL(`upstart/sluice-${name}.conf`, deploy));
    const command = `exec /usr/local/bin/sluice ${name} --config /etc/sluice/${name}.yaml`;
    assert.ok(job.split("\n").some((line) => line.trim() === command));
    for (const stanza of ["setuid sluice", "respawn", "normal exit 0 2", "console log"]) {
      assert.ok(job.split("\n").includes(stanza), stanza);
    }
    const [, script] = /^script\n(.*)^end script$/ms.exec(job) ?? [];
    if (script === undefined) return;
    // Upstart hands it to sh -e.
    const { success, stderr } = await new Deno.Command("sh", { args: ["-en", "-c", script] })
      .output();
    assert.ok(success, new TextDecoder().decode(stderr));
  });
}

Deno.test("The example configuration is one that forward-syslog takes", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "main.ts", forwardSyslog.name, "--check"],
      ...["--config", "scripts/deploy/forward-syslog.yaml"],
      ...["--listen=tcp://127.0.0.1:0", "--kafka=127.0.0.1:1"],
    ],
    cwd: new URL("../..", import.meta.url),
    env: { SLUICE_FORWARD_SYSLOG_SASL_PASSWORD: "secret" },
  }).output();
  // 10: everything was understood, and then nobody was at that address.
  assert.equal(code, 10, new TextDecoder().decode(stderr));
});

Deno.test("The example configuration is one that archive takes", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "main.ts", "archive", "--check"],
      ...["--config", "scripts/deploy/archive.yaml", "--kafka=127.0.0.1:1"],
    ],
    cwd: new URL("../..", import.meta.url),
    env: { SLUICE_ARCHIVE_SASL_PASSWORD: "secret" },
  }).output();
  assert.equal(code, 10, new TextDecoder().decode(stderr));
});

Deno.test("The example configuration is one that ingest takes", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "main.ts", "ingest", "--check"],
      ...["--config", "scripts/deploy/ingest.yaml", "--s3-endpoint=http://127.0.0.1:1"],
    ],
    cwd: new URL("../..", import.meta.url),
    env: { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" },
  }).output();
  // 10: everything was understood, and then nobody was at that address.
  assert.equal(code, 10, new TextDecoder().decode(stderr));
});

Deno.test("The example configuration is one that replicate takes", async () => {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "main.ts", "replicate", "--check"],
      ...["--config", "scripts/deploy/replicate.yaml"],
      ...["--bigquery-endpoint=http://127.0.0.1:1", "--storage-endpoint=http://127.0.0.1:1"],
    ],
    cwd: new URL("../..", import.meta.url),
  }).output();
  // 10: everything was understood, and then nobody was at that address.
  assert.equal(code, 10, new TextDecoder().decode(stderr));
});
