import { type AuthClient, signIn } from "../lib/clients/google_auth.ts";
import { usageError } from "../lib/core/errors.ts";
import { text, type ValuesOf } from "../lib/core/options.ts";
import type { Dataset } from "../lib/replicate/settings.ts";

/** Who to be for Google; application default credentials without any of these. */
export const googleOptions = {
  "credentials-file": text({
    placeholder: "FILE",
    help: "the JSON file of a service account; without it application default credentials",
  }),
  "impersonate": text({
    placeholder: "ACCOUNT",
    help: "act as this service account, by its e-mail address",
  }),
  "bigquery-endpoint": text({
    placeholder: "URL",
    help: "another BigQuery than Google's, without credentials; also BIGQUERY_EMULATOR_HOST",
  }),
} as const;

/** Where staged files are, besides {@linkcode googleOptions}. */
export const storageOptions = {
  "storage-endpoint": text({
    placeholder: "URL",
    help: "another Cloud Storage than Google's, without credentials; also STORAGE_EMULATOR_HOST",
  }),
} as const;

/**
 * Checks the names, before anything is asked for.
 *
 * @param which whose they are, for the message: `source`.
 * @throws {SluiceError} `usage`
 */
export function checkDataset({ projectId, datasetId }: Dataset, which?: string): void {
  const of = which === undefined ? "" : `${which} `;
  if (!/^[a-z0-9][a-z0-9.:-]{0,100}$/.test(projectId)) {
    throw usageError(`use the ${of}project "${projectId}"`, "give a project's id");
  }
  if (!/^[\p{L}\p{N}_-]{1,1024}$/u.test(datasetId)) {
    throw usageError(
      `use the ${of}dataset "${datasetId}"`,
      "give its id without the project: letters, digits and underscores",
    );
  }
}

/** The credentials, looked for once and only when a service of Google's is asked. */
export class GoogleLogin {
  #auth: Promise<AuthClient> | undefined;

  constructor(private readonly values: ValuesOf<typeof googleOptions>) {}

  /** What to open a client with. */
  async options(
    endpoint: string | undefined,
    variable: string,
  ): Promise<{ readonly auth?: AuthClient; readonly endpoint?: string }> {
    if (endpoint !== undefined) return { endpoint };
    if (Deno.env.get(variable) !== undefined) return {};
    const { "credentials-file": keyFile, impersonate } = this.values;
    this.#auth ??= signIn({
      ...(keyFile === undefined ? {} : { keyFile }),
      ...(impersonate === undefined ? {} : { impersonate }),
    });
    return { auth: await this.#auth };
  }
}
