/** Between what a form holds (text, ticks) and what the API speaks (JSON). The two directions are inverses. */

import type { EntityModel, FieldModel, RelationModel, Row, Value } from "./model";

export type FormValue = string | boolean | readonly string[];
export type FormValues = Readonly<Record<string, FormValue>>;
type Shape = Pick<EntityModel, "fields" | "relations">;

/** The API counts money in cents, so that no sum is off by a rounding. */
const CENTS = 100;

/** `2026-03-01T09:30:00Z` → the visitor's wall clock, as `<input type="datetime-local">` wants it. */
export function toLocal(instant: string): string {
  const date = new Date(instant);
  const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

export function fieldToForm(field: FieldModel, value: Value | undefined): FormValue {
  if (field.type === "boolean") return value === true;
  if (value === null || value === undefined) return "";
  if (field.type === "datetime") return toLocal(String(value));
  if (field.type === "money") return (Number(value) / CENTS).toFixed(2);
  if (field.type === "time") return String(value).slice(0, 5);
  return String(value);
}

export function fieldToJson(field: FieldModel, value: FormValue | undefined): Value {
  if (field.type === "boolean") return value === true;
  const text = typeof value === "string" ? value.trim() : "";
  if (text === "") return field.required && isText(field) ? "" : null;
  switch (field.type) {
    case "integer":
    case "decimal":
    case "duration":
      return Number(text);
    case "money":
      return Math.round(Number(text) * CENTS);
    case "datetime":
      return new Date(text).toISOString();
    default:
      return text;
  }
}

const isText = (field: FieldModel) => field.type === "string" || field.type === "text";

function relationToForm(relation: RelationModel, row: Row | undefined): FormValue {
  const value = row?.[relation.property];
  if (relation.many) return Array.isArray(value) ? value.map(String) : [];
  return value === null || value === undefined ? "" : String(value);
}

/** What a new row's form begins with. */
function initial(field: FieldModel): FormValue {
  if (field.type === "date" && field.initial === "today") return toLocal(new Date().toISOString()).slice(0, 10);
  return fieldToForm(field, field.initial);
}

export function editable(shape: Shape): FieldModel[] {
  return shape.fields.filter((field) => field.type !== "file");
}

export function toForm(shape: Shape, row?: Row): FormValues {
  const form: Record<string, FormValue> = {};
  for (const field of editable(shape)) {
    form[field.name] = row ? fieldToForm(field, row[field.name]) : initial(field);
  }
  for (const relation of shape.relations) form[relation.property] = relationToForm(relation, row);
  return form;
}

export function toJson(shape: Shape, form: FormValues): Record<string, Value> {
  const json: Record<string, Value> = {};
  for (const field of editable(shape)) json[field.name] = fieldToJson(field, form[field.name]);
  for (const relation of shape.relations) {
    const value = form[relation.property];
    json[relation.property] = Array.isArray(value) ? value : value || null;
  }
  return json;
}
