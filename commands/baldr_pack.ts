import { inputNames } from "../lib/baldr/inputs.ts";
import { pack, packInputs, type PackPlan } from "../lib/baldr/pack.ts";
import { createFile, findFile } from "../lib/clients/file.ts";
import { Gzip } from "../lib/clients/gzip.ts";
import { stdinIsTerminal, Stdout } from "../lib/clients/stdio.ts";
import type { ByteSink } from "../lib/core/bytes.ts";
import { SluiceError, usageError } from "../lib/core/errors.ts";
import { Exit, type ExitCode } from "../lib/core/exit.ts";
import { choice, number, text, toggle, type ValuesOf } from "../lib/core/options.ts";
import { maxRecord, operands, optional } from "./baldr_inputs.ts";
import { type CommandContext, defineCommand } from "./command.ts";

const options = {
  "output": text({
    placeholder: "FILE",
    fallback: "-",
    help: "the file to make, compressed if its name ends in .gz; - is standard output",
  }),
  "input": choice(packInputs, {
    fallback: "lines",
    help: "what a record is: a line, what ends with a NUL byte, or what has its length before it",
  }),
  "gzip": toggle({ help: "compress, whatever the output is called" }),
  "level": optional(
    number({ fallback: 6, least: 0, most: 9, help: "gzip level: 0 stores, 9 is smallest" }),
    "6",
  ),
  "force": toggle({ help: "replace the output file if there is one" }),
  "max-record": maxRecord,
} as const;

type Values = ValuesOf<typeof options>;

/** `sluice baldr pack` */
export const baldrPack = defineCommand({
  name: "baldr pack",
  summary: "Make a .baldr or .baldr.gz file of lines or other records",
  description:
    "Writes the records of all inputs into one Baldr file. The file appears when it is whole and " +
    "on disk; before that, and whenever something goes wrong, there is no file or the one from " +
    "before.\n\n--input lines: the end of a file ends its last line too; an empty line is an empty " +
    "record; all bytes are kept, a CR before the LF included. --input nul: the same with NUL bytes, " +
    "for records with line feeds in them. --input length: the input is Baldr already and is " +
    "verified. Inputs compressed with gzip are inflated.",
  operands,
  options,
  exits: {
    ok: "the file is written",
    failed: "an input could not be read, or the file not be written",
    usage: "an option or a name is wrong",
    corrupt: "an input is cut or damaged; no file was written",
    interrupted: "stopped by a signal; no file was written",
  },
  examples: [
    "sluice baldr pack --output app.baldr.gz app.log",
    "find . -type f -print0 | sluice baldr pack --input nul --output names.baldr",
    "sluice baldr pack --input length --level 9 --output all.baldr.gz a.baldr.gz b.baldr.gz",
  ],
  run,
});

async function run(values: Values, { operands, abort }: CommandContext): Promise<ExitCode> {
  const { output, level } = values;
  const inputs = inputNames(operands, { stdinIsTerminal: stdinIsTerminal() });
  const plan = { inputs, input: values.input, recordBytesMost: values["max-record"] };
  const compress = values.gzip || output.endsWith(".gz");
  if (level !== undefined && !compress) {
    throw usageError("use --level", "nothing is compressed; add --gzip, or call the output .gz");
  }
  const gzipLevel = compress ? level ?? 6 : undefined;
  if (output === "-") {
    const stdout = new Stdout();
    if (stdout.isTerminal) {
      throw usageError("write to a terminal", "Baldr is binary; give --output FILE or redirect it");
    }
    await packTo(stdout, plan, gzipLevel, () => !stdout.isClosed);
    return Exit.ok;
  }
  const draft = await createFile(await placeOf(output, values.force));
  abort.addEventListener("abort", () => draft.discard());
  try {
    await packTo(draft, plan, gzipLevel);
    await draft.commit();
  } finally {
    draft.discard();
  }
  return Exit.ok;
}

async function packTo(
  sink: ByteSink,
  plan: PackPlan,
  gzipLevel: number | undefined,
  isWanted?: () => boolean,
): Promise<void> {
  if (gzipLevel === undefined) {
    await pack(plan, sink, isWanted);
    return;
  }
  const gzip = new Gzip(sink, gzipLevel);
  try {
    await pack(plan, gzip, isWanted);
    await gzip.finish();
  } finally {
    gzip.close();
  }
}

/** Where the output goes: what is there may be in the way. */
async function placeOf(output: string, force: boolean): Promise<string> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(output)) {
    throw usageError(`write ${output}`, "only files and - (standard output) can be written");
  }
  const found = await findFile(output);
  if (found === undefined) return output;
  if (!found.isFile) {
    throw new SluiceError(`write ${output}`, "permanent", "it is there, and no ordinary file");
  }
  if (!force) {
    throw new SluiceError(`write ${output}`, "permanent", "it exists; --force replaces it");
  }
  return found.path;
}
