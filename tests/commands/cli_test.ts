import assert from "node:assert/strict";
import { commands } from "../../commands/mod.ts";
import { Exit } from "../../lib/core/exit.ts";
import { envOf, flagOf, type Option } from "../../lib/core/options.ts";
import { assertComplaint, runSluice } from "../support/command_line.ts";
import { freePort } from "../support/ports.ts";

async function assertHelp(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runSluice(args);
  assert.deepEqual([code, stderr], [0, ""]);
  const parts = stdout.split(/\n(?=EXIT STATUS|EXAMPLES)/);
  assert.equal(parts.length, 3, "it ends in EXIT STATUS and EXAMPLES");
  const [, exits = "", examples = ""] = parts;
  const codes = [...exits.matchAll(/^ {2}(\d+) +\S/gm)].map(([, number]) => Number(number));
  assert.ok(codes.length > 1 && codes.includes(0) && codes.includes(2));
  const known: readonly number[] = Object.values(Exit);
  assert.ok(codes.every((one) => known.includes(one)));
  // A long one goes on behind a backslash, as in a shell.
  const lines = examples.trimEnd().replace(/ \\\n {6}/g, " ").split("\n").slice(1);
  assert.ok(
    lines.length > 0 && lines.every((line) => /^ {2}(\S.*)?\bsluice /.test(line)),
    examples,
  );
  // A terminal may be as narrow as that.
  assert.deepEqual(stdout.split("\n").filter((line) => line.length > 80), []);
  return stdout;
}

Deno.test("sluice --help lists every command and ends in exit codes and examples", async () => {
  const help = await assertHelp(["--help"]);
  for (const { name } of commands) {
    assert.match(help, new RegExp(`^ {2}${name.split(" ")[0]} `, "m"));
  }
  assert.match(help, /SLUICE_COMMAND_OPTION/);
  assert.equal(await assertHelp(["-h"]), help);
  assert.equal(await assertHelp(["help"]), help);
});

for (const { name, load } of commands) {
  Deno.test(`sluice ${name} --help tells every option, its default, and ends in exit codes`, async () => {
    const command = await load();
    const words = name.split(" ");
    const help = await assertHelp([...words, "--help"]);
    for (const [key, option] of Object.entries(command.options) as [string, Option<unknown>][]) {
      const letter = option.letter === undefined ? "" : `-${option.letter}, `;
      const flag = letter + flagOf(key, option);
      const shown = option.placeholder === "" ? flag : `${flag} <${option.placeholder}>`;
      assert.ok(/^\s/.test(help.split(`\n  ${shown}`)[1] ?? ""), shown);
      // The text may be broken into lines.
      const flowing = help.replace(/\s+/g, " ");
      const fallback = option.fallbackText === "" ? "" : ` (default: ${option.fallbackText})`;
      assert.ok(flowing.includes(`${option.help}${fallback}`.replace(/\s+/g, " ")), key);
    }
    assert.ok(help.includes(`${envOf(name, "OPTION")}.`));
    assert.equal(await assertHelp(["help", ...words]), help);
    assert.ok(!/^ {2}--\S*password /m.test(help), "no secret is offered as a flag");
  });

  Deno.test(`the table's words for ${name} are the command's own`, async () => {
    const { summary } = commands.find((one) => one.name === name) ?? { summary: "" };
    const command = await load();
    assert.deepEqual([command.name, command.summary], [name, summary]);
  });
}

Deno.test("sluice --version is one line on standard output", async () => {
  const { code, stdout, stderr } = await runSluice(["--version"]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^sluice \d+\.\d+\.\d+ \(commit ([0-9a-f]{7}|unknown|source)\)\n$/);
});

const start = "Cannot understand the command line: ";

const refused: [args: string[], complaint: string][] = [
  [[], "no command is given; see sluice --help"],
  [["baldr"], "no command is given; give one of cat, pack, check; see sluice baldr --help"],
  [["forward-sylog"], "unknown command 'forward-sylog'; did you mean forward-syslog?"],
  [["forward-sylog", "--help"], "unknown command 'forward-sylog'; did you mean forward-syslog?"],
  [["help", "nothing-like-it"], "unknown command 'nothing-like-it'; see sluice --help"],
  [["baldr", "cta"], "unknown command 'cta'; did you mean cat?"],
  [["--frobnicate"], "unknown option '--frobnicate'; see sluice --help"],
  [["forward-syslog", "--topc", "x"], "unknown option '--topc'; did you mean --topic?"],
  [["forward-syslog", "--topc=x"], "unknown option '--topc'; did you mean --topic?"],
  [
    ["forward-syslog", "--frobnicate"],
    "unknown option '--frobnicate'; see sluice forward-syslog --help",
  ],
  [
    ["forward-syslog", "--topic"],
    "option '--topic <NAME>' argument missing; see sluice forward-syslog --help",
  ],
  [
    ["forward-syslog", "extra"],
    "too many arguments for 'forward-syslog'. Expected 0 arguments but got 1: extra; " +
    "see sluice forward-syslog --help",
  ],
];

for (const [args, complaint] of refused) {
  Deno.test(`"sluice ${args.join(" ")}" is refused with what to do`, async () => {
    assertComplaint(await runSluice(args), 2, start + complaint);
  });
}

Deno.test("a complaint is one line that commands no terminal, whatever was written", async () => {
  const { code, stderr } = await runSluice(["forward-syslog", "--x\x1b[2J\n--y"]);
  assert.equal(code, 2);
  // deno-lint-ignore no-control-regex -- that there are none is the point
  assert.match(stderr, /^sluice: [^\x00-\x1f\x7f]+\n$/);
});

Deno.test("flag, environment, configuration file: the first that has a broker is asked", async () => {
  const folder = await Deno.makeTempDir({ prefix: "sluice-cli-" });
  const [ofFlag, ofEnv, ofFile] = [freePort(), freePort(), freePort()];
  const config = `${folder}/forward-syslog.yaml`;
  await Deno.writeTextFile(
    config,
    `kafka:\n  - 127.0.0.1:${ofFile}\nlisten: tcp://127.0.0.1:0\ncheck: true\n`,
  );
  const flags = [`--kafka=127.0.0.1:${ofFlag}`];
  const env = { SLUICE_FORWARD_SYSLOG_KAFKA: `127.0.0.1:${ofEnv}` };
  const withConfig = { SLUICE_FORWARD_SYSLOG_CONFIG: config };
  const asked: [port: number, args: string[], env: Record<string, string>][] = [
    [ofFlag, [...flags, "--config", config], env],
    [ofEnv, ["--config", config], env],
    [ofFile, ["--config", config], {}],
    [ofFile, [], withConfig],
  ];
  for (const [port, args, env] of asked) {
    const outcome = await runSluice(["forward-syslog", ...args], { env });
    assertComplaint(outcome, 10, new RegExp(`Kafka at 127\\.0\\.0\\.1:${port}\\b`));
  }
  await Deno.remove(folder, { recursive: true });
});
