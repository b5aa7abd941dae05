import assert from "node:assert/strict";
import type { RowAccessPolicy, TableResource } from "../../lib/clients/bigquery/bigquery.ts";
import { carryAccess } from "../../lib/replicate/access.ts";
import { CopyQuota } from "../../lib/replicate/copy_quota.ts";
import { chooseWay } from "../../lib/replicate/way_choice.ts";
import { settingsOf } from "./rig.ts";

const tag = "projects/p/locations/us/taxonomies/1/policyTags/2";
const euTag = "projects/p/locations/eu/taxonomies/3/policyTags/4";
const key = "projects/p/locations/us/keyRings/r/cryptoKeys/k";

function table(more: Partial<TableResource> = {}): TableResource {
  return {
    etag: "e",
    type: "TABLE",
    tableReference: { projectId: "p1", datasetId: "web", tableId: "t" },
    schema: { fields: [{ name: "a", type: "STRING" }] },
    ...more,
  };
}

const tagged = table({
  schema: {
    fields: [{
      name: "r",
      type: "RECORD",
      fields: [{ name: "a", type: "STRING", policyTags: { names: [tag] } }],
    }],
  },
});

const policy: RowAccessPolicy = {
  rowAccessPolicyReference: {
    projectId: "p1",
    datasetId: "web",
    tableId: "t",
    policyId: "eu_only",
  },
  filterPredicate: "country = 'DE'",
};

function maps(more: Partial<ReturnType<typeof settingsOf>> = {}) {
  return settingsOf(more);
}

Deno.test("carryAccess() keeps policy tags within a location, and maps or refuses them across", () => {
  assert.deepEqual(carryAccess(tagged, [], maps(), true).fields, tagged.schema?.fields);
  const refused = carryAccess(tagged, [], maps(), false);
  assert.match(refused.refusals.join(), /column a: its policy tag projects\/p.*--policy-tag-map/);
  const mapped = carryAccess(tagged, [], maps({ policyTagMap: new Map([[tag, euTag]]) }), false);
  assert.deepEqual(mapped.refusals, []);
  assert.deepEqual(mapped.fields[0]?.fields?.[0]?.policyTags?.names, [euTag]);
  assert.ok(mapped.isGuarded);
});

Deno.test("carryAccess() maps data policies, too", () => {
  const source = table({
    schema: { fields: [{ name: "a", type: "STRING", dataPolicies: [{ name: "us/mask" }] }] },
  });
  assert.equal(carryAccess(source, [], maps(), false).refusals.length, 1);
  const mapped = carryAccess(
    source,
    [],
    maps({ policyTagMap: new Map([["us/mask", "eu/mask"]]) }),
    false,
  );
  assert.deepEqual(mapped.fields[0]?.dataPolicies, [{ name: "eu/mask" }]);
});

Deno.test("carryAccess() refuses row access policies unless it is told whom they are granted to", () => {
  const refused = carryAccess(table(), [policy], maps(), true);
  assert.match(
    refused.refusals.join(),
    /row access policy eu_only.*--row-policy-map eu_only=MEMBER/,
  );
  for (const name of ["eu_only", "t.eu_only"]) {
    const rowPolicyMap = new Map([[name, ["group:a@x", "user:b@x"]]]);
    const told = carryAccess(table(), [policy], maps({ rowPolicyMap }), true);
    assert.deepEqual(told.refusals, []);
    assert.deepEqual(told.rowPolicies, [{
      policyId: "eu_only",
      filterPredicate: "country = 'DE'",
      grantees: ["group:a@x", "user:b@x"],
    }]);
  }
});

Deno.test("carryAccess() takes keys along by --kms-map, and refuses those of another location", () => {
  const source = table({ encryptionConfiguration: { kmsKeyName: `${key}/cryptoKeyVersions/7` } });
  assert.equal(carryAccess(source, [], maps(), true).kmsKeyName, key);
  assert.match(carryAccess(source, [], maps(), false).refusals.join(), /--kms-map/);
  const told = carryAccess(source, [], maps({ kmsMap: new Map([[key, "eu-key"]]) }), false);
  assert.deepEqual([told.kmsKeyName, told.refusals], ["eu-key", []]);
  assert.equal(carryAccess(table(), [], maps(), false).kmsKeyName, null);
});

function wayOf(
  source: TableResource,
  more: Partial<ReturnType<typeof settingsOf>>,
  isSameLocation: boolean,
  policies: readonly RowAccessPolicy[] = [],
): string {
  const settings = maps({ rowPolicyMap: new Map([["eu_only", ["user:a"]]]), ...more });
  const access = carryAccess(source, policies, settings, isSameLocation);
  const quota = new CopyQuota(() => 0);
  const choice = chooseWay(source, access, { settings, isSameLocation, quota });
  return "refused" in choice ? `refused: ${choice.refused}` : `${choice.way} ${choice.format}`;
}

Deno.test("chooseWay() never lets a guarded table be without its guards for a moment", () => {
  const policyTagMap = new Map([[tag, euTag]]);
  assert.equal(wayOf(table(), {}, true), "copy avro");
  assert.equal(wayOf(tagged, {}, true), "copy avro");
  assert.equal(wayOf(tagged, { policyTagMap }, true), "extract avro");
  assert.equal(wayOf(tagged, { policyTagMap }, false), "extract avro");
  assert.equal(wayOf(table(), {}, true, [policy]), "extract avro");
  const byLoading = table({ timePartitioning: { type: "DAY" } });
  assert.match(wayOf(byLoading, {}, true, [policy]), /^refused: .*without them for a moment/);
  assert.match(wayOf(tagged, { policyTagMap, via: "copy" }, false), /^refused: .*--via extract/);
  assert.match(
    wayOf(tagged, { policyTagMap, bucket: null }, false),
    /^refused: .*--google-cloud-bucket/,
  );
});

Deno.test("CopyQuota counts a day, stops at refusals, and tells locations from tables", () => {
  let nowMs = 0;
  const quota = new CopyQuota(() => nowMs);
  for (let i = 0; i < 1_999; i++) quota.begun();
  assert.ok(quota.mayTryAcross());
  quota.begun();
  assert.ok(!quota.mayTryAcross());
  nowMs += 86_400_001;
  assert.ok(quota.mayTryAcross());
  quota.done();
  // One table's trouble, once others have gone through.
  quota.refused("invalid");
  assert.ok(quota.mayTryAcross());
  quota.refused("quotaExceeded");
  assert.ok(!quota.mayTryAcross());
  nowMs += 3_600_000;
  assert.ok(quota.mayTryAcross());
  const other = new CopyQuota(() => 0);
  other.refused("invalid");
  assert.ok(!other.mayTryAcross());
});
