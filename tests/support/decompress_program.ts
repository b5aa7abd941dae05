// deno-lint-ignore-file no-console -- it is asked by a test
/**
 * Decompresses one batch of Kafka in a process of its own, whose memory is nobody else's, and prints as
 * JSON what kind of fault that was and by how many bytes the most that was ever resident has grown.
 *
 *     decompress_program.ts CODEC HEX
 */
import { decompress } from "../../lib/clients/kafka/codecs.ts";
import { faultOf } from "../../lib/core/errors.ts";
import { residentPeakOf } from "./proc.ts";

const [codec = "", hex = ""] = Deno.args;
const bytes = Uint8Array.fromHex(hex);
const before = await residentPeakOf("self");
let fault: string | null = null;
try {
  decompress(Number(codec), bytes);
} catch (thrown) {
  fault = faultOf(thrown);
}
console.log(JSON.stringify({ fault, grownBytes: await residentPeakOf("self") - before }));
