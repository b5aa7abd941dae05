import { check } from "../lib/baldr/check.ts";
import { Stdout } from "../lib/clients/stdio.ts";
import type { ExitCode } from "../lib/core/exit.ts";
import { toggle, type ValuesOf } from "../lib/core/options.ts";
import { Complaints, inputsOf, maxRecord, storedOperands } from "./baldr_inputs.ts";
import { type CommandContext, defineCommand } from "./command.ts";
import { storeReadOptions } from "./store_options.ts";

const options = {
  "json": toggle({ help: "print each result as a line of JSON" }),
  "max-record": maxRecord,
  ...storeReadOptions,
} as const;

/** `sluice baldr check` */
export const baldrCheck = defineCommand({
  name: "baldr check",
  summary: "Prove that .baldr and .baldr.gz files are whole, or say where they are damaged",
  description:
    "Reads every file to its end and verifies the length of each record, the checksum and size at " +
    "the end of gzip data, that nothing is missing and that nothing follows. Prints one line a " +
    "file: ok with the number of records and bytes, or what is wrong, at which byte (of the " +
    "inflated data: where the last whole record ends; and how far the gzip data was read), how " +
    "many records before are whole, and the index of the last one, counted from 0.\n\nWithout " +
    "gzip there is no checksum: a bit that flipped inside a record cannot be seen.\n\nOf files that " +
    "end in .records.gz every record is taken apart as well. A URL is that of an object, or of a " +
    "folder or any beginning of names: all objects below it then.",
  operands: storedOperands,
  options,
  exits: {
    ok: "every file is whole",
    failed: "a file could not be read",
    usage: "an option or a name is wrong",
    unreachable: "a store cannot be reached",
    denied: "a store refuses the credentials",
    corrupt: "a file is cut or damaged",
    interrupted: "stopped by a signal",
  },
  examples: [
    "sluice baldr check *.baldr.gz",
    "sluice baldr check --json 0000000000.baldr.gz | jq .damage",
    "sluice baldr check s3://company-archive/kafka/sluice/orders/",
  ],
  run,
});

async function run(
  values: ValuesOf<typeof options>,
  { operands, world }: CommandContext,
): Promise<ExitCode> {
  const stdout = new Stdout();
  const complaints = new Complaints();
  const opened = await inputsOf(operands, values, world);
  try {
    await check(
      { ...opened, recordBytesMost: values["max-record"], json: values.json },
      (line) => stdout.print(`${line}\n`),
      (error) => complaints.add(error, { isTold: error.fault === "corrupt" }),
    );
  } finally {
    await opened.close();
  }
  return complaints.exit;
}
