import type { FieldSchema, RowAccessPolicy, TableResource } from "../clients/bigquery/bigquery.ts";
import type { ReplicateSettings } from "./settings.ts";
import { eachField, mapFields } from "./table_schema.ts";

/** What guards a table, as the destination has it. */
export interface Access {
  readonly fields: readonly FieldSchema[];
  readonly rowPolicies: readonly RowPolicy[];
  /** Null: Google's own key. */
  readonly kmsKeyName: string | null;
  /** Policy tags, data policies or row access policies: there must be no moment without them. */
  readonly isGuarded: boolean;
  /** What has no counterpart in the destination, a sentence each: a copy would be a leak. */
  readonly refusals: readonly string[];
}

/** A row access policy to be made in the destination. */
export interface RowPolicy {
  readonly policyId: string;
  readonly filterPredicate: string;
  readonly grantees: readonly string[];
}

type Maps = Pick<ReplicateSettings, "kmsMap" | "policyTagMap" | "rowPolicyMap">;

/**
 * Carries over what guards a table. Policy tags, data policies and keys belong to a location: within one
 * they are kept, into another one the maps have to name their counterparts. Who is granted a row access
 * policy cannot be read, so it has to be told.
 */
export function carryAccess(
  source: TableResource,
  policies: readonly RowAccessPolicy[],
  maps: Maps,
  isSameLocation: boolean,
): Access {
  const refusals: string[] = [];
  const mapped = (what: string, name: string): string => {
    const found = maps.policyTagMap.get(name);
    if (found === undefined && !isSameLocation) {
      refusals.push(`${what} ${name} has no counterpart; name it with --policy-tag-map`);
    }
    return found ?? name;
  };
  const fields = mapFields(source.schema?.fields ?? [], (field) => guardedField(field, mapped));
  const rowPolicies = policies.map((policy) =>
    rowPolicyOf(source.tableReference.tableId, policy, maps, refusals)
  );
  const isGuarded = policies.length > 0 ||
    [...eachField(source.schema?.fields ?? [])].some(({ field }) => isGuardedField(field));
  const kmsKeyName = keyOf(source, maps, isSameLocation, refusals);
  return { fields, rowPolicies, kmsKeyName, isGuarded, refusals };
}

function isGuardedField({ policyTags, dataPolicies }: FieldSchema): boolean {
  return (policyTags?.names ?? []).length > 0 || (dataPolicies ?? []).length > 0;
}

function guardedField(
  field: FieldSchema,
  mapped: (what: string, name: string) => string,
): FieldSchema {
  if (!isGuardedField(field)) return field;
  const { policyTags, dataPolicies, ...plain } = field;
  const names = (policyTags?.names ?? [])
    .map((name) => mapped(`column ${field.name}: its policy tag`, name));
  const policies = (dataPolicies ?? []).map((policy) => {
    const { name, ...more } = policy as { readonly name?: unknown };
    return { ...more, name: mapped(`column ${field.name}: its data policy`, String(name ?? "")) };
  });
  return {
    ...plain,
    ...(names.length > 0 ? { policyTags: { names } } : {}),
    ...(policies.length > 0 ? { dataPolicies: policies } : {}),
  };
}

function rowPolicyOf(
  tableId: string,
  { rowAccessPolicyReference: { policyId }, filterPredicate, grantees }: RowAccessPolicy,
  { rowPolicyMap }: Maps,
  refusals: string[],
): RowPolicy {
  const given = rowPolicyMap.get(`${tableId}.${policyId}`) ?? rowPolicyMap.get(policyId) ??
    grantees ?? [];
  if (given.length === 0) {
    refusals.push(
      `its row access policy ${policyId} cannot be carried without knowing whom it is granted to; ` +
        `name them with --row-policy-map ${policyId}=MEMBER`,
    );
  }
  return { policyId, filterPredicate, grantees: given };
}

function keyOf(
  { encryptionConfiguration }: TableResource,
  { kmsMap }: Maps,
  isSameLocation: boolean,
  refusals: string[],
): string | null {
  const key = encryptionConfiguration?.kmsKeyName ?? "";
  if (key === "") return null;
  // The resource names the version in use, tables.insert takes the key.
  const name = key.replace(/\/cryptoKeyVersions\/[^/]+$/, "");
  const found = kmsMap.get(key) ?? kmsMap.get(name);
  if (found !== undefined) return found;
  if (!isSameLocation) {
    refusals.push(`its key ${name} is of another location; name its counterpart with --kms-map`);
  }
  return name;
}
