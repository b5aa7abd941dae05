import assert from "node:assert/strict";
import { SluiceError } from "../../lib/core/errors.ts";
import { choice, duration, list, number, secret, text, toggle } from "../../lib/core/options.ts";
import { resolveOptions, type Sources } from "../../lib/core/resolve.ts";

const help = "";

const specs = {
  "kafka": list({ help }),
  "topic": text({ help, fallback: "syslog" }),
  "topic-limit": number({ help, fallback: 100, least: 1, most: 1_000 }),
  "wait": duration({ help, fallback: 10_000 }),
  "key": choice(["none", "tag"], { help, fallback: "none" }),
  "headers": toggle({ help }),
  "sasl-password": secret({ help }),
} as const;

const files: Record<string, string> = {
  "/flag": "of flag\n",
  "/env": "of env\n",
  "/conf": "of conf",
};

function resolve(given: Partial<Sources>, command = "forward-syslog") {
  return resolveOptions(command, specs, {
    flags: {},
    env: {},
    config: {},
    configPath: "/etc/x.yaml",
    commands: ["forward-syslog", "archive", "archive verify"],
    readFile: (path) => {
      const held = files[path];
      if (held !== undefined) return Promise.resolve(held);
      throw new SluiceError(`read secret ${path}`, "usage", "there is no such file or folder");
    },
    ...given,
  });
}

async function assertRefused(given: Partial<Sources>, message: string, command?: string) {
  await assert.rejects(resolve(given, command), (thrown) => {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    assert.deepEqual([thrown.message, thrown.fault], [message, "usage"]);
    return true;
  });
}

Deno.test("without any source every option has its default", async () => {
  assert.deepEqual(await resolve({}), {
    "kafka": [],
    "topic": "syslog",
    "topic-limit": 100,
    "wait": 10_000,
    "key": "none",
    "headers": false,
    "sasl-password": undefined,
  });
});

Deno.test("a flag goes before the environment, that before the file, that before the default", async () => {
  const flags = { topic: "of-flag" };
  const env = { SLUICE_FORWARD_SYSLOG_TOPIC: "of-env" };
  const config = { topic: "of-file" };
  assert.equal((await resolve({ flags, env, config })).topic, "of-flag");
  assert.equal((await resolve({ env, config })).topic, "of-env");
  assert.equal((await resolve({ config })).topic, "of-file");
  assert.equal((await resolve({})).topic, "syslog");
});

Deno.test("flags, variables and keys are read the same way, whatever their kind", async () => {
  const wanted = {
    "kafka": ["a:1", "b:2"],
    "topic": "t",
    "topic-limit": 7,
    "wait": 5_000,
    "key": "tag",
    "headers": true,
    "sasl-password": undefined,
  };
  const ways: Partial<Sources>[] = [
    {
      flags: {
        "kafka": ["a:1", "b:2"],
        "topic": "t",
        "topic-limit": "7",
        "wait": "5s",
        "key": "tag",
        "headers": true,
      },
    },
    {
      env: {
        SLUICE_FORWARD_SYSLOG_KAFKA: "a:1,b:2",
        SLUICE_FORWARD_SYSLOG_TOPIC: "t",
        SLUICE_FORWARD_SYSLOG_TOPIC_LIMIT: "7",
        SLUICE_FORWARD_SYSLOG_WAIT: "5s",
        SLUICE_FORWARD_SYSLOG_KEY: "tag",
        SLUICE_FORWARD_SYSLOG_HEADERS: "1",
      },
    },
    {
      config: {
        "kafka": ["a:1", "b:2"],
        "topic": "t",
        "topic-limit": 7,
        "wait": "5s",
        "key": "tag",
        "headers": true,
      },
    },
  ];
  for (const way of ways) assert.deepEqual(await resolve(way), wanted);
});

Deno.test("a repeated flag: lists are put together, of single values the last counts", async () => {
  const flags = { kafka: ["a:1,b:2", "c:3"], topic: ["x", "y"] };
  const values = await resolve({ flags });
  assert.deepEqual([values.kafka, values.topic], [["a:1", "b:2", "c:3"], "y"]);
});

const refused: [what: string, given: Partial<Sources>, message: string][] = [
  [
    "a flag out of range",
    { flags: { "topic-limit": "0" } },
    "Cannot use --topic-limit: cannot use 0; it must be between 1 and 1000",
  ],
  [
    "a variable that is no number",
    { env: { SLUICE_FORWARD_SYSLOG_TOPIC_LIMIT: "many" } },
    'Cannot use SLUICE_FORWARD_SYSLOG_TOPIC_LIMIT: cannot read number "many"; give a whole number',
  ],
  [
    "a key whose value is no choice",
    { config: { key: "hostname" } },
    'Cannot use key in /etc/x.yaml: cannot use "hostname"; give one of none, tag',
  ],
  [
    "a key that holds a table",
    { config: { topic: { name: "x" } } },
    "Cannot use topic in /etc/x.yaml: give a plain value or a list of plain values",
  ],
  [
    "a key without a value",
    { config: { topic: null } },
    "Cannot use topic in /etc/x.yaml: give a plain value or a list of plain values",
  ],
  [
    "a list where one value belongs",
    { config: { topic: ["x", "y"] } },
    "Cannot use topic in /etc/x.yaml: give one value, not a list",
  ],
  [
    "an empty list",
    { config: { kafka: [] } },
    "Cannot use kafka in /etc/x.yaml: give a plain value or a list of plain values",
  ],
  [
    "an unknown key near a known one",
    { config: { "topic-limt": 5 } },
    "Cannot use topic-limt in /etc/x.yaml: there is no such option; did you mean topic-limit?",
  ],
  [
    "an unknown key near none",
    { config: { compression: "gzip" } },
    "Cannot use compression in /etc/x.yaml: there is no such option; see --help",
  ],
  [
    "an unknown variable of the command",
    { env: { SLUICE_FORWARD_SYSLOG_TOPC: "x" } },
    "Cannot use SLUICE_FORWARD_SYSLOG_TOPC: there is no such option; did you mean SLUICE_FORWARD_SYSLOG_TOPIC?",
  ],
  [
    "a variable with a slip in the command",
    { env: { SLUICE_FORWRAD_SYSLOG_TOPIC: "x" } },
    "Cannot use SLUICE_FORWRAD_SYSLOG_TOPIC: there is no such option; did you mean SLUICE_FORWARD_SYSLOG_TOPIC?",
  ],
  [
    "a secret in the configuration file",
    { config: { "sasl-password": "pw" } },
    "Cannot use sasl-password in /etc/x.yaml: a secret does not belong in a configuration file; give sasl-password-file with the path of a file that holds it",
  ],
  [
    "an empty secret",
    { env: { SLUICE_FORWARD_SYSLOG_SASL_PASSWORD: "" } },
    "Cannot use SLUICE_FORWARD_SYSLOG_SASL_PASSWORD: cannot use an empty secret; the file or variable holds nothing",
  ],
  [
    "the missing file of a secret",
    { flags: { "sasl-password-file": "/gone" } },
    "Cannot read secret /gone: there is no such file or folder",
  ],
  [
    "the path of a secret's file without a value",
    { config: { "sasl-password-file": null } },
    "Cannot use sasl-password-file in /etc/x.yaml: give a plain value or a list of plain values",
  ],
];

for (const [what, given, message] of refused) {
  Deno.test(`${what} is refused`, () => assertRefused(given, message));
}

Deno.test("variables that are not ours are left alone", async () => {
  await resolve({ env: { PATH: "/bin", SLUICE_TEST_KILLS: "5", SLUICE: "x", SLUICE_HOME: "/" } });
});

Deno.test("a command leaves the variables of the others to them, also when names begin alike", async () => {
  const env = {
    SLUICE_ARCHIVE_VERIFY_KAFKA: "a:1",
    SLUICE_ARCHIVE_TOPIC: "of-archive",
    SLUICE_FORWARD_SYSLOG_ANYTHING: "x",
  };
  const archive = await resolve({ env }, "archive");
  assert.deepEqual([archive.topic, archive.kafka], ["of-archive", []]);
  const verify = await resolve({ env }, "archive verify");
  assert.deepEqual([verify.topic, verify.kafka], ["syslog", ["a:1"]]);
  await assertRefused(
    { env: { SLUICE_ARCHIVE_VERIFY_TOPC: "x" } },
    "Cannot use SLUICE_ARCHIVE_VERIFY_TOPC: there is no such option; did you mean SLUICE_ARCHIVE_VERIFY_TOPIC?",
    "archive verify",
  );
});

const name = "SLUICE_FORWARD_SYSLOG_SASL_PASSWORD";
const everySource: [source: string, given: Partial<Sources>][] = [
  ["of flag", { flags: { "sasl-password-file": "/flag" } }],
  ["of variable", { env: { [name]: "of variable" } }],
  ["of env", { env: { [`${name}_FILE`]: "/env" } }],
  ["of conf", { config: { "sasl-password-file": "/conf" } }],
  ["of credential", {
    credential: (asked) =>
      Promise.resolve(asked === "sasl-password" ? "of credential\n" : undefined),
  }],
];

Deno.test("a secret comes from flag, variable, file of a variable, key or credential, in this order", async () => {
  for (let first = 0; first < everySource.length; first++) {
    const given = everySource.slice(first).map(([, one]) => one);
    const values = await resolve({
      ...Object.assign({}, ...given),
      env: Object.assign({}, ...given.map(({ env }) => env)),
    });
    assert.equal(values["sasl-password"]?.reveal(), everySource[first]?.[0]);
  }
});

Deno.test("a secret of a file is read anew for each login, that of a variable stays", async () => {
  let held = "first\n";
  const readFile = () => Promise.resolve(held);
  const ofFile =
    (await resolve({ flags: { "sasl-password-file": "/f" }, readFile }))["sasl-password"];
  const ofVariable = (await resolve({ env: { [name]: "kept" } }))["sasl-password"];
  for (const value of ["second", "third"]) {
    held = value;
    const fresh = await ofFile?.fresh();
    assert.deepEqual([fresh?.reveal(), (await fresh?.fresh())?.reveal()], [value, value]);
    assert.equal((await ofVariable?.fresh())?.reveal(), "kept");
  }
  assert.equal(ofFile?.reveal(), "first");
  held = "";
  await assert.rejects(async () => await ofFile?.fresh(), {
    message:
      "Cannot use --sasl-password-file: cannot use an empty secret; the file or variable holds nothing",
  });
});

Deno.test("a credential that the unit does not have leaves the secret away", async () => {
  const values = await resolve({ credential: () => Promise.resolve(undefined) });
  assert.equal(values["sasl-password"], undefined);
});
