import { visible } from "../core/visible.ts";
import type { HeaderVerdict } from "../formats/header_check.ts";
import type { DryDirectory } from "./dry_run.ts";

/** What a dry run says of a directory, in lines. */
export function dryLines(dry: DryDirectory): string[] {
  const { files, loaded, others, textBytes, sql, bad } = dry;
  const open = files.filter((file) => !loaded.has(file));
  const bytes = open.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const size = `${sizeText(bytes)}${
    textBytes === bytes ? "" : `, about ${sizeText(textBytes)} decompressed`
  }`;
  return [
    visible(`${dry.directory || "/"} -> ${dry.table} of ${dry.targetUrl} (${dry.strategy})`),
    `  manifest: ${visible(dry.manifestKey)}`,
    `  ledger: ${dry.hasLedger ? `has ${loaded.size} of these files` : "not there yet"}`,
    `  to load: ${open.length} of ${files.length} files, ${size}`,
    ...files.map((file) =>
      `    ${visible(file.key)}  ${sizeText(file.sizeBytes)}` +
      (loaded.has(file) ? "  is loaded: only deleted" : "")
    ),
    ...(others > 0 ? [`    and ${others} that data-pattern leaves out`] : []),
    ...(dry.header === null ? [] : [`  header: ${headerText(dry.header)}`]),
    ...(bad ?? []).map(({ file, row: { line, column, reason } }) =>
      `  would be moved aside: ${visible(file.key)}${line === null ? "" : `, line ${line}`}` +
      `${column === null ? "" : `, column ${visible(column)}`}: ${visible(reason)}`
    ),
    ...(sql.length === 0 ? [] : ["  sql:", ...sql.map((one) => `    ${indented(one)};`)]),
    "",
  ];
}

function headerText(header: HeaderVerdict): string {
  if (header.kind === "same") return "names the columns";
  if (header.kind === "none") return "the options say that there is none";
  if (header.kind === "unseen") return "not within the first MiB of the first file";
  return `WRONG: ${visible(header.complaint)}`;
}

/** SQL of a manifest may have lines of its own. */
function indented(sql: string): string {
  return sql.trim().replace(/;$/, "").replaceAll("\n", "\n    ");
}

/** A size for people: exact below a KiB, with one digit behind the point above. */
function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  let [size, unit] = [bytes / 1024, 0];
  for (; size >= 1024 && unit < units.length - 1; unit++) size /= 1024;
  return `${size.toFixed(1)} ${units[unit]}`;
}

const units = ["KiB", "MiB", "GiB", "TiB"] as const;
