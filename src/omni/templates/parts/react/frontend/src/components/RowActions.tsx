import { useState } from "react";
import { Link } from "react-router";
import { ApiError, api } from "../api/client";
import { useI18n } from "../i18n";
import { available, may, type EntityModel, type OperationModel, type Row, type Value } from "../model";
import { useNotice } from "../notice";
import { useSession } from "../session";
import { toForm, toJson, type FormValues } from "../values";
import { Field } from "./Field";
import { describe } from "./Problem";
import { Reference } from "./Reference";

interface Props {
  entity: EntityModel;
  row: Row;
  onChange: (row: Row) => void;
  onDelete: () => void;
}

/** What the row will look like if the server agrees; shown before it has answered. */
export function foreseen(operation: OperationModel, row: Row): Row {
  const { field, kind } = operation;
  if (!field) return row;
  if (kind === "toggle") return { ...row, [field]: !row[field] };
  if (kind === "transition") return { ...row, [field]: operation.value };
  if (kind === "increment") return { ...row, [field]: Number(row[field] ?? 0) + 1 };
  return row;
}

/** Runs an operation at once on the screen, then on the server; takes it back when the server refuses. */
export function useOperate(entity: EntityModel, row: Row, onChange: (row: Row) => void) {
  const i18n = useI18n();
  const { say } = useNotice();
  const [busy, setBusy] = useState(false);
  const operate = async (operation: OperationModel, values?: Record<string, Value>): Promise<boolean> => {
    setBusy(true);
    onChange(foreseen(operation, row));
    try {
      const answer = await api.operate(entity.path, row.id, operation.name, values);
      // A cast answers with what it made; what that changed on this row, the server knows.
      onChange(operation.kind === "cast" ? await api.get(entity.path, row.id) : answer);
      const label = i18n.t(`operation.${entity.name}.${operation.name}`);
      say(i18n.t("operation.done", { operation: label, name: String(row[entity.display] ?? "") }));
      return true;
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught;
      onChange(row);
      const reasons = Object.values(caught.fields);
      say(reasons[0] ?? describe(caught, i18n), "bad");
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, operate };
}

function Asking({ entity, operation, onDone }: { entity: EntityModel; operation: OperationModel; onDone: (values: FormValues | null) => void }) {
  const { t } = useI18n();
  const shape = { fields: operation.inputs ?? [], relations: operation.inputRelations ?? [] };
  const [form, setForm] = useState(() => toForm(shape));
  const owner = `${entity.name}.${operation.name}`;
  return (
    <form
      className="asking"
      onSubmit={(event) => {
        event.preventDefault();
        onDone(form);
      }}
    >
      {shape.fields.map((field) => (
        <Field key={field.name} owner={owner} field={field} value={form[field.name] ?? ""} onChange={(value) => setForm({ ...form, [field.name]: value })} />
      ))}
      {shape.relations.map((relation) => (
        <Reference
          key={relation.name}
          owner={owner}
          relation={relation}
          value={form[relation.property] ?? ""}
          onChange={(value) => setForm({ ...form, [relation.property]: value })}
        />
      ))}
      <div className="buttons">
        <button type="submit" className="primary">
          {t(`operation.${entity.name}.${operation.name}`)}
        </button>
        <button type="button" onClick={() => onDone(null)}>
          {t("action.cancel")}
        </button>
      </div>
    </form>
  );
}

/** A delete button that asks once more, in place, with the focus on the way out. */
export function Delete({ name, onConfirm }: { name: string; onConfirm: () => Promise<void> }) {
  const { t } = useI18n();
  const [asking, setAsking] = useState(false);
  if (!asking) {
    return (
      <button type="button" className="danger quiet" aria-label={t("action.delete_named", { name })} onClick={() => setAsking(true)}>
        {t("action.delete")}
      </button>
    );
  }
  return (
    <fieldset className="confirm">
      <legend>{t("delete.question", { name })}</legend>
      <button type="button" className="danger" onClick={() => void onConfirm()}>
        {t("delete.confirm")}
      </button>
      {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- the opener is gone; the safe answer takes its focus */}
      <button type="button" autoFocus onClick={() => setAsking(false)}>
        {t("action.cancel")}
      </button>
    </fieldset>
  );
}

export function RowActions({ entity, row, onChange, onDelete }: Props) {
  const i18n = useI18n();
  const { t } = i18n;
  const { user } = useSession();
  const { say } = useNotice();
  const { busy, operate } = useOperate(entity, row, onChange);
  const [open, setOpen] = useState<OperationModel | null>(null);
  const name = String(row[entity.display] ?? row.id);

  const remove = async () => {
    try {
      await api.remove(entity.path, row.id);
      say(t("delete.done", { name }));
      onDelete();
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught;
      say(describe(caught, i18n), "bad");
    }
  };

  if (open) {
    const finish = (values: FormValues | null) => {
      const operation = open;
      const shape = { fields: operation.inputs ?? [], relations: operation.inputRelations ?? [] };
      setOpen(null);
      if (values) void operate(operation, toJson(shape, values));
    };
    return <Asking entity={entity} operation={open} onDone={finish} />;
  }

  const buttons = entity.operations.filter(
    (operation) => operation.kind !== "download" && operation.kind !== "upload" && available(operation, row, user),
  );
  return (
    <div className="buttons">
      {buttons.map((operation) => (
        <button
          key={operation.name}
          type="button"
          disabled={busy}
          aria-pressed={operation.kind === "toggle" ? row[operation.field ?? ""] === true : undefined}
          onClick={() => {
            if (operation.inputs?.length || operation.inputRelations?.length) setOpen(operation);
            else void operate(operation);
          }}
        >
          {t(`operation.${entity.name}.${operation.name}`)}
        </button>
      ))}
      {may(entity, "update", user, row) && (
        <Link className="button" to={`/${entity.path}/${row.id}/edit`} aria-label={t("action.edit_named", { name })}>
          {t("action.edit")}
        </Link>
      )}
      {may(entity, "delete", user, row) && <Delete name={name} onConfirm={remove} />}
    </div>
  );
}
