import assert from "node:assert/strict";
import { type Listener, listenStream } from "../../../lib/clients/listen/listen.ts";
import { SluiceError } from "../../../lib/core/errors.ts";
import { parseListenUrl } from "../../../lib/formats/listen_url.ts";
import { within } from "../../support/waiting.ts";
import { accepted, assertCannotListen, readAllText, readText, writeText } from "./sockets.ts";

function open(url: string): Promise<Listener> {
  return listenStream(parseListenUrl(url), { handshakeMs: 1_000 });
}

/** A listener of each kind, with the way to connect to it. */
const kinds = ["tcp://127.0.0.1:0", "tcp://[::1]:0", "unix"] as const;

async function withListener(
  kind: typeof kinds[number],
  act: (listener: Listener, connect: () => Promise<Deno.Conn>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sluice-listen-" });
  const listener = await open(kind === "unix" ? `unix://${folder}/log.sock` : kind);
  const { host: hostname, port, path } = listener.url;
  try {
    await act(
      listener,
      () =>
        path === "" ? Deno.connect({ hostname, port }) : Deno.connect({ path, transport: "unix" }),
    );
  } finally {
    listener.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

for (const kind of kinds) {
  Deno.test(`${kind}: what a sender writes is read, and the other way round`, async () => {
    await withListener(kind, async (listener, connect) => {
      const sender = await connect();
      await writeText(sender, "<13>one\n<13>two\n");
      const peer = await accepted(listener);
      assert.equal(await readText(peer, 16), "<13>one\n<13>two\n");
      await writeText(peer, "1 rsp 6 200 OK\n");
      peer.close();
      assert.equal(await readAllText(sender), "1 rsp 6 200 OK\n");
      assert.ok(["127.0.0.1", "::1", listener.url.path].includes(peer.address), peer.address);
    });
  });

  Deno.test(`${kind}: a half-closed connection is read to its end`, async () => {
    await withListener(kind, async (listener, connect) => {
      const sender = await connect();
      const peer = await accepted(listener);
      await peer.closeWrite();
      assert.equal(await sender.read(new Uint8Array(1)), null, "the sender sees that we leave");
      await writeText(sender, "<13>still here\n");
      sender.close();
      assert.equal(await readText(peer), "<13>still here\n");
      assert.equal(await peer.read(new Uint8Array(1)), null, "and the end stays the end");
      peer.close();
    });
  });

  Deno.test(`${kind}: a close ends a read under way; to close again does no harm`, async () => {
    await withListener(kind, async (listener, connect) => {
      const sender = await connect();
      const peer = await accepted(listener);
      const reading = peer.read(new Uint8Array(8));
      peer.close();
      assert.equal(await reading, null);
      assert.equal(await peer.read(new Uint8Array(8)), null);
      peer.close();
      await peer.closeWrite();
      sender.close();
    });
  });

  Deno.test(`${kind}: writing to a sender that has gone is a transient fault`, async () => {
    await withListener(kind, async (listener, connect) => {
      const sender = await connect();
      const peer = await accepted(listener);
      sender.close();
      await assert.rejects(async () => {
        for (let i = 0; i < 100; i++) await writeText(peer, "x".repeat(100_000));
      }, (thrown: SluiceError) => {
        assert.ok(thrown instanceof SluiceError && thrown.fault === "transient");
        assert.ok(thrown.message.startsWith(`Cannot write to ${peer.address}: `), thrown.message);
        return true;
      });
      peer.close();
    });
  });

  Deno.test(`${kind}: stop() ends accept(); what was accepted goes on`, async () => {
    await withListener(kind, async (listener, connect) => {
      const sender = await connect();
      const peer = await accepted(listener);
      const accepting = listener.accept();
      listener.stop();
      listener.stop();
      assert.equal(await accepting, null);
      assert.equal(await listener.accept(), null);
      await writeText(sender, "on");
      assert.equal(await readText(peer, 2), "on");
      sender.close();
      peer.close();
    });
  });
}

Deno.test("peers are numbered in order of arrival, whatever they came through", async () => {
  const ids: number[] = [];
  for (const kind of kinds) {
    await withListener(kind, async (listener, connect) => {
      for (let i = 0; i < 2; i++) {
        const sender = await connect();
        const peer = await accepted(listener);
        ids.push(peer.id);
        peer.close();
        sender.close();
      }
    });
  }
  assert.deepEqual(ids, ids.map((_, i) => (ids[0] ?? 0) + i));
});

Deno.test("not to read is back-pressure: a sender is stopped by what the kernel holds", async () => {
  await withListener("tcp://127.0.0.1:0", async (listener, connect) => {
    const sender = await connect();
    const peer = await accepted(listener);
    const chunk = new Uint8Array(1_000_000);
    let written = 0;
    const pushing = (async () => {
      while (written < 100) {
        for (let at = 0; at < chunk.length;) at += await sender.write(chunk.subarray(at));
        written++;
      }
    })().catch(() => {});
    assert.equal(await within(pushing, 700), false);
    assert.ok(written < 20, `${written} MB were taken that nobody has read`);
    peer.close();
    await pushing;
    sender.close();
  });
});

Deno.test("a port in use, and an address of another machine, are told with what to do", async () => {
  await withListener("tcp://127.0.0.1:0", async ({ url }) => {
    const words = [`Cannot listen on ${url.text}: `, "another program listens there already"];
    await assertCannotListen(() => open(url.text), "permanent", ...words, "another port");
  });
  await assertCannotListen(() => open("tcp://192.0.2.1:1514"), "permanent", "no such address");
  await assertCannotListen(() => open("tcp://host.invalid:1514"), "permanent", "host.invalid");
});

const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
const module = (path: string) => new URL(`../../../lib/${path}`, import.meta.url);

/** Whether we may become a user who may listen on high ports only, and who can read this checkout. */
async function mayBecomeNobody(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const lowest = await Deno.readTextFile("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  if (Number(lowest) <= 514) return false;
  const files = `-x ${Deno.execPath()} -a -r ${module("clients/listen/plain.ts").pathname}`;
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `setpriv ${nobody.join(" ")} test ${files}`],
  }).output();
  return success;
}

Deno.test("a port below 1024 is denied to an ordinary user, with what to do", {
  ignore: !await mayBecomeNobody(),
}, async () => {
  const cache = await Deno.makeTempDir({ prefix: "sluice-nobody-" });
  await Deno.chmod(cache, 0o777);
  const code = `
    import { listenTcp } from "${module("clients/listen/plain.ts")}";
    import { parseListenUrl } from "${module("formats/listen_url.ts")}";
    try { listenTcp(parseListenUrl("tcp://127.0.0.1:514")); }
    catch (thrown) { console.log(thrown.fault, thrown.message); }`;
  const { stdout, stderr } = await new Deno.Command("setpriv", {
    args: [...nobody, Deno.execPath(), "eval", "--no-config", "--no-lock", code],
    env: { DENO_DIR: cache, NO_COLOR: "1" },
    cwd: "/",
  }).output();
  const text = new TextDecoder();
  assert.equal(
    text.decode(stdout),
    "denied Cannot listen on tcp://127.0.0.1:514: this user may not; choose a port of 1024 or more, " +
      "or grant CAP_NET_BIND_SERVICE\n",
    text.decode(stderr),
  );
  await Deno.remove(cache, { recursive: true });
});
