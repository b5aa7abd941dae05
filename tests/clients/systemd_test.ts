import assert from "node:assert/strict";
import { notifyPlanOf, SystemdNotifier } from "../../lib/clients/systemd.ts";
import type { Fields } from "../../lib/core/world.ts";

Deno.test("notifyPlanOf() knows what systemd wants from the environment", () => {
  const of = (env: Record<string, string>) => notifyPlanOf((name) => env[name], 7);
  const usual = { socket: "/run/systemd/notify", watchdogMs: null, runtimeFolder: null };
  const NOTIFY_SOCKET = usual.socket;
  assert.equal(of({}), null);
  assert.equal(of({ NOTIFY_SOCKET: "" }), null);
  assert.equal(of({ NOTIFY_SOCKET: "@" }), null);
  assert.equal(of({ NOTIFY_SOCKET: "vsock:2:1234" }), null);
  assert.deepEqual(of({ NOTIFY_SOCKET }), usual);
  assert.deepEqual(of({ NOTIFY_SOCKET: "@a" }), { ...usual, socket: "@a" });
  const watched = { NOTIFY_SOCKET, WATCHDOG_USEC: "30000000" };
  assert.equal(of(watched)?.watchdogMs, 30_000);
  assert.equal(of({ ...watched, WATCHDOG_PID: "7" })?.watchdogMs, 30_000);
  assert.equal(of({ ...watched, WATCHDOG_PID: "8" })?.watchdogMs, null);
  for (const WATCHDOG_USEC of ["", "0", "-1", "1s"]) {
    assert.equal(of({ NOTIFY_SOCKET, WATCHDOG_USEC })?.watchdogMs, null);
  }
  const RUNTIME_DIRECTORY = "/run/sluice:/run/more";
  assert.equal(of({ NOTIFY_SOCKET, RUNTIME_DIRECTORY })?.runtimeFolder, "/run/sluice");
});

/** A notifier, the socket that it tells, and its log. */
function connected(watchdogMs: number | null = null) {
  const name = `sluice-test-${crypto.randomUUID()}`;
  const listen = () => {
    const socket = Deno.listenDatagram({ transport: "unixpacket", path: `\0${name}` });
    return Object.assign(socket, { [Symbol.dispose]: () => socket.close() });
  };
  const logged: (Fields | undefined)[] = [];
  const notifier = new SystemdNotifier(
    { socket: `@${name}`, watchdogMs, runtimeFolder: null },
    (_level, _message, fields) => logged.push(fields),
  );
  const next = async (socket: Deno.DatagramConn) =>
    new TextDecoder().decode((await socket.receive())[0]);
  return { listen, notifier, logged, next };
}

Deno.test("A notifier tells READY, STATUS when it changes, and STOPPING once", async () => {
  const { listen, notifier, next } = connected();
  using socket = listen();
  let reasons = ["Kafka: nobody there\n\u001b[31m"];
  notifier.begin(() => reasons);
  assert.equal(await next(socket), "READY=1\nSTATUS=Kafka: nobody there \\u001b[31m");
  reasons = [];
  assert.equal(await next(socket), "STATUS=working");
  reasons = ["x".repeat(5_000)];
  assert.equal(await next(socket), `STATUS=${"x".repeat(500)}`);
  notifier.stopping();
  notifier.stopping();
  assert.equal(await next(socket), "STOPPING=1\nSTATUS=finishing what was begun");
  await notifier.close();
});

Deno.test("A notifier feeds the watchdog at half of its time, from the start and while it drains", async () => {
  const { listen, notifier, next } = connected(100);
  using socket = listen();
  notifier.begin(() => []);
  assert.match(await next(socket), /^READY=1/);
  const begun = performance.now();
  for (let n = 0; n < 4; n++) assert.equal(await next(socket), "WATCHDOG=1");
  assert.ok(performance.now() - begun < 60_000);
  notifier.stopping();
  while (!/STOPPING=1/.test(await next(socket)));
  assert.equal(await next(socket), "WATCHDOG=1");
  await notifier.close();
});

Deno.test("A notifier that nobody hears says so once, and is heard again when somebody listens", async () => {
  const { listen, notifier, logged, next } = connected(20);
  notifier.begin(() => []);
  while (logged.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(logged.length, 1);
  assert.match(String(logged[0]?.["reason"]), /refused/i);
  using socket = listen();
  assert.equal(await next(socket), "WATCHDOG=1");
  await notifier.close();
});

Deno.test("A notifier whose systemd does not read neither waits nor grows, and closes in time", async () => {
  const { listen, notifier, next } = connected(2);
  using socket = listen();
  notifier.begin(() => []);
  // More than a socket holds (net.unix.max_dgram_qlen, 10 to 512).
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  notifier.stopping();
  const begun = performance.now();
  await notifier.close();
  assert.ok(performance.now() - begun < 60_000);
  assert.match(await next(socket), /^READY=1/);
});
