import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs shell words in a copy of scripts/env.sh's place, with nothing but these variables. */
async function shell(
  folder: string,
  words: string,
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", words],
    cwd: "/",
    clearEnv: true,
    env: { FOLDER: folder, ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A checkout with a space in its path, and a folder of commands that only say what is wanted. */
async function checkout(
  commands: Record<string, string>,
): Promise<{ folder: string; path: string }> {
  const folder = await Deno.makeTempDir({ prefix: "sluice env " });
  await Deno.mkdir(`${folder}/scripts`);
  await Deno.copyFile(`${root}scripts/env.sh`, `${folder}/scripts/env.sh`);
  const path = `${folder}/bin`;
  await Deno.mkdir(path);
  for (const name of ["bash", "dirname", "mkdir", "sed", "head", "id", "chmod", "cat"]) {
    await Deno.symlink(`/bin/${name}`, `${path}/${name}`).catch(() => {});
  }
  for (const [name, script] of Object.entries(commands)) {
    await Deno.writeTextFile(`${path}/${name}`, `#!/bin/bash\n${script}\n`);
    await Deno.chmod(`${path}/${name}`, 0o755);
  }
  return { folder, path };
}

const java17 = "echo 'openjdk version \"17.0.1\" 2021-10-19' >&2";
const deno = "echo 'deno 2.9.6 (stable, release, x86_64-unknown-linux-gnu)'";
const whole = { npm: ":", mvn: ":", java: java17, deno };
const source = '. "$FOLDER/scripts/env.sh" && ';

Deno.test("A home that is not there, not given or not to be written is replaced by one that is", async () => {
  const { folder, path } = await checkout(whole);
  const tell = `${source}echo "$HOME|\${MAVEN_OPTS:-}|$PWD"`;
  const own = `${folder}/.tools/home`;
  const homes: Record<string, string>[] = [{}, { HOME: "" }, { HOME: `${folder}/nowhere` }];
  for (const home of homes) {
    const { code, stdout, stderr } = await shell(folder, tell, { PATH: path, ...home });
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trim(), `${own}| -Duser.home=${own}|${folder}`);
    assert.ok((await Deno.stat(own)).isDirectory);
  }
  const { stdout } = await shell(folder, tell, { PATH: path, HOME: folder });
  assert.equal(stdout.trim(), `${folder}||${folder}`);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("What is missing is named with the packages that bring it, and nothing is begun", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{}, /^Missing: npm maven openjdk-17-jre-headless$/m],
    [{ ...whole, mvn: "" }, /^$/],
    [{ npm: ":", java: java17, deno }, /^Missing: maven\nOn Debian: apt-get install maven$/m],
    [
      { ...whole, java: "echo 'openjdk version \"11.0.2\"' >&2" },
      /^Java 11 is too old: 17 or newer is needed\nMissing: openjdk-17-jre-headless$/m,
    ],
  ];
  for (const [commands, told] of cases) {
    const { folder, path } = await checkout(commands);
    const { code, stdout, stderr } = await shell(folder, `${source}echo begun`, { PATH: path });
    assert.match(stderr, told);
    assert.equal(code, stderr === "" ? 0 : 1);
    assert.equal(stdout, stderr === "" ? "begun\n" : "");
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Without the right Deno it is installed into .tools, and an npm that fails is told", async () => {
  const { deno: _, ...without } = whole;
  const install = 'at=$6/node_modules/.bin; mkdir -p "$at"; echo "#!/bin/bash" > "$at/deno"\n' +
    `echo "${deno}" >> "$at/deno"; chmod +x "$at/deno"; echo "$@" > "$FOLDER/asked"`;
  const good = await checkout({ ...without, npm: install });
  const told = await shell(good.folder, `${source}command -v deno`, { PATH: good.path });
  assert.equal(told.code, 0, told.stderr);
  assert.equal(told.stdout.trim(), `${good.folder}/.tools/deno/node_modules/.bin/deno`);
  assert.match(await Deno.readTextFile(`${good.folder}/asked`), / deno@2\.9\.6$/m);
  await Deno.remove(good.folder, { recursive: true });

  const bad = await checkout({ ...without, npm: "exit 1" });
  const failed = await shell(bad.folder, `${source}echo begun`, { PATH: bad.path });
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /Cannot install Deno 2\.9\.6 with npm/);
  assert.equal(failed.stdout, "");
  await Deno.remove(bad.folder, { recursive: true });
});

Deno.test("A run of CI that cannot begin ends with a count too", async () => {
  const { folder, path } = await checkout({});
  await Deno.copyFile(`${root}scripts/test`, `${folder}/scripts/test`);
  await Deno.mkdir(`${folder}/.ci`);
  await Deno.copyFile(`${root}.ci/run`, `${folder}/.ci/run`);
  const { code, stdout } = await shell(folder, 'exec /bin/sh "$FOLDER/.ci/run"', {
    PATH: `${path}:/nowhere`,
  });
  assert.notEqual(code, 0);
  assert.match(stdout, /^0 passed, 1 failed\n$/);
  await Deno.remove(folder, { recursive: true });
});
