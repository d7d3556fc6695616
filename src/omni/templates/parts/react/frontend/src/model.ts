/** What the pages know about the data: rendered in `entities/`, read by every page and component. */

export type FieldType =
  | "string"
  | "text"
  | "integer"
  | "decimal"
  | "money"
  | "boolean"
  | "date"
  | "datetime"
  | "time"
  | "duration"
  | "email"
  | "url"
  | "phone"
  | "slug"
  | "color"
  | "enum"
  | "file";

export interface FieldModel<Name extends string = string> {
  name: Name;
  type: FieldType;
  required?: boolean;
  choices?: readonly string[];
  /** Choice → the roles that alone may set it. */
  reserved?: Readonly<Record<string, readonly string[]>>;
  min?: number;
  max?: number;
  maxLength?: number;
  unit?: string;
  filterable?: boolean;
  hasHelp?: boolean;
  /** What the form begins with; `today` for a date. */
  initial?: string | number | boolean;
}

/** A file `scan` is in the JSON as the id of an upload, `scan_id`. */
export type FileName<Property> = Property extends `${infer Name}_id` ? Name : never;

/** A value that the server derives; shown, never edited. */
export interface ComputedModel {
  name: string;
  type: FieldType;
}

export interface RelationModel {
  name: string;
  /** Property of the JSON: `list_id` (one) or `tag_ids` (many). */
  property: string;
  /** Key of the target in `entities`, or `user`. */
  target: string;
  many: boolean;
  required: boolean;
}

export type OperationKind = "toggle" | "transition" | "increment" | "cast" | "upload" | "download";

/** A button on a row: `POST {path}/{id}/{name}`. */
export interface OperationModel {
  name: string;
  kind: OperationKind;
  field?: string;
  value?: string;
  fromValues?: readonly string[];
  /** Empty: whoever the permissions allow. */
  roles?: readonly string[];
  /** What a person fills in first (a vote's choice, an answer's text). */
  inputs?: readonly FieldModel[];
  inputRelations?: readonly RelationModel[];
}

export type Action = "read" | "create" | "update" | "delete";
export type Scope = "own" | "all";

export interface EntityModel {
  name: string;
  /** URL part of the pages and of the API. */
  path: string;
  display: string;
  fields: readonly FieldModel[];
  computed: readonly ComputedModel[];
  relations: readonly RelationModel[];
  operations: readonly OperationModel[];
  /** Role → action → scope. `anyone` is a visitor without an account, `user` anybody with one when there are no roles. */
  permissions: Readonly<Record<string, Partial<Record<Action, Scope>>>>;
  owned: boolean;
  /** Entities that belong to this one: shown on its page. */
  children: readonly { entity: string; property: string }[];
  searchable: boolean;
  /** Fields that the list can be sorted by. */
  sortable: readonly string[];
  exports: readonly ("csv" | "json")[];
  imports: boolean;
  summary?: { name: string; field: string; valueField?: string };
  /** Enum field whose values are the columns of a board. */
  board?: string;
  /** Date field that places a row in the calendar. */
  calendar?: string;
}

export interface AppModel {
  name: string;
  auth: boolean;
  signUp: boolean;
  /** Paths of the pages in the navigation, in order. */
  navigation: readonly { path: string; entity: string; kind: "list" | "board" | "calendar" | "dashboard" }[];
  adminRole?: string;
  roles: readonly string[];
}

export type Value = string | number | boolean | null | readonly string[];

/** One record as the API sends it. */
export interface Row {
  id: string;
  [property: string]: Value | undefined;
}

export interface User {
  id: string;
  email: string;
  name: string;
  role?: string;
  currency?: string;
}

/** Without roles all people are alike. */
const roleOf = (user: User | null) => (user ? (user.role ?? "user") : "anyone");

/** May `user` do `action` on `row` (or at all, when no row is given)? The server has the last word. */
export function may(entity: EntityModel, action: Action, user: User | null, row?: Row): boolean {
  const scope = entity.permissions[roleOf(user)]?.[action] ?? entity.permissions.anyone?.[action];
  if (scope === undefined) return false;
  if (scope === "all" || row === undefined || !("owner_id" in row)) return true;
  return row.owner_id === user?.id;
}

/** The field with the choices that `user` may set, and the one that it has. */
export function offered(field: FieldModel, has: Value | undefined, user: User | null): FieldModel {
  const open = (choice: string) => choice === has || (field.reserved?.[choice]?.includes(roleOf(user)) ?? true);
  return field.reserved ? { ...field, choices: field.choices?.filter(open) } : field;
}

/** Can this button be pressed for that row? */
export function available(operation: OperationModel, row: Row, user: User | null): boolean {
  if (operation.roles?.length && !(user && operation.roles.includes(roleOf(user)))) return false;
  if (operation.kind !== "transition" || !operation.field) return true;
  const current = row[operation.field];
  if (current === operation.value) return false;
  return !operation.fromValues?.length || operation.fromValues.includes(String(current));
}
