import type { FieldSchema } from "../clients/bigquery/bigquery.ts";

const oldNames: Readonly<Record<string, string>> = {
  INT64: "INTEGER",
  FLOAT64: "FLOAT",
  BOOL: "BOOLEAN",
  STRUCT: "RECORD",
};

/** The type as the API names it, whichever of its two names was given. */
export function typeOf({ type }: FieldSchema): string {
  const name = type.toUpperCase();
  return oldNames[name] ?? name;
}

/** Every field of a schema, records before what is in them, with its path: `a.b`. */
export function* eachField(
  fields: readonly FieldSchema[],
  above = "",
): Generator<{ readonly path: string; readonly field: FieldSchema }> {
  for (const field of fields) {
    const path = `${above}${field.name}`;
    yield { path, field };
    yield* eachField(field.fields ?? [], `${path}.`);
  }
}

/** The same fields, each changed, from within outwards. */
export function mapFields(
  fields: readonly FieldSchema[],
  change: (field: FieldSchema) => FieldSchema,
): FieldSchema[] {
  return fields.map((field) =>
    change(
      field.fields === undefined ? field : { ...field, fields: mapFields(field.fields, change) },
    )
  );
}

/** Whether rows of the one fit the other: the same names, types and modes in the same order. */
export function isSameShape(one: readonly FieldSchema[], other: readonly FieldSchema[]): boolean {
  return one.length === other.length && one.every((field, i) => {
    const there = other[i];
    return there !== undefined && shapeOf(field) === shapeOf(there) &&
      isSameShape(field.fields ?? [], there.fields ?? []);
  });
}

function shapeOf(field: FieldSchema): string {
  const { name, mode = "NULLABLE", maxLength, precision, scale, rangeElementType } = field;
  return JSON.stringify([
    ...[name, typeOf(field), mode, maxLength ?? "", precision ?? "", scale ?? ""],
    rangeElementType?.type ?? "",
  ]);
}
