import assert from "node:assert/strict";
import { assertComplaint, runSluice, SilentPort } from "../support/command_line.ts";
import { freePort } from "../support/ports.ts";
import { SluiceProcess } from "../support/sluice_process.ts";

const folder = await Deno.makeTempDir({ prefix: "sluice-secrets-" });
addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** Planted wherever a secret may come from. Nothing that is printed may hold any part of it. */
const canary = "c4n4ry-Tr0ub4dor-3";
const parts = ["c4n4ry", "Tr0ub4dor"];

async function file(name: string, text: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/${name}`, text);
  return `${folder}/${name}`;
}

const passwordFile = await file("password", `${canary}\n`);
await file("sasl-password", canary);

function assertSilent(said: string, where: string): void {
  for (const part of parts) assert.ok(!said.includes(part), `${where}: ${said}`);
}

const password = "SLUICE_FORWARD_SYSLOG_SASL_PASSWORD";
const scram = ["--sasl-mechanism=SCRAM-SHA-512", "--sasl-username=alice"];

/** Every source of a secret that is meant to be one. */
const sources: [source: string, args: string[], env: Record<string, string>][] = [
  ["a variable", [], { [password]: canary }],
  ["the file of a variable", [], { [`${password}_FILE`]: passwordFile }],
  ["the file of a flag", [`--sasl-password-file=${passwordFile}`], {}],
  ["a key of the configuration", [
    `--config=${await file("c.yaml", `sasl-password-file: ${passwordFile}\n`)}`,
  ], {}],
  ["a systemd credential", [], { CREDENTIALS_DIRECTORY: folder }],
];

for (const [source, args, env] of sources) {
  Deno.test(`a password from ${source} is used and never shown, at any log level`, async () => {
    const way = [
      "--listen=tcp://127.0.0.1:0",
      `--kafka=127.0.0.1:${freePort()}`,
      "--check",
      ...scram,
    ];
    for (const more of [[], ["--log-level=debug"], ["--log-level=debug", "--log-format=text"]]) {
      const { code, stdout, stderr } = await runSluice(
        ["forward-syslog", ...way, ...args, ...more],
        {
          env,
        },
      );
      // Without a password it would be 2: so it was found.
      assert.equal(code, 10, stderr);
      assertSilent(stdout + stderr, source);
    }
  });
}

/** Secrets in places where none belongs: refused, and not repeated. */
const misplaced: [place: string, args: string[], env?: Record<string, string>][] = [
  ["a flag", ["--sasl-password", canary]],
  ["a flag with an equals sign", [`--sasl-password=${canary}`]],
  ["a flag with a slip", [`--sasl-pasword=${canary}`]],
  ["the configuration", [`--config=${await file("inside.yaml", `sasl-password: ${canary}\n`)}`]],
  ["a configuration that is not YAML", [`--config=${await file("bad.yaml", `a: [${canary}\n`)}`]],
  ["an unknown key", [`--config=${await file("key.yaml", `sasl-pasword: ${canary}\n`)}`]],
  ["a variable that nothing asks for", [], { SLUICE_FORWARD_SYSLOG_SASL_PASWORD: canary }],
  ["a broker's address", [`--kafka=alice:${canary}@kafka-1:9092`]],
  ["ZooKeeper's address", [`--zookeeper=alice:${canary}@zk-1:2181`]],
  ["a listener's URL", ["--kafka=a:1", `--listen=tcp://alice:${canary}@127.0.0.1:1`]],
  ["the URL of something else", ["--kafka=a:1", `--listen=https://a/?token=${canary}`]],
  ["the status page's address", ["--kafka=a:1", `--http=alice:${canary}@127.0.0.1:1`]],
];

for (const [place, args, env = {}] of misplaced) {
  Deno.test(`a password in ${place} is refused and not repeated`, async () => {
    const outcome = await runSluice(["forward-syslog", ...args], { env });
    assertComplaint(outcome, 2, /./);
    assertSilent(outcome.stdout + outcome.stderr, place);
  });
}

Deno.test("a running daemon shows its password nowhere: log, metrics, status, arguments", async () => {
  using kafka = new SilentPort();
  await using sluice = await SluiceProcess.start(
    [
      "forward-syslog",
      ...[`--kafka=${kafka.address}`, "--listen=tcp://127.0.0.1:0", "--http=127.0.0.1:0"],
      ...["--log-level=debug", "--sasl-plain-without-tls"],
      ...["--sasl-mechanism=PLAIN", "--sasl-username=alice"],
    ],
    { [password]: canary },
  );
  const url = await sluice.statusUrl();
  await sluice.said("trying on");
  for (const path of ["/metrics", "/readyz", "/healthz", "/"]) {
    assertSilent(await (await fetch(url + path)).text(), path);
  }
  assertSilent(await Deno.readTextFile(`/proc/${sluice.pid}/cmdline`), "arguments");
  for (const signal of ["SIGUSR1", "SIGHUP"] as const) sluice.process.signal(signal);
  await sluice.end("SIGTERM");
  assertSilent(await sluice.log(), "log");
});
