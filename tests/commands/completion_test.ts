import assert from "node:assert/strict";
import { completedCommands } from "../../commands/completion.ts";
import { runSluice } from "../support/command_line.ts";
import { runCommand } from "../support/processes.ts";
import { TempFiles } from "../support/temp_files.ts";

async function scriptFor(shell: string): Promise<string> {
  const { code, stdout, stderr } = await runSluice(["completion", shell]);
  assert.deepEqual([code, stderr], [0, ""]);
  return stdout;
}

async function isInstalled(shell: string): Promise<boolean> {
  return (await runCommand(["sh", "-c", `command -v ${shell}`])).success;
}

/** What was typed, the word that the cursor is at last, and what is offered for it. */
const offers: readonly (readonly [typed: readonly string[], offered: readonly string[]])[] = [
  [["ar"], ["archive"]],
  [["archive", ""], ["ls", "restore", "verify"]],
  [["baldr", "c"], ["cat", "check"]],
  [["help", "baldr", "p"], ["pack"]],
  [["completion", ""], ["bash", "fish", "zsh"]],
  [["archive", "--rotate-b"], ["--rotate-bytes"]],
  [["archive", "verify", "--sha"], ["--shallow"]],
  [["replicate", "--via", "e"], ["extract"]],
  [["forward-syslog", "--compression", "z"], ["zstd"]],
];

Deno.test("Completion in a real bash offers commands, options, their words, files and folders", async () => {
  await using files = await TempFiles.of({
    "one file": "",
    "sluice.bash": await scriptFor("bash"),
  });
  await Deno.mkdir(files.path("one folder"));
  const more: typeof offers = [
    [[""], [...new Set((await completedCommands()).map(({ name }) => name.split(" ")[0] ?? ""))]],
    [["archive", "--format", "=", "re"], ["record"]],
    [["baldr", "cat", "on"], ["one file", "one folder"]],
    [["archive", "--spool-dir", "on"], ["one folder"]],
    [["ingest", "--config", "one fi"], ["one file"]],
  ];
  for (const [typed, offered] of [...offers, ...more]) {
    const { success, text } = await runCommand([
      ...["bash", "--norc", "-uc"],
      'source ./sluice.bash; complete -p sluice >/dev/null || exit 1; COMP_WORDS=(sluice "$@")\n' +
      'COMP_CWORD=$#; COMPREPLY=(); _sluice; printf "%s\\n" "${COMPREPLY[@]}"',
      ...["bash", ...typed],
    ], { cwd: files.folder });
    assert.ok(success, text);
    const found = text.trimEnd().split("\n").filter((word) => word !== "help");
    assert.deepEqual(found.sort(), [...offered].sort(), typed.join(" "));
  }
});

Deno.test("fish takes the script, and offers the same", async () => {
  const script = await scriptFor("fish");
  if (!await isInstalled("fish")) return;
  await using files = await TempFiles.of({ "sluice.fish": script });
  for (const [typed, offered] of offers) {
    const { success, text } = await runCommand([
      ...["fish", "--no-config", "-c"],
      `source ./sluice.fish; complete -C "sluice ${typed.join(" ")}"`,
    ], { cwd: files.folder, env: { HOME: files.folder } });
    assert.ok(success, text);
    const found = text.trimEnd().split("\n").map((line) => line.split("\t")[0] ?? "");
    assert.deepEqual(found.sort(), [...offered].sort(), typed.join(" "));
  }
});

Deno.test("zsh takes the script, and offers the same", async () => {
  const script = await scriptFor("zsh");
  if (!await isInstalled("zsh")) return;
  await using files = await TempFiles.of({ "_sluice": script });
  // What is offered is handed to compadd; with a stand-in for it no terminal is needed.
  const harness = `
    autoload -Uz compinit; compinit -u -D
    _describe() { local -a list; list=("\${(@P)2}"); print -l -- \${list%%:*} }
    _arguments() { print -l -- "$@" }
    compdef() { }
    source ./_sluice
    words=(sluice "$@"); CURRENT=$#words; PREFIX=$words[-1]; _sluice`;
  for (const [typed, offered] of offers) {
    const { success, text } = await runCommand(
      ["zsh", "-fc", harness, "zsh", ...typed],
      { cwd: files.folder, env: { HOME: files.folder } },
    );
    assert.ok(success, text);
    for (const word of offered) assert.ok(text.includes(word), `${typed.join(" ")}: ${text}`);
  }
});

Deno.test("Completion knows every option of every command, and another shell is refused", async () => {
  const bash = await scriptFor("bash");
  for (const { name, options } of await completedCommands()) {
    const [, flags = ""] = new RegExp(`^ +'${name}'\\) flags='(.*)' ;;$`, "m").exec(bash) ?? [];
    assert.deepEqual(flags.split(" "), options.map(({ flag }) => flag), name);
  }
  const { code, stderr } = await runSluice(["completion", "tcsh"]);
  assert.deepEqual([code, stderr], [
    2,
    'sluice: Cannot complete for "tcsh": give one of bash, zsh, fish\n',
  ]);
});
