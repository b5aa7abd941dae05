import type { Store, StoredObject } from "../clients/store/store.ts";
import type { Session } from "../clients/warehouse/warehouse.ts";
import { quoteLiteral } from "../formats/sql_text.ts";
import { type Access, accessTo, censored } from "./redshift_access.ts";
import type { Manifest } from "./manifest.ts";
import { addedOptions, optionText, plainOptions, readOptions } from "./redshift_options.ts";
import { type RedshiftRoom, urlOf } from "./redshift_room.ts";
import { copyRedshiftSql, type SqlPlan } from "./sql_load.ts";

/** What COPY is to read, and how. */
export interface CopyOf {
  readonly urls: readonly string[];
  /** Of columnar files. */
  readonly sizes?: readonly number[];
  readonly isNumbered?: boolean;
  readonly isDry?: boolean;
}

/** Makes and runs the COPY statements of a load. */
export class RedshiftCopy {
  #count = 0;

  constructor(
    private readonly session: Session,
    private readonly plan: SqlPlan,
    private readonly manifest: Pick<Manifest, "options">,
    private readonly store: Store,
    private readonly role: string | undefined,
  ) {}

  /** The files as COPY reads them. */
  filesOf(files: readonly StoredObject[]): CopyOf {
    const urls = files.map(({ key }) => urlOf(this.store, key));
    const { format } = readOptions(this.manifest.options);
    if (format !== "columnar") return { urls };
    return { urls, sizes: files.map(({ sizeBytes }) => sizeBytes) };
  }

  /**
   * Writes the list of files and runs COPY.
   *
   * @throws {SluiceError} of the store; what the server says, without keys.
   */
  async run(room: RedshiftRoom, what: CopyOf): Promise<void> {
    const url = await room.putManifest(`${++this.#count}.manifest`, what.urls, what.sizes);
    // Keys may be temporary: they are asked for anew each time.
    const access = await accessTo(this.store, this.role);
    try {
      await this.session.execute(this.#text(url, access.clause.reveal(), what));
    } catch (thrown) {
      throw new CopyFailure(thrown, access);
    }
  }

  /** The statement for people. */
  async shown(room: RedshiftRoom, what: CopyOf): Promise<string> {
    const { shown } = await accessTo(this.store, this.role);
    return this.#text(room.urlOf("1.manifest"), shown, what);
  }

  #text(url: string, access: string, { isNumbered = false, isDry = false }: CopyOf): string {
    const options = isNumbered ? plainOptions(this.manifest.options) : this.manifest.options;
    return [
      `${copyRedshiftSql(this.plan, isNumbered)} FROM ${this.#literal(url)} ${access}`,
      optionText(options),
      `MANIFEST ${addedOptions(options)}`,
      ...(isDry ? ["NOLOAD"] : []),
    ].filter((one) => one !== "").join(" ").trim();
  }

  #literal(url: string): string {
    return quoteLiteral(url, "redshift");
  }
}

/** A COPY that was refused; the server's words may hold keys, so they stay in here. */
export class CopyFailure extends Error {
  constructor(readonly thrown: unknown, private readonly access: Access) {
    super("COPY has failed");
  }

  /** For everybody's eyes. */
  get shown(): unknown {
    return censored(this.thrown, this.access);
  }
}
