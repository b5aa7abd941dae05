import type { ConnectionOptions } from "node:tls";
import { usageError } from "../../core/errors.ts";
import type { TlsPlan } from "./warehouse_url.ts";

/**
 * What to secure a connection with; false for none. Files are read anew for each connection, so that
 * an authority that is replaced is heeded.
 *
 * @throws {SluiceError} `usage` when a file cannot be read.
 */
export async function tlsOptions(plan: TlsPlan): Promise<ConnectionOptions | false> {
  if (plan.mode === "disable") return false;
  const isVerified = plan.mode === "verify-ca" || plan.mode === "verify-full";
  return {
    rejectUnauthorized: isVerified,
    ...(isVerified && plan.rootFile ? { ca: await read("sslrootcert", plan.rootFile) } : {}),
    ...(plan.certFile ? { cert: await read("sslcert", plan.certFile) } : {}),
    ...(plan.keyFile ? { key: await read("sslkey", plan.keyFile) } : {}),
    // An authority is enough: the name need not fit.
    ...(plan.mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
  };
}

async function read(name: string, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (thrown) {
    const detail = "the file cannot be read; correct the URL, or the rights of the file";
    throw usageError(`use ${name}=${path} of the warehouse's URL`, detail, thrown);
  }
}
