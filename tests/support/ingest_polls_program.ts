// deno-lint-ignore-file no-console -- a program for tests
/**
 * Polls a store as ingest does: `deno run ... ingest_polls_program.ts URL TIMES`; prints the polls as
 * JSON. A process of its own, whose memory is that of nothing else.
 */
import { pollsOf } from "./ingest_load_polls.ts";

const [url = "", times = ""] = Deno.args;
console.log(JSON.stringify(await pollsOf({ url }, Number(times))));
