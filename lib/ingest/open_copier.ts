import { type Copier, type CopierTools, PostgresCopier } from "./copier.ts";
import { RedshiftCopier } from "./redshift_copier.ts";

/**
 * The copier for the kind of warehouse of a plan.
 *
 * @throws {SluiceError} `usage` for options that cannot be honoured there.
 */
export function openCopier(tools: CopierTools): Copier {
  return tools.plan.kind === "redshift" ? new RedshiftCopier(tools) : new PostgresCopier(tools);
}
