import { useCallback } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { api } from "../api/client";
import { Attachments } from "../components/Attachments";
import { Problem } from "../components/Problem";
import { RowActions } from "../components/RowActions";
import { Rows } from "../components/Rows";
import { Related, Shown } from "../components/Shown";
import { Title } from "../components/Title";
import { entities } from "../entities";
import { useI18n } from "../i18n";
import { may, type EntityModel, type Row } from "../model";
import { useRemote } from "../remote";
import { useSession } from "../session";

const CHILDREN_SHOWN = 100;

function Children({ child, property, parent }: { child: EntityModel; property: string; parent: Row }) {
  const { t } = useI18n();
  const { user } = useSession();
  const load = useCallback(
    () => api.list(child.path, { [property]: parent.id, size: CHILDREN_SHOWN }),
    [child.path, property, parent.id],
  );
  const { data, error, reload, set } = useRemote(load);
  const name = t(`entity.${child.name}.many`);
  return (
    <section className="children" aria-label={name}>
      <div className="title">
        <h2>{name}</h2>
        {may(child, "create", user) && (
          <div className="buttons">
            <Link className="button" to={`/${child.path}/new?${property}=${parent.id}`}>
              {t("list.new", { entity: t(`entity.${child.name}.one`) })}
            </Link>
          </div>
        )}
      </div>
      {error && <Problem error={error} onRetry={() => void reload()} />}
      {data?.items.length === 0 && <p className="none">{t("list.empty", { entities: name })}</p>}
      {data && (
        <Rows
          entity={child}
          rows={data.items}
          without={property}
          onChange={(row) => set({ ...data, items: data.items.map((other) => (other.id === row.id ? row : other)) })}
          onDelete={() => void reload()}
        />
      )}
      {data && data.total > data.items.length && (
        <p className="help">{t("list.partial", { shown: data.items.length, total: data.total })}</p>
      )}
    </section>
  );
}

export function DetailPage({ entity }: { entity: EntityModel }) {
  const { t } = useI18n();
  const { user } = useSession();
  const { id = "" } = useParams();
  const navigate = useNavigate();
  const load = useCallback(() => api.get(entity.path, id), [entity.path, id]);
  const { data: row, error, reload, set } = useRemote(load);

  if (error) return <Problem error={error} onRetry={() => void reload()} />;
  if (!row) return <p className="loading">{t("list.loading")}</p>;

  const children = entity.children.flatMap(({ entity: name, property }) => {
    const child = entities[name];
    return child && may(child, "read", user) ? [{ child, property }] : [];
  });
  return (
    <>
      <p className="crumbs">
        <Link to={`/${entity.path}`}>{t(`entity.${entity.name}.many`)}</Link>
      </p>
      <Title text={String(row[entity.display] ?? row.id)}>
        <RowActions entity={entity} row={row} onChange={set} onDelete={() => void navigate(`/${entity.path}`)} />
      </Title>
      <dl className="sheet">
        {[...entity.fields, ...entity.computed]
          .filter(({ name, type }) => name !== entity.display && type !== "file")
          .map((field) => (
            <div key={field.name}>
              <dt>{t(`field.${entity.name}.${field.name}`)}</dt>
              <dd>
                <Shown owner={entity.name} field={field} value={row[field.name]} />
              </dd>
            </div>
          ))}
        {entity.relations.map((relation) => (
          <div key={relation.name}>
            <dt>{t(`field.${entity.name}.${relation.name}`)}</dt>
            <dd>
              <Related relation={relation} row={row} />
            </dd>
          </div>
        ))}
        <div>
          <dt>{t("field.created_at")}</dt>
          <dd>
            <Shown owner={entity.name} field={{ name: "created_at", type: "datetime" }} value={row.created_at} />
          </dd>
        </div>
      </dl>
      <Attachments entity={entity} row={row} onChange={set} />
      {children.map(({ child, property }) => (
        <Children key={child.name} child={child} property={property} parent={row} />
      ))}
    </>
  );
}
