import type { Store } from "../clients/store/store.ts";
import { copyWordsOf } from "../formats/copy_option_words.ts";
import type { Copied } from "./copier.ts";
import type { Manifest } from "./manifest.ts";
import { directoryOf, keyIn, nameOf, rejectedFolder } from "./scan.ts";

/**
 * A manifest whose loads may leave out so many rows: `--max-errors` is a MAXERROR, which counts the
 * first error that fails a load. A manifest that says something itself is left as it is.
 */
export function withMaxErrors(manifest: Manifest, maxErrors: number): Manifest {
  if (maxErrors === 0) return manifest;
  const hasOwn = copyWordsOf(manifest.options.join(" ")).some(({ text, isLiteral }) =>
    !isLiteral && /^(MAXERROR|IGNOREALLERRORS)$/i.test(text)
  );
  if (hasOwn) return manifest;
  return { ...manifest, options: [...manifest.options, `MAXERROR ${maxErrors + 1}`] };
}

/**
 * Writes down which rows of a file a load leaves out, at `_rejected/<load id>/<name>.rows.json`. It is
 * done before the COMMIT that makes it true: rows are never gone without a word. A load that is undone
 * removes the report again; after a crash in between it stays, and its load id is in no ledger.
 *
 * @returns where the report is.
 * @throws {SluiceError} as the store does.
 */
export async function reportLeftOut(
  store: Store,
  loadId: string,
  { file, leftOut, leftOutRows }: Copied,
  nowMs: number,
): Promise<string> {
  const folder = `${rejectedFolder}/${loadId}`;
  const key = keyIn(directoryOf(file.key), `${folder}/${nameOf(file.key)}.rows.json`);
  const report = {
    ...{ file: file.key, etag: file.etag, sizeBytes: file.sizeBytes, loadId },
    reportedAt: new Date(nowMs).toISOString(),
    rowsLeftOut: leftOut,
    rows: leftOutRows,
  };
  const text = `${JSON.stringify(report, null, 2)}\n`;
  await store.put(key, new TextEncoder().encode(text), { contentType: "application/json" });
  return key;
}
