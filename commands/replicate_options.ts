import { usageError } from "../lib/core/errors.ts";
import {
  choice,
  duration,
  list,
  number,
  text,
  toggle,
  type ValuesOf,
} from "../lib/core/options.ts";
import type { ReplicateSettings, TableChoice } from "../lib/replicate/settings.ts";
import { parseBucket } from "../lib/replicate/staging.ts";
import { wholeNamePattern } from "../lib/replicate/table_choice.ts";
import { daemonOptions } from "./daemon_options.ts";
import { checkDataset, googleOptions, storageOptions } from "./google_options.ts";

const dayMs = 86_400_000;

/** The options of `sluice replicate`; those of one letter are the predecessor's. */
export const replicateOptions = {
  "source-project": text({
    placeholder: "PROJECT",
    letter: "s",
    help: "the project of the source dataset; required",
  }),
  "source-dataset": text({
    placeholder: "DATASET",
    letter: "i",
    help: "the dataset to copy from; required",
  }),
  "destination-project": text({
    placeholder: "PROJECT",
    letter: "p",
    help: "the project to copy into; without it the source's",
  }),
  "destination-dataset": text({
    placeholder: "DATASET",
    letter: "d",
    help: "the dataset to copy into, which has to exist; without it the name of the source's",
  }),
  "table-filter": text({
    placeholder: "REGEX",
    letter: "f",
    fallback: ".*",
    help: "only tables whose whole name matches this",
  }),
  "google-cloud-bucket": text({
    placeholder: "gs://BUCKET",
    letter: "g",
    help: "where extracted files are staged, gs://BUCKET or gs://BUCKET/FOLDER",
  }),
  "destination-bucket": text({
    placeholder: "gs://BUCKET",
    help: "a bucket where the destination is: files are moved there before they are loaded",
  }),
  "number": {
    ...number({
      fallback: 7,
      least: 1,
      most: 1_000_000,
      help: "so many tables at most, the last in order of their names, which is the newest",
    }),
    letter: "n",
  },
  "number-of-agents": {
    ...number({
      fallback: navigator.hardwareConcurrency,
      least: 1,
      most: 500,
      help: "tables that are worked on side by side; the default is the number of processors",
    }),
    letter: "a",
    fallbackText: "",
  },
  "changed": toggle({
    help: "also tables whose source was modified since it was copied; they are replaced whole",
  }),
  "partitions": toggle({
    help: "as --changed, but of partitioned tables only the partitions that changed",
  }),
  "all": toggle({ help: "every table, whether it changed or not; --number still counts" }),
  "include-views": toggle({
    help: "also views, materialized views and routines, with the names in them rewritten",
  }),
  "via": choice(["auto", "copy", "extract"], {
    fallback: "auto",
    help: "copy jobs, files in the bucket, or copy jobs where they will do",
  }),
  "format": choice(["auto", "avro", "ndjson", "parquet"], {
    fallback: "auto",
    help: "of staged files; auto takes by the table's types what brings every value back",
  }),
  "lossy": toggle({ help: "copy also what no format carries exactly" }),
  "verify": choice(["rows", "fingerprint"], {
    fallback: "rows",
    help: "rows are counted; fingerprint compares a hash of every partition by query, which costs",
  }),
  "kms-map": list({
    placeholder: "FROM=TO,...",
    help: "names of Cloud KMS keys of the source, and those to take in the destination",
  }),
  "policy-tag-map": list({
    placeholder: "FROM=TO,...",
    help: "resource names of policy tags and data policies of the source, and of the destination",
  }),
  "row-policy-map": list({
    placeholder: "POLICY=MEMBER,...",
    help: "whom row access policies are granted to, POLICY or TABLE.POLICY once for each member",
  }),
  "retry-for": duration({
    fallback: 600_000,
    most: dayMs,
    help: "how long a table may fail by what may pass before it has failed",
  }),
  "dry-run": toggle({
    help: "tell what would be copied, how, and what would be lost; copy nothing",
  }),
  "clean": toggle({
    help:
      "first and last delete all that runs for these two datasets have staged: when none is running",
  }),
  "json": toggle({ help: "print each table's result, and the sum, as lines of JSON" }),
  "watch": duration({
    fallback: 0,
    most: 30 * dayMs,
    help: "run again and again with this pause, as a daemon; 0 is one run",
  }),
  ...googleOptions,
  ...storageOptions,
  ...daemonOptions,
} as const;

export type ReplicateValues = ValuesOf<typeof replicateOptions>;

/** Checks what was given, before anything is asked of anybody. */
export function replicateSettings(values: ReplicateValues): ReplicateSettings {
  const source = {
    projectId: required(values["source-project"], "--source-project", "PROJECT"),
    datasetId: required(values["source-dataset"], "--source-dataset", "DATASET"),
  };
  const destination = {
    projectId: values["destination-project"] ?? source.projectId,
    datasetId: values["destination-dataset"] ?? source.datasetId,
  };
  checkDataset(source, "source");
  checkDataset(destination, "destination");
  if (source.projectId === destination.projectId && source.datasetId === destination.datasetId) {
    throw usageError(
      `replicate ${source.projectId}.${source.datasetId} into itself`,
      "give another --destination-project or --destination-dataset",
    );
  }
  const bucket = values["google-cloud-bucket"];
  const destinationBucket = values["destination-bucket"];
  if (bucket === undefined && destinationBucket !== undefined) {
    throw usageError("use --destination-bucket", "give --google-cloud-bucket, too");
  }
  if (bucket === undefined && values.via === "extract") {
    throw usageError("use --via extract", "give --google-cloud-bucket gs://BUCKET");
  }
  return {
    source,
    destination,
    filter: filterOf(values["table-filter"]),
    number: values.number,
    choice: choiceOf(values),
    via: values.via,
    bucket: bucket === undefined ? null : parseBucket(bucket, "--google-cloud-bucket"),
    destinationBucket: destinationBucket === undefined
      ? null
      : parseBucket(destinationBucket, "--destination-bucket"),
    format: values.format,
    isLossy: values.lossy,
    includeViews: values["include-views"],
    verify: values.verify,
    kmsMap: mapOf(values["kms-map"], "--kms-map"),
    policyTagMap: mapOf(values["policy-tag-map"], "--policy-tag-map"),
    rowPolicyMap: grantsOf(values["row-policy-map"]),
    agents: values["number-of-agents"],
    patienceMs: values["retry-for"],
  };
}

function required(value: string | undefined, flag: string, placeholder: string): string {
  if (value !== undefined) return value;
  throw usageError("replicate", `give ${flag} ${placeholder}`);
}

function filterOf(pattern: string): RegExp {
  try {
    return wholeNamePattern(pattern);
  } catch (thrown) {
    throw usageError(`read --table-filter "${pattern}"`, "give a regular expression", thrown);
  }
}

function choiceOf({ changed, partitions, all }: ReplicateValues): TableChoice {
  const given = [
    ...changed ? ["changed" as const] : [],
    ...partitions ? ["partitions" as const] : [],
    ...all ? ["all" as const] : [],
  ];
  if (given.length > 1) {
    throw usageError(
      `use ${given.map((one) => `--${one}`).join(" and ")} together`,
      "give one of them",
    );
  }
  return given[0] ?? "missing";
}

function mapOf(pairs: readonly string[], flag: string): ReadonlyMap<string, string> {
  return new Map(pairs.map((pair) => pairOf(pair, flag, "FROM=TO")));
}

function grantsOf(pairs: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const grants = new Map<string, string[]>();
  for (const pair of pairs) {
    const [policy, member] = pairOf(pair, "--row-policy-map", "POLICY=MEMBER");
    if (!/^(?:[A-Za-z]+:.+|allUsers|allAuthenticatedUsers)$/.test(member)) {
      throw usageError(
        `grant the row access policy ${policy} to "${member}"`,
        "say what it is: user:MAIL, group:MAIL, serviceAccount:MAIL, domain:NAME or allUsers",
      );
    }
    grants.set(policy, [...grants.get(policy) ?? [], member]);
  }
  return grants;
}

function pairOf(pair: string, flag: string, form: string): readonly [string, string] {
  const [, from, to] = /^([^=]+)=([^=]+)$/.exec(pair) ?? [];
  if (from === undefined || to === undefined) {
    throw usageError(`read ${flag} "${pair}"`, `give ${form}`);
  }
  return [from, to];
}
