import { type AuthClient, signIn } from "../lib/clients/google_auth.ts";
import { text, type ValuesOf } from "../lib/core/options.ts";

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
