import assert from "node:assert/strict";
import { listenStream } from "../../../lib/clients/listen/listen.ts";
import { parseListenUrl } from "../../../lib/formats/listen_url.ts";
import { accepted, assertCannotListen, readText, writeText } from "./sockets.ts";

const open = (path: string) =>
  listenStream(parseListenUrl(`unix://${path}`), { handshakeMs: 1_000 });

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-unix-" });
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the socket file that a killed process left behind is replaced", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/log.sock`;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["eval", "--no-config"],
        `Deno.listen({ path: "${path}", transport: "unix" }).accept(); console.log("ready")`,
      ],
      stdout: "piped",
    }).spawn();
    await child.stdout.getReader().read();
    child.kill("SIGKILL");
    await child.status;
    assert.ok((await Deno.lstat(path)).isSocket, "the killed process left its socket");
    const listener = await open(path);
    const sender = await Deno.connect({ path, transport: "unix" });
    const peer = await accepted(listener);
    await writeText(sender, "hello");
    assert.equal(await readText(peer, 5), "hello");
    sender.close();
    peer.close();
    listener.stop();
  });
});

Deno.test("the socket of a living process is left alone", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/log.sock`;
    const first = await open(path);
    const words = [`Cannot listen on unix://${path}: `, "another program listens there already"];
    await assertCannotListen(() => open(path), "permanent", ...words, "another path");
    const sender = await Deno.connect({ path, transport: "unix" });
    await writeText(sender, "hello");
    // The first connection was the question whether somebody lives.
    assert.equal(await readText(await accepted(first)), "");
    const peer = await accepted(first);
    assert.equal(await readText(peer, 5), "hello");
    sender.close();
    peer.close();
    first.stop();
  });
});

Deno.test("a file that is no socket is never removed, and the message says so", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/log.sock`;
    await Deno.writeTextFile(path, "precious");
    await assertCannotListen(() => open(path), "permanent", "a file that is no socket", path);
    assert.equal(await Deno.readTextFile(path), "precious");
  });
});

Deno.test("a folder that is missing is told as such", async () => {
  await assertCannotListen(() => open("/nowhere/log.sock"), "permanent", "there is no such folder");
});

/** The kernel lets nobody make a file in sysfs, not even root; a container may have it read-only. */
const denied = await Deno.open("/sys/out", { write: true, createNew: true })
  .then(() => false, (thrown) => thrown instanceof Deno.errors.PermissionDenied);

Deno.test("a folder that may not be written to is told as such", { ignore: !denied }, async () => {
  await assertCannotListen(() => open("/sys/log.sock"), "denied", "choose another folder");
});

Deno.test("stop() takes the socket file away", async () => {
  await inFolder(async (folder) => {
    const listener = await open(`${folder}/log.sock`);
    listener.stop();
    await assert.rejects(Deno.lstat(`${folder}/log.sock`), Deno.errors.NotFound);
  });
});
