import assert from "node:assert/strict";
import { commands } from "../../commands/mod.ts";
import { needs } from "../../commands/rights.ts";
import { compilePlanOf, systemOf } from "../../scripts/compile_plan.ts";
import { programRights } from "../../scripts/rights.ts";

Deno.test("A program for everything has the rights of all commands", () => {
  const plan = compilePlanOf([]);
  assert.equal(plan.output, "dist/sluice");
  assert.deepEqual([...plan.rights].sort(), [...programRights].sort());
});

Deno.test("A program for one command, some hosts and folders may use these alone", () => {
  const plan = compilePlanOf([
    ...["--for", "archive", "--hosts", "kafka-1:9092, kafka-2:9092"],
    ...["--hosts=127.0.0.1:9109", "--folders=/var/archive,/tmp"],
  ]);
  assert.equal(plan.output, "dist/sluice-archive");
  const notify = ["/run/systemd/notify", "/run/sluice-archive/notify.sock"];
  assert.deepEqual(plan.rights, [
    "--no-prompt",
    "--allow-net=kafka-1:9092,kafka-2:9092,127.0.0.1:9109," +
    notify.map((path) => `unix:${path}`).join(","),
    `--allow-read=/var/archive,/tmp,/etc/sluice,/run/credentials,${notify.join(",")}`,
    `--allow-write=/var/archive,/tmp,${notify.join(",")}`,
    "--allow-env",
    "--allow-sys=osRelease,homedir,uid,hostname",
    ...["--deny-run", "--deny-ffi", "--deny-import"],
  ]);
});

Deno.test("No command can start programs, load libraries or fetch code; readers cannot write", () => {
  for (const { name } of commands) {
    const { rights, output } = compilePlanOf(["--for", name]);
    assert.equal(output, `dist/sluice-${name.replace(" ", "-")}`);
    for (const right of ["--deny-run", "--deny-ffi", "--deny-import", "--no-prompt"]) {
      assert.ok(rights.includes(right), `${name}: ${right}`);
    }
    assert.equal(rights.some((right) => /^--allow-(run|ffi|import|all)/.test(right)), false);
  }
  const may = (name: string, right: string) =>
    compilePlanOf(["--for", name]).rights.some((one) => one.startsWith(right));
  for (const name of ["archive verify", "archive ls", "baldr cat", "baldr check", "materialize"]) {
    assert.equal(may(name, "--allow-write"), false, name);
  }
  assert.equal(may("baldr pack", "--allow-net"), false);
  assert.equal(may("baldr pack", "--allow-sys"), false);
});

Deno.test("What a command can need, a program for it may do", () => {
  // Whatever is asked of them: this makes each need the most.
  const most = {
    values: { listen: ["unix:///s"], kafka: ["a:1"], state: "s", output: "o" },
    operands: ["s3://bucket"],
    env: () => "/run/systemd/notify",
    stdinIsTerminal: true,
  };
  for (const { name } of commands) {
    const { rights } = compilePlanOf(["--for", name]);
    for (const right of needs[name]?.(most) ?? []) {
      assert.ok(rights.some((one) => one.startsWith(`--allow-${right}`)), `${name}: ${right}`);
    }
  }
});

Deno.test("Each system has a program of its own", () => {
  const of = (...args: string[]) => compilePlanOf(["--target", ...args]);
  assert.equal(of("aarch64-unknown-linux-gnu").output, "dist/sluice-aarch64-unknown-linux-gnu");
  assert.equal(of("x86_64-pc-windows-msvc").output, "dist/sluice-x86_64-pc-windows-msvc.exe");
  assert.equal(of("x86_64-pc-windows-msvc").target, "x86_64-pc-windows-msvc");
  assert.deepEqual(systemOf("x86_64-pc-windows-msvc"), ["--os", "win32", "--arch", "x64"]);
  assert.deepEqual(systemOf("aarch64-apple-darwin"), ["--os", "darwin", "--arch", "arm64"]);
});

for (
  const [args, complaint] of [
    [["--for", "archiv"], /there is no command "archiv": give one of forward-syslog, archive,/],
    [["--target", "pdp-11"], /there is no base for "pdp-11"/],
    [["--hosts", "http://kafka:9092/x"], /"http:\/\/kafka:9092\/x" is none: give HOST/],
    [["--hosts", "a:1,,b:2"], /is empty/],
    [["--folders", "var"], /"var" depends on where it is started/],
    [["--hots", "a"], /--hots/],
    [["archive"], /archive/],
  ] as const
) {
  Deno.test(`deno task compile ${args.join(" ")} is refused`, () => {
    assert.throws(() => compilePlanOf(args), complaint);
  });
}
