// deno-lint-ignore-file no-console -- a program for tests
/**
 * Polls a store as ingest does: `deno run ... ingest_polls_program.ts URL TIMES [ENDPOINT]`; prints the
 * polls as JSON.
 */
import { pollsHere } from "./ingest_load_polls.ts";

const [url = "", times = "", endpoint] = Deno.args;
console.log(JSON.stringify(await pollsHere(url, Number(times), endpoint)));
