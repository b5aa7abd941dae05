import type { Dataset } from "./settings.ts";

interface ForeignKey {
  readonly name?: string;
  readonly referencedTable?: {
    readonly projectId?: string;
    readonly datasetId?: string;
    readonly tableId?: string;
  };
  readonly [other: string]: unknown;
}

/** As tables.get gives them. */
interface Constraints {
  readonly primaryKey?: unknown;
  readonly foreignKeys?: readonly ForeignKey[];
}

/**
 * The constraints that a copy can have from its beginning: the primary key. Foreign keys come when all
 * tables are there ({@linkcode foreignKeyPatch}).
 */
export function primaryKeyOf(constraints: unknown): { readonly tableConstraints?: unknown } {
  const { primaryKey } = (constraints ?? {}) as Constraints;
  return primaryKey === undefined ? {} : { tableConstraints: { primaryKey } };
}

/** The foreign keys of a table: those to tables of its own dataset, and others. */
export function foreignKeysOf(constraints: unknown, own: Dataset): {
  readonly own: readonly ForeignKey[];
  readonly foreign: readonly { readonly name: string; readonly table: string }[];
} {
  const { foreignKeys = [] } = (constraints ?? {}) as Constraints;
  const isOwn = ({ referencedTable: to }: ForeignKey) =>
    to?.projectId === own.projectId && to.datasetId === own.datasetId;
  return {
    own: foreignKeys.filter(isOwn),
    foreign: foreignKeys.filter((key) => !isOwn(key)).map(({ name, referencedTable: to }) => ({
      name: name ?? "without a name",
      table: `${to?.projectId}.${to?.datasetId}.${to?.tableId}`,
    })),
  };
}

/** All constraints of a copy, for tables.patch once its neighbours are there; null without any foreign key. */
export function foreignKeyPatch(
  constraints: unknown,
  { source, destination }: { readonly source: Dataset; readonly destination: Dataset },
): Record<string, unknown> | null {
  const { primaryKey } = (constraints ?? {}) as Constraints;
  const foreignKeys = foreignKeysOf(constraints, source).own.map((key) => ({
    ...key,
    referencedTable: {
      projectId: destination.projectId,
      datasetId: destination.datasetId,
      tableId: key.referencedTable?.tableId ?? "",
    },
  }));
  if (foreignKeys.length === 0) return null;
  return {
    tableConstraints: { ...(primaryKey === undefined ? {} : { primaryKey }), foreignKeys },
  };
}
