import { useCallback, useRef, useState, type FormEvent } from "react";
import { Link, useNavigate, useParams, useSearchParams } from "react-router";
import { ApiError, api } from "../api/client";
import { Field } from "../components/Field";
import { Problem, describe } from "../components/Problem";
import { Reference } from "../components/Reference";
import { Title } from "../components/Title";
import { useI18n } from "../i18n";
import { offered, type EntityModel, type Row } from "../model";
import { useNotice } from "../notice";
import { useRemote } from "../remote";
import { useSession } from "../session";
import { editable, toForm, toJson, type FormValue } from "../values";

interface Props {
  entity: EntityModel;
  row?: Row;
  /** Values that the address brings along: `?list_id=…`. */
  given?: Readonly<Record<string, string>>;
}

function EntityForm({ entity, row, given }: Props) {
  const i18n = useI18n();
  const { t } = i18n;
  const { say } = useNotice();
  const { user } = useSession();
  const navigate = useNavigate();
  const summary = useRef<HTMLParagraphElement>(null);
  const [form, setForm] = useState(() => ({ ...toForm(entity, row), ...given }));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  const change = (name: string) => (value: FormValue) => setForm((old) => ({ ...old, [name]: value }));

  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const values = toJson(entity, form);
      const saved = row ? await api.update(entity.path, row.id, values) : await api.create(entity.path, values);
      say(t(row ? "form.saved" : "form.created", { name: String(saved[entity.display] ?? "") }));
      await navigate(`/${entity.path}/${saved.id}`);
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught;
      setErrors(caught.fields);
      setProblem(caught.fields[""] ?? (Object.keys(caught.fields).length ? t("form.please_correct") : describe(caught, i18n)));
      setBusy(false);
      requestAnimationFrame(() => summary.current?.focus());
    }
  };

  return (
    <form className="card form" noValidate onSubmit={(event) => void save(event)}>
      {problem && (
        <p ref={summary} tabIndex={-1} className="problem" role="alert">
          {problem}
        </p>
      )}
      {editable(entity).map((field) => (
        <Field
          key={field.name}
          owner={entity.name}
          field={offered(field, row ? row[field.name] : field.initial, user)}
          value={form[field.name] ?? ""}
          error={errors[field.name]}
          onChange={change(field.name)}
        />
      ))}
      {entity.relations.map((relation) => (
        <Reference
          key={relation.name}
          owner={entity.name}
          relation={relation}
          value={form[relation.property] ?? ""}
          error={errors[relation.property] ?? errors[relation.name]}
          onChange={change(relation.property)}
        />
      ))}
      <div className="buttons">
        <button type="submit" className="primary" disabled={busy}>
          {t("form.save")}
        </button>
        <Link className="button" to={row ? `/${entity.path}/${row.id}` : `/${entity.path}`}>
          {t("action.cancel")}
        </Link>
      </div>
    </form>
  );
}

export function CreatePage({ entity }: { entity: EntityModel }) {
  const { t } = useI18n();
  const [parameters] = useSearchParams();
  return (
    <>
      <Title text={t("list.new", { entity: t(`entity.${entity.name}.one`) })} />
      <EntityForm entity={entity} given={Object.fromEntries(parameters)} />
    </>
  );
}

export function EditPage({ entity }: { entity: EntityModel }) {
  const { t } = useI18n();
  const { id = "" } = useParams();
  const load = useCallback(() => api.get(entity.path, id), [entity.path, id]);
  const { data, error, reload } = useRemote(load);
  if (error) return <Problem error={error} onRetry={() => void reload()} />;
  if (!data) return <p className="loading">{t("list.loading")}</p>;
  return (
    <>
      <Title text={t("form.edit", { name: String(data[entity.display] ?? "") })} />
      <EntityForm entity={entity} row={data} />
    </>
  );
}
