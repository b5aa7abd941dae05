import assert from "node:assert/strict";
import { type CertificateSet, makeCertificates } from "../support/certificates.ts";
import { type KafkaServer, startKafka } from "../support/kafka_server.ts";
import { readAllKcat } from "../support/kcat_reader.ts";
import { check, finish, notReady, send, startForwarding, startWaiting } from "./forwarding.ts";

const password = "canary-password-4711";
const wrongPassword = "canary-wrong-0815";
const passwordVariable = "SLUICE_FORWARD_SYSLOG_SASL_PASSWORD";
const tokenVariable = "SLUICE_FORWARD_SYSLOG_SASL_TOKEN";

/** Options of a way into the cluster, its secrets apart. */
interface Way {
  readonly args: readonly string[];
  readonly env?: Record<string, string>;
}

/** Lines reach the topic this way, and no secret reaches a log or an output. */
async function letsIn(kafka: KafkaServer, topic: string, { args, env = {} }: Way): Promise<void> {
  await kafka.createTopic(topic);
  const checked = await check([...args, `--topic=${topic}`], env);
  assert.equal(checked.code, 0, checked.said);
  await using sluice = await startForwarding([...args, `--topic=${topic}`, "--format=raw"], env);
  await send(sluice, "<13>one\n<13>two\n");
  const records = await readAllKcat(kafka.bootstrap, topic, { expect: 2 });
  assert.equal(records.length, 2);
  await finish(sluice);
  assertNoSecret(checked.said + await sluice.log());
}

/** `--check` ends with this code and one clear line. */
async function turnsAway(code: number, says: RegExp, { args, env = {} }: Way): Promise<void> {
  const checked = await check(args, env);
  assert.equal(checked.code, code, checked.said);
  const lines = checked.said.trimEnd().split("\n").filter((line) => line.startsWith("sluice: "));
  assert.equal(lines.length, 1, checked.said);
  assert.match(lines[0] ?? "", says);
  assertNoSecret(checked.said);
}

function assertNoSecret(said: string): void {
  for (const secret of [password, wrongPassword, "eyJ"]) {
    assert.ok(!said.includes(secret), `a secret was said: ${said}`);
  }
}

/** An unsecured token (RFC 7519, section 6), which Kafka's own handler for tests takes. */
function tokenOf(user: string, seconds: number): string {
  const part = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value))
      .toBase64({ alphabet: "base64url", omitPadding: true });
  const nowSeconds = Date.now() / 1000;
  return `${part({ alg: "none" })}.${
    part({ sub: user, iat: nowSeconds - 10, exp: nowSeconds + seconds })
  }.`;
}

/** By a client certificate, over TLS. */
function mutual(kafka: KafkaServer, cert: string, key: string, ca: string): Way {
  return {
    args: [
      `--kafka=${kafka.sslBootstrap}`,
      `--kafka-ca=${ca}`,
      `--kafka-cert=${cert}`,
      `--kafka-key=${key}`,
    ],
  };
}

/** By a login over TLS. */
function sasl(kafka: KafkaServer, ca: string, mechanism: string, env: Record<string, string>): Way {
  return {
    args: [
      `--kafka=${kafka.saslBootstrap}`,
      `--kafka-ca=${ca}`,
      `--sasl-mechanism=${mechanism}`,
      ...(mechanism === "OAUTHBEARER" ? [] : ["--sasl-username=alice"]),
    ],
    env,
  };
}

async function certificateSteps(
  t: Deno.TestContext,
  kafka: KafkaServer,
  set: CertificateSet,
): Promise<void> {
  await t.step(
    "a client certificate lets in",
    () => letsIn(kafka, "mutual", mutual(kafka, set.clientCert, set.clientKey, set.ca)),
  );
  await t.step(
    "an authority that did not sign the broker's certificate is not trusted",
    () =>
      turnsAway(
        1,
        /TLS: .*certificate/i,
        mutual(kafka, set.clientCert, set.clientKey, set.wrongCa),
      ),
  );
  await t.step(
    "a client certificate of a stranger is refused",
    () =>
      turnsAway(
        1,
        /TLS: .*check --kafka-cert and --kafka-key/,
        mutual(kafka, set.wrongClientCert, set.wrongClientKey, set.ca),
      ),
  );
  await t.step(
    "no client certificate is refused",
    () =>
      turnsAway(1, /TLS: .*check --kafka-cert and --kafka-key/, {
        args: [`--kafka=${kafka.sslBootstrap}`, `--kafka-ca=${set.ca}`],
      }),
  );
  await t.step(
    "TLS to a port without it is said",
    () =>
      turnsAway(10, /does this port speak TLS/, {
        args: [`--kafka=${kafka.bootstrap}`, "--kafka-tls"],
      }),
  );
  await t.step("a wrong authority keeps a daemon from being ready, loudly", async () => {
    const { args } = mutual(kafka, set.clientCert, set.clientKey, set.wrongCa);
    await using sluice = await startWaiting([...args, "--topic=mutual"]);
    await notReady(sluice, /TLS: .*certificate/i);
    await sluice.said(`"error"`, "Kafka takes no records, trying on");
    assert.equal(await sluice.end("SIGTERM"), 0);
  });
}

async function loginSteps(
  t: Deno.TestContext,
  kafka: KafkaServer,
  set: CertificateSet,
): Promise<void> {
  for (const mechanism of ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]) {
    await t.step(
      `${mechanism} over TLS lets in`,
      () =>
        letsIn(
          kafka,
          mechanism.toLowerCase(),
          sasl(kafka, set.ca, mechanism, { [passwordVariable]: password }),
        ),
    );
    await t.step(`${mechanism} with a wrong password is denied`, () =>
      turnsAway(
        11,
        /the broker refuses the login; check mechanism, user name and password/,
        sasl(kafka, set.ca, mechanism, { [passwordVariable]: wrongPassword }),
      ));
  }
  await t.step(
    "OAUTHBEARER lets in",
    () =>
      letsIn(
        kafka,
        "oauth",
        sasl(kafka, set.ca, "OAUTHBEARER", { [tokenVariable]: tokenOf("alice", 600) }),
      ),
  );
  await t.step("OAUTHBEARER with an old token is denied", () =>
    turnsAway(
      11,
      /the broker refuses the login/,
      sasl(kafka, set.ca, "OAUTHBEARER", { [tokenVariable]: tokenOf("alice", -5) }),
    ));
  await t.step("a password file is read", async () => {
    const file = `${set.folder}/password`;
    await Deno.writeTextFile(file, `${password}\n`);
    const way = sasl(kafka, set.ca, "SCRAM-SHA-512", {});
    await letsIn(kafka, "from-file", { args: [...way.args, `--sasl-password-file=${file}`] });
  });
  await t.step("a wrong password keeps a daemon from being ready, loudly", async () => {
    const { args, env = {} } = sasl(kafka, set.ca, "SCRAM-SHA-256", {
      [passwordVariable]: wrongPassword,
    });
    await using sluice = await startWaiting([...args, "--topic=mutual"], env);
    await notReady(sluice, /the broker refuses the login/);
    await sluice.said(`"error"`, "Kafka takes no records, trying on", "refuses the login");
    assert.equal(await sluice.end("SIGTERM"), 0);
    assertNoSecret(await sluice.log());
  });
}

Deno.test("TLS and SASL of a real Kafka", async (t) => {
  const folder = await Deno.makeTempDir();
  const set = await makeCertificates(folder);
  await using kafka = await startKafka({
    ssl: set,
    clientAuth: true,
    sasl: {
      mechanism: ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
      users: { alice: password },
      overTls: true,
    },
  });
  await certificateSteps(t, kafka, set);
  await loginSteps(t, kafka, set);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("PLAIN without TLS is refused before any connection, unless that is what is meant", async () => {
  await using kafka = await startKafka({
    sasl: { mechanism: "PLAIN", users: { alice: password } },
  });
  const way = {
    args: [
      `--kafka=${kafka.saslBootstrap}`,
      "--sasl-mechanism=PLAIN",
      "--sasl-username=alice",
    ],
    env: { [passwordVariable]: password },
  };
  await turnsAway(2, /without TLS: everybody on the way could read the (password|secret)/, way);
  await letsIn(kafka, "plain", { ...way, args: [...way.args, "--sasl-plain-without-tls"] });
});
