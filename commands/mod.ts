import type { Command } from "./command.ts";

/** A command as the table knows it: enough for the list in `sluice --help`, the rest when it is used. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  /** Loads the command's own file, and with it the libraries that it needs. */
  readonly load: () => Promise<Command>;
}

/** Every command of sluice, in the order of the help page. */
export const commands: readonly CommandEntry[] = [
  {
    name: "forward-syslog",
    summary: "Take syslog over TCP, TLS, RELP, UDP or a Unix socket into Kafka",
    load: async () => (await import("./forward_syslog.ts")).forwardSyslog,
  },
  {
    name: "archive",
    summary: "Write every topic of Kafka to S3 or a folder, each record exactly once",
    load: async () => (await import("./archive.ts")).archive,
  },
  {
    name: "archive verify",
    summary: "Prove that an archive is whole and without gaps, or say what is wrong where",
    load: async () => (await import("./archive_verify.ts")).archiveVerify,
  },
  {
    name: "archive ls",
    summary: "List what an archive holds: topics, partitions, offsets, sizes",
    load: async () => (await import("./archive_ls.ts")).archiveLs,
  },
  {
    name: "archive restore",
    summary: "Write archived records back into Kafka",
    load: async () => (await import("./archive_restore.ts")).archiveRestore,
  },
  {
    name: "ingest",
    summary:
      "Load files that are dropped in S3 or a folder into PostgreSQL or Redshift, exactly once",
    load: async () => (await import("./ingest.ts")).ingest,
  },
  {
    name: "replicate",
    summary:
      "Copy tables of a BigQuery dataset into another project or location, and keep it in step",
    load: async () => (await import("./replicate.ts")).replicate,
  },
  {
    name: "materialize",
    summary: "Write the result of a query into a BigQuery table",
    load: async () => (await import("./materialize.ts")).materialize,
  },
  {
    name: "query",
    summary:
      "Ask PostgreSQL, Redshift or PGlite: a prompt, or SQL in and CSV or another format out",
    load: async () => (await import("./query.ts")).query,
  },
  {
    name: "baldr cat",
    summary: "Print the records of .baldr and .baldr.gz files",
    load: async () => (await import("./baldr_cat.ts")).baldrCat,
  },
  {
    name: "baldr pack",
    summary: "Make a .baldr or .baldr.gz file of lines or other records",
    load: async () => (await import("./baldr_pack.ts")).baldrPack,
  },
  {
    name: "baldr check",
    summary: "Prove that .baldr and .baldr.gz files are whole, or say where they are damaged",
    load: async () => (await import("./baldr_check.ts")).baldrCheck,
  },
  {
    name: "completion",
    summary: "Print what makes bash, zsh or fish complete sluice's commands and options",
    load: async () => (await import("./completion.ts")).completion,
  },
];
