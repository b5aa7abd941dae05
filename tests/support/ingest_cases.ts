import { mergeCases } from "./ingest_cases_merge.ts";
import { orderCases } from "./ingest_cases_order.ts";
import { tableCases } from "./ingest_cases_tables.ts";
import { textCases } from "./ingest_cases_text.ts";
import type { IngestCase } from "./ingest_cases_type.ts";
import { valueCases } from "./ingest_cases_values.ts";

/** The ways to use ingest that have to come to the same on every target. */
export const ingestCases: readonly IngestCase[] = [
  ...mergeCases,
  ...orderCases,
  ...tableCases,
  ...textCases,
  ...valueCases,
];
