import { usageError } from "./errors.ts";
import { nearest } from "./nearest.ts";
import {
  envOf,
  flagOf,
  type Option,
  type OptionSpecs,
  valueError,
  type ValuesOf,
} from "./options.ts";

/** Where option values may come from; the first that has one wins: flag, environment, file, default. */
export interface Sources {
  /** What commander read: texts, arrays of texts for a repeated flag, true for a toggle. */
  readonly flags: Readonly<Record<string, string | readonly string[] | boolean>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The keys of the configuration file; empty without one. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The file's path, for messages. */
  readonly configPath?: string;
  /** The names of all commands: `archive verify` has variables that begin like those of `archive`. */
  readonly commands: readonly string[];
  /** Reads the file of a secret. */
  readonly readFile: (path: string) => Promise<string>;
  /** The systemd credential of this name, if the unit has one. */
  readonly credential?: (name: string) => Promise<string | undefined>;
}

/**
 * Settles the value of every option of a command.
 *
 * @throws {SluiceError} `usage` for unknown keys and variables (naming the nearest known one) and for
 * values that cannot be, before anything is opened.
 */
export async function resolveOptions<S extends OptionSpecs>(
  command: string,
  specs: S,
  sources: Sources,
): Promise<ValuesOf<S>> {
  refuseUnknownKeys(specs, sources);
  refuseUnknownVariables(command, specs, sources);
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(specs)) {
    values[name] = option.kind === "secret"
      ? await secretOf(command, name, option, sources)
      : valueOf(command, name, option, sources);
  }
  return values as ValuesOf<S>;
}

function valueOf(
  command: string,
  name: string,
  option: Option<unknown>,
  sources: Sources,
): unknown {
  const flag = sources.flags[name];
  if (flag !== undefined) return read(option, [flag].flat(), `--${name}`);
  const variable = envOf(command, name);
  const written = sources.env[variable];
  if (written !== undefined) return read(option, [written], variable);
  const key = sources.config[name];
  if (key === undefined) return option.fallback;
  return read(option, textsOf(key, name, sources), `${name} in ${sources.configPath}`);
}

function read(option: Option<unknown>, written: readonly unknown[], origin: string): unknown {
  try {
    if (option.kind === "list") return written.flatMap((one) => option.read(String(one)));
    return option.read(String(written.at(-1)));
  } catch (thrown) {
    throw valueError(origin, thrown);
  }
}

/** The texts of a YAML value: a scalar or a list of scalars. */
function textsOf(value: unknown, name: string, { configPath }: Sources): readonly string[] {
  const texts = [value].flat().map((one) =>
    typeof one === "string" || typeof one === "number" || typeof one === "boolean"
      ? String(one)
      : undefined
  );
  const sound = texts.filter((one) => one !== undefined);
  if (sound.length === 0 || sound.length < texts.length) {
    throw usageError(
      `use ${name} in ${configPath}`,
      "give a plain value or a list of plain values",
    );
  }
  return sound;
}

async function secretOf(
  command: string,
  name: string,
  option: Option<unknown>,
  sources: Sources,
): Promise<unknown> {
  const variable = envOf(command, name);
  const value = sources.env[variable];
  const flagFile = sources.flags[`${name}-file`];
  if (flagFile === undefined && value !== undefined) return read(option, [value], variable);
  const file = flagFile ?? sources.env[`${variable}_FILE`] ?? sources.config[`${name}-file`];
  if (file !== undefined) {
    return read(option, [await sources.readFile(String(file))], flagOf(name, option));
  }
  const credential = await sources.credential?.(name);
  return credential === undefined
    ? option.fallback
    : read(option, [credential], `credential ${name}`);
}

function refuseUnknownKeys(specs: OptionSpecs, { config, configPath }: Sources): void {
  const known = Object.entries(specs).map(([name, option]) => flagOf(name, option).slice(2));
  for (const key of Object.keys(config)) {
    if (known.includes(key)) continue;
    if (specs[key]?.kind === "secret") {
      throw usageError(
        `use ${key} in ${configPath}`,
        `a secret does not belong in a configuration file; give ${key}-file with the path of a file that holds it`,
      );
    }
    throw usageError(`use ${key} in ${configPath}`, `there is no such option${hint(key, known)}`);
  }
}

function refuseUnknownVariables(
  command: string,
  specs: OptionSpecs,
  { env, commands }: Sources,
): void {
  const known = Object.entries(specs).flatMap(([name, option]) => {
    const variable = envOf(command, name);
    return option.kind === "secret" ? [variable, `${variable}_FILE`] : [variable];
  });
  const prefix = envOf(command, "");
  const longer = commands.filter((name) => name.startsWith(`${command} `)).map((name) =>
    envOf(name, "")
  );
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith(prefix) || known.includes(variable)) continue;
    if (longer.some((other) => variable.startsWith(other))) continue;
    throw usageError(`use ${variable}`, `there is no such option${hint(variable, known)}`);
  }
}

function hint(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? "; see --help" : `; did you mean ${near}?`;
}
