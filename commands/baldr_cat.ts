import { cat, catFormats, count } from "../lib/baldr/cat.ts";
import { nameOf } from "../lib/baldr/inputs.ts";
import { Stdout, TerminalGuard } from "../lib/clients/stdio.ts";
import { usageError } from "../lib/core/errors.ts";
import type { ExitCode } from "../lib/core/exit.ts";
import { choice, number, toggle, type ValuesOf } from "../lib/core/options.ts";
import { visible } from "../lib/core/visible.ts";
import {
  Complaints,
  inputsOf,
  maxRecord,
  type OpenedInputs,
  optional,
  storedOperands,
} from "./baldr_inputs.ts";
import { type CommandContext, defineCommand } from "./command.ts";
import { storeReadOptions } from "./store_options.ts";

const options = {
  "format": choice(catFormats, {
    help: "what to make of each record: a line, its bytes alone, a line of JSON, a line of " +
      "hexadecimal digits, or Baldr again (default: lines; JSON is indented on a terminal)",
  }),
  "skip": number({ fallback: 0, help: "leave out so many records at the beginning" }),
  "limit": optional(number({ fallback: 0, help: "print so many records, and read no further" })),
  "count": toggle({ help: "print only how many records there are" }),
  "max-record": maxRecord,
  ...storeReadOptions,
} as const;

type Values = ValuesOf<typeof options>;

/** `sluice baldr cat` */
export const baldrCat = defineCommand({
  name: "baldr cat",
  summary: "Print the records of .baldr and .baldr.gz files",
  description:
    "Prints the records of Baldr files: repeated { 8-byte big-endian signed length, bytes }, " +
    "usually compressed with gzip as a whole, which is seen by its first bytes and not by the " +
    "name.\n\nOf a file that is cut or damaged every whole record before the damage is printed, " +
    "then one line on standard error says where it is, and the next file follows; the exit code " +
    "tells at the end. --skip and --limit count over all files together. --count prints one " +
    "number, or a line for each of several files and a total.\n\n--format jsonl passes records " +
    "that are JSON as they are (on several lines, they lose their white space); other text " +
    'becomes a JSON string, and what is not UTF-8 {"content":"…","charset":"iso-8859-1"}, where ' +
    "every byte is one code point.\n\nFiles that end in .records.gz hold whole records of Kafka. Of " +
    "those --format jsonl and a terminal show offset, timestamp (milliseconds since 1970), key, " +
    'value and headers; text is a string, other bytes are {"base64":"…"}, what is absent is null. All ' +
    "other formats give their values.\n\nOn a terminal no record commands it: control characters but " +
    "line feed and tab are shown, as \\u001b. Pipes and files get the bytes.\n\nA URL is that of an " +
    "object, or of a folder or any beginning of names: all objects below it then, topic by topic, " +
    "partition by partition, by offset.",
  operands: storedOperands,
  options,
  exits: {
    ok: "all records were printed, or the reader of a pipe had enough",
    failed: "a file could not be read; the others were printed",
    usage: "an option or a name is wrong",
    unreachable: "a store cannot be reached",
    denied: "a store refuses the credentials",
    corrupt: "a file is cut or damaged; the whole records before that were printed",
    interrupted: "stopped by a signal",
  },
  examples: [
    "sluice baldr cat 0000000000.baldr.gz | head",
    "sluice baldr cat --format jsonl *.baldr.gz | jq .hostname",
    "sluice baldr cat --count *.baldr.gz",
    "sluice baldr cat --skip 1000 --limit 10 --format baldr big.baldr.gz > ten.baldr",
    "sluice baldr cat --format jsonl s3://company-archive/kafka/sluice/orders/partition=0/ | head",
  ],
  run,
});

async function run(values: Values, { operands, world }: CommandContext): Promise<ExitCode> {
  const stdout = new Stdout();
  if (values.format === "baldr" && stdout.isTerminal) {
    throw usageError("use --format baldr", "Baldr is not for terminals; redirect it to a file");
  }
  if (values.count) refuseChoices(values);
  const opened = await inputsOf(operands, values, world);
  try {
    return values.count
      ? await printCounts(values, opened, stdout)
      : await printRecords(values, opened, stdout);
  } finally {
    await opened.close();
  }
}

async function printRecords(
  values: Values,
  opened: OpenedInputs,
  stdout: Stdout,
): Promise<ExitCode> {
  const isForPeople = values.format === undefined && stdout.isTerminal;
  // Of what is laid out for people each value is made harmless, as the colours are our own.
  const guard = stdout.isTerminal && !isForPeople ? new TerminalGuard(stdout) : undefined;
  const complaints = new Complaints();
  await cat(
    {
      ...opened,
      format: isForPeople ? "pretty" : values.format ?? "lines",
      colours: stdout.takesColours,
      skip: values.skip,
      limit: values.limit,
      recordBytesMost: values["max-record"],
    },
    guard ?? stdout,
    (error) => complaints.add(error),
  );
  await guard?.end();
  return complaints.exit;
}

function refuseChoices({ format, skip, limit }: Values): void {
  if (format !== undefined || skip > 0 || limit !== undefined) {
    throw usageError("use --count with --format, --skip or --limit", "it counts all records");
  }
}

async function printCounts(
  values: Values,
  opened: OpenedInputs,
  stdout: Stdout,
): Promise<ExitCode> {
  const { inputs } = opened;
  const print = (line: string) => stdout.print(`${line}\n`);
  const complaints = new Complaints();
  let total = 0;
  await count(
    { ...opened, recordBytesMost: values["max-record"] },
    async (operand, records) => {
      total += records;
      await print(inputs.length === 1 ? `${records}` : `${records} ${visible(nameOf(operand))}`);
    },
    (error) => complaints.add(error),
  );
  if (inputs.length > 1) await print(`${total} total`);
  return complaints.exit;
}
