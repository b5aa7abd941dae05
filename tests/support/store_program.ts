// deno-lint-ignore-file no-console -- a program for tests
/** A program that uses a store as sluice does: `deno run ... store_program.ts URL [ENDPOINT]`. */
import { openStore } from "../../lib/clients/store/store.ts";
import { realWorld } from "../../lib/core/world.ts";

const [url = "", endpoint] = Deno.args;
const store = await openStore(url, {
  world: realWorld(() => {}),
  ...(endpoint === undefined ? {} : { endpoint }),
});
await store.check();
const body = new TextEncoder().encode("hello");
const { isNew } = await store.put("hello", body, { ifAbsent: true });
const source = await store.get("hello");
const text = new TextDecoder().decode(await source.next());
const keys = (await Array.fromAsync(store.list(""))).map(({ key }) => key);
console.log(JSON.stringify({ isNew, text, keys }));
if (!Deno.env.has("LEAVE_OPEN")) await store.close();
