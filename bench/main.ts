// deno-lint-ignore-file no-console -- a benchmark speaks to a person
/** `deno task bench NAME [OPTION...]`: runs one benchmark, or lists them. */

interface Benchmark {
  readonly about: string;
  readonly load: () => Promise<{ run(args: string[]): Promise<void> }>;
}

const benchmarks: Readonly<Record<string, Benchmark>> = {
  "forward": {
    about: "syslog over TCP into Kafka, beside rsyslog's imtcp and omkafka",
    load: () => import("./forward.ts"),
  },
  "reporting": {
    about: "forward-syslog that reports its metrics, beside itself without",
    load: () => import("./reporting.ts"),
  },
  "archive": {
    about: "topics of Kafka into gzip files, beside kcat | gzip -6",
    load: () => import("./archive.ts"),
  },
  "baldr": {
    about: "baldr cat, beside zcat",
    load: () => import("./baldr.ts"),
  },
  "query": {
    about: "a million rows to CSV, beside psql --csv",
    load: () => import("./query.ts"),
  },
  "ingest": {
    about: "gzip CSV from S3 merged into PostgreSQL, beside curl | gunzip | psql \\copy",
    load: () => import("./ingest.ts"),
  },
  "replicate": {
    about: "1,000 tables of BigQuery: requests, memory, and 16 agents beside one",
    load: () => import("./replicate.ts"),
  },
  "directories": {
    about: "ingest's polls over 10,000 directories: time, requests, memory",
    load: () => import("./directories.ts"),
  },
  "syslog-format": {
    about: "framing, parsing and encoding of syslog lines alone",
    load: () => import("./syslog_format.ts"),
  },
};

const [name = "", ...args] = Deno.args;
const benchmark = benchmarks[name];
if (benchmark === undefined) {
  console.error("Usage: deno task bench NAME [--quick]\n");
  for (const [name, { about }] of Object.entries(benchmarks)) {
    console.error(`  ${name.padEnd(15)} ${about}`);
  }
  Deno.exit(2);
}
await (await benchmark.load()).run(args);
