import { useCallback, useEffect, useId, useState } from "react";
import { Link, useSearchParams } from "react-router";
import { api } from "../api/client";
import { Select } from "../components/Control";
import { Pagination } from "../components/Pagination";
import { Problem } from "../components/Problem";
import { Rows } from "../components/Rows";
import { Title } from "../components/Title";
import { ExportLinks, ImportButton } from "../components/Transfer";
import { useI18n } from "../i18n";
import { may, type EntityModel, type FieldModel } from "../model";
import { useRemote } from "../remote";
import { useSession } from "../session";

const TYPING_MS = 250;

function Search({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const { t } = useI18n();
  const id = useId();
  const [text, setText] = useState(value);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => onSearch(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, value, onSearch]);
  return (
    <div className="control">
      <label htmlFor={id}>{t("list.search")}</label>
      <input id={id} type="search" value={text} onChange={(event) => setText(event.target.value)} />
    </div>
  );
}

interface ToolsProps {
  entity: EntityModel;
  parameters: URLSearchParams;
  choose: (name: string, value: string) => void;
}

/** Search, filters and order: whatever of it the data has. */
function Tools({ entity, parameters, choose }: ToolsProps) {
  const { t } = useI18n();
  const search = useCallback((text: string) => choose("q", text), [choose]);
  const filters = entity.fields.filter(({ filterable }) => filterable);
  if (!entity.searchable && filters.length === 0 && entity.sortable.length === 0) return null;

  const label = (name: string) => t(name === "created_at" ? "field.created_at" : `field.${entity.name}.${name}`);
  const values = (field: FieldModel) =>
    field.type === "boolean"
      ? [
          { value: "true", label: t("value.yes") },
          { value: "false", label: t("value.no") },
        ]
      : (field.choices ?? []).map((choice) => ({
          value: choice,
          label: t(`choice.${entity.name}.${field.name}.${choice}`),
        }));
  const orders = [
    { value: "", label: t("list.sort_usual") },
    ...entity.sortable.map((name) => ({ value: name, label: t("list.sort_up", { field: label(name) }) })),
    ...entity.sortable.map((name) => ({ value: `-${name}`, label: t("list.sort_down", { field: label(name) }) })),
  ];
  return (
    <search className="toolbar">
      {entity.searchable && <Search value={parameters.get("q") ?? ""} onSearch={search} />}
      {filters.map((field) => (
        <Select
          key={field.name}
          label={label(field.name)}
          value={parameters.get(field.name) ?? ""}
          options={[{ value: "", label: t("list.all") }, ...values(field)]}
          onChange={(value) => choose(field.name, value)}
        />
      ))}
      {entity.sortable.length > 0 && (
        <Select
          label={t("list.sort")}
          value={parameters.get("sort") ?? ""}
          options={orders}
          onChange={(value) => choose("sort", value)}
        />
      )}
    </search>
  );
}

export function ListPage({ entity }: { entity: EntityModel }) {
  const { t } = useI18n();
  const { user } = useSession();
  const [parameters, setParameters] = useSearchParams();
  const query = parameters.toString();
  const load = useCallback(
    () => api.list(entity.path, Object.fromEntries(new URLSearchParams(query))),
    [entity.path, query],
  );
  const { data, error, loading, reload, set } = useRemote(load);

  const choose = useCallback(
    (name: string, value: string) =>
      setParameters((old) => {
        const next = new URLSearchParams(old);
        if (value) next.set(name, value);
        else next.delete(name);
        if (name !== "page") next.delete("page");
        return next;
      }),
    [setParameters],
  );
  const isFiltered = [...parameters.keys()].some((name) => name !== "page" && name !== "sort");

  return (
    <>
      <Title text={t(`entity.${entity.name}.many`)}>
        <ExportLinks entity={entity} query={query} />
        {entity.imports && may(entity, "create", user) && <ImportButton entity={entity} onDone={reload} />}
        {may(entity, "create", user) && (
          <Link className="button primary" to={`/${entity.path}/new`}>
            {t("list.new", { entity: t(`entity.${entity.name}.one`) })}
          </Link>
        )}
      </Title>
      <Tools entity={entity} parameters={parameters} choose={choose} />
      <section aria-busy={loading} aria-label={t(`entity.${entity.name}.many`)}>
        {error && <Problem error={error} onRetry={() => void reload()} />}
        {!data && !error && <p className="loading">{t("list.loading")}</p>}
        {data?.items.length === 0 && (
          <div className="empty">
            <p>{t(isFiltered ? "list.nothing_found" : "list.empty", { entities: t(`entity.${entity.name}.many`) })}</p>
            {!isFiltered && may(entity, "create", user) && (
              <Link className="button" to={`/${entity.path}/new`}>
                {t("list.first", { entity: t(`entity.${entity.name}.one`) })}
              </Link>
            )}
          </div>
        )}
        {data && data.items.length > 0 && (
          <>
            <Rows
              entity={entity}
              rows={data.items}
              onChange={(row) => set({ ...data, items: data.items.map((other) => (other.id === row.id ? row : other)) })}
              onDelete={() => void reload()}
            />
            <Pagination page={data.page} pages={data.pages} total={data.total} onPage={(page) => choose("page", String(page))} />
          </>
        )}
      </section>
    </>
  );
}
