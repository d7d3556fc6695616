import { Link } from "react-router";
import { useI18n } from "../i18n";
import { available, type EntityModel, type Row } from "../model";
import { useSession } from "../session";
import { RowActions, useOperate } from "./RowActions";
import { Related, Shown } from "./Shown";

interface Props {
  entity: EntityModel;
  rows: readonly Row[];
  /** Property that needs no showing: the page is about it. */
  without?: string;
  onChange: (row: Row) => void;
  onDelete: (row: Row) => void;
}

const FACTS_SHOWN = 5;

function Facts({ entity, row, without }: { entity: EntityModel; row: Row; without?: string }) {
  const { t } = useI18n();
  const ticked = entity.operations.find((operation) => operation.kind === "toggle")?.field;
  const fields = [...entity.fields, ...entity.computed].filter(
    ({ name, type }) =>
      name !== entity.display && name !== ticked && type !== "text" && type !== "file" && row[name] !== null && row[name] !== undefined && row[name] !== "",
  );
  const relations = entity.relations.filter(({ property, many }) => property !== without && !many && row[property]);
  return (
    <dl className="facts">
      {fields.slice(0, FACTS_SHOWN).map((field) => (
        <div key={field.name}>
          <dt>{t(`field.${entity.name}.${field.name}`)}</dt>
          <dd>
            <Shown owner={entity.name} field={field} value={row[field.name]} />
          </dd>
        </div>
      ))}
      {relations.map((relation) => (
        <div key={relation.name}>
          <dt>{t(`field.${entity.name}.${relation.name}`)}</dt>
          <dd>
            <Related relation={relation} row={row} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Tick({ entity, row, onChange }: { entity: EntityModel; row: Row; onChange: (row: Row) => void }) {
  const { t } = useI18n();
  const { user } = useSession();
  const { busy, operate } = useOperate(entity, row, onChange);
  const toggle = entity.operations.find((operation) => operation.kind === "toggle");
  if (!toggle?.field) return null;
  return (
    <input
      type="checkbox"
      className="tick-box"
      aria-label={t("operation.on", { operation: t(`operation.${entity.name}.${toggle.name}`), name: String(row[entity.display] ?? "") })}
      checked={row[toggle.field] === true}
      disabled={busy || !available(toggle, row, user)}
      onChange={() => void operate(toggle)}
    />
  );
}

/** Rows of one entity, each with its facts and what can be done to it. */
export function Rows({ entity, rows, without, onChange, onDelete }: Props) {
  const toggle = entity.operations.find((operation) => operation.kind === "toggle");
  const rest = { ...entity, operations: entity.operations.filter((operation) => operation !== toggle) };
  return (
    <ul className="rows">
      {rows.map((row) => (
        <li key={row.id} className={toggle?.field && row[toggle.field] === true ? "row row-done" : "row"}>
          <Tick entity={entity} row={row} onChange={onChange} />
          <div className="row-text">
            <Link className="row-name" to={`/${entity.path}/${row.id}`}>
              {String(row[entity.display] ?? row.id)}
            </Link>
            <Facts entity={entity} row={row} without={without} />
          </div>
          <RowActions entity={rest} row={row} onChange={onChange} onDelete={() => onDelete(row)} />
        </li>
      ))}
    </ul>
  );
}
