/** The rows that a relation may point to, by name. */

import { useCallback } from "react";
import { api } from "./api/client";
import { entities } from "./entities";
import { useI18n } from "./i18n";
import type { EntityModel, Row } from "./model";
import { useRemote } from "./remote";

/** How many rows a person is given to choose from: the API's largest page. */
const MOST = 100;
/** A list of twenty rows asks for the same names twenty times at once: one answer serves them all. */
const FRESH_MS = 2000;

const recent = new Map<string, { at: number; rows: Promise<Row[]> }>();

function rowsOf(entity: EntityModel): Promise<Row[]> {
  const known = recent.get(entity.name);
  if (known && Date.now() - known.at < FRESH_MS) return known.rows;
  const rows = api.list(entity.path, { size: MOST }).then((page) => page.items);
  recent.set(entity.name, { at: Date.now(), rows });
  rows.catch(() => recent.delete(entity.name));
  return rows;
}

export function useChoices(target: string): { id: string; name: string }[] {
  const { compare } = useI18n();
  const entity = entities[target];
  const load = useCallback(() => (entity ? rowsOf(entity) : Promise.resolve([])), [entity]);
  const { data = [] } = useRemote(load);
  return data
    .map((row) => ({ id: row.id, name: String(row[entity?.display ?? "id"] ?? row.id) }))
    .toSorted((left, right) => compare(left.name, right.name));
}
