/** The rows that a relation may point to, by name. */

import { useCallback, useState } from "react";
import { api } from "./api/client";
import { entities } from "./entities";
import { useI18n } from "./i18n";
import type { EntityModel, Row } from "./model";
import { useRemote } from "./remote";

/** The API's largest page, and how many of them a person is given to choose from. */
const SIZE = 100;
const PAGES = 10;
/** A list of twenty rows asks for the same names twenty times at once: one answer serves them all. */
const FRESH_MS = 2000;

interface Found {
  rows: Row[];
  /** How many there are in all. */
  total: number;
}

const NOTHING: Found = { rows: [], total: 0 };
export const recent = new Map<string, { at: number; found: Promise<Found> }>();

async function load(entity: EntityModel): Promise<Found> {
  const { items, total, pages } = await api.list(entity.path, { size: SIZE });
  const rest = Array.from({ length: Math.min(pages, PAGES) - 1 }, (_, index) => api.list(entity.path, { size: SIZE, page: index + 2 }));
  return { rows: [...items, ...(await Promise.all(rest)).flatMap((page) => page.items)], total };
}

function rowsOf(entity: EntityModel): Promise<Found> {
  const known = recent.get(entity.name);
  if (known && Date.now() - known.at < FRESH_MS) return known.found;
  const found = load(entity);
  recent.set(entity.name, { at: Date.now(), found });
  found.catch(() => recent.delete(entity.name));
  return found;
}

async function withChosen(entity: EntityModel, chosen: readonly string[]): Promise<Found> {
  const { rows, total } = await rowsOf(entity);
  const known = new Set(rows.map(({ id }) => id));
  const missing = total > rows.length ? chosen.filter((id) => id && !known.has(id)) : [];
  const asked = await Promise.allSettled(missing.map((id) => api.get(entity.path, id)));
  return { rows: [...rows, ...asked.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []))], total };
}

export interface Choice {
  id: string;
  name: string;
}

/** What can be chosen, by name, and how many more there are. What is chosen already is always among it. */
export function useChoices(target: string, chosen: readonly string[] = []): { choices: Choice[]; hidden: number } {
  const { compare } = useI18n();
  const entity = entities[target];
  const [begun] = useState(chosen);
  const ask = useCallback(() => (entity ? withChosen(entity, begun) : Promise.resolve(NOTHING)), [entity, begun]);
  const { data: { rows, total } = NOTHING } = useRemote(ask);
  const choices = rows
    .map((row) => ({ id: row.id, name: String(row[entity?.display ?? "id"] ?? row.id) }))
    .toSorted((left, right) => compare(left.name, right.name));
  return { choices, hidden: total - rows.length };
}
