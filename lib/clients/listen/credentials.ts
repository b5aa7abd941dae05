import { SluiceError } from "../../core/errors.ts";
import { troubleWithAuthorities, troubleWithChain, troubleWithKey } from "../../formats/pem.ts";

/** The files of a TLS server, PEM. */
export interface TlsFiles {
  readonly certPath: string;
  readonly keyPath: string;
  /** Who signs client certificates; when given, clients without one of theirs are turned away. */
  readonly clientCaPath?: string;
}

/** What is in the files, as node:tls takes it. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

/**
 * Reads and proves the files: without that, bad ones would only be noticed by the clients.
 *
 * @throws {SluiceError} `permanent` for a file that cannot be read or used.
 */
export async function readCredentials(files: TlsFiles): Promise<Credentials> {
  const { certPath, keyPath, clientCaPath } = files;
  const cert = await readPem(certPath, "certificate", troubleWithChain);
  const key = await readPem(keyPath, "private key", (text) => troubleWithKey(text, cert));
  if (clientCaPath === undefined) return { cert, key };
  return { cert, key, ca: await readPem(clientCaPath, "client CA", troubleWithAuthorities) };
}

async function readPem(
  path: string,
  what: string,
  troubleWith: (text: string) => string | undefined,
): Promise<string> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (thrown) {
    throw new SluiceError(`read ${what} ${path}`, "permanent", whyNot(thrown), { cause: thrown });
  }
  const trouble = troubleWith(text);
  if (trouble === undefined) return text;
  throw new SluiceError(`use ${what} ${path}`, "permanent", `it ${trouble}`);
}

function whyNot(thrown: unknown): string {
  if (thrown instanceof Deno.errors.NotFound) return "there is no such file";
  if (thrown instanceof Deno.errors.PermissionDenied) return "this user may not";
  return thrown instanceof Error ? thrown.message : String(thrown);
}
