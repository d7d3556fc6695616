import { useId } from "react";
import { ApiError, api } from "../api/client";
import { useI18n } from "../i18n";
import { may, type EntityModel, type Row } from "../model";
import { useNotice } from "../notice";
import { useSession } from "../session";
import { describe } from "./Problem";

interface Props {
  entity: EntityModel;
  row: Row;
  onChange: (row: Row) => void;
}

function Attachment({ entity, row, field, onChange }: Props & { field: string }) {
  const i18n = useI18n();
  const { t } = i18n;
  const { user } = useSession();
  const { say } = useNotice();
  const id = useId();
  const label = t(`field.${entity.name}.${field}`);
  const send = async (file: File) => {
    try {
      onChange(await api.upload(entity.path, row.id, field, file));
      say(t("file.saved", { name: file.name }));
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught;
      say(Object.values(caught.fields)[0] ?? describe(caught, i18n), "bad");
    }
  };
  return (
    <div className="attachment">
      {row[`${field}_id`] ? (
        <a className="button" href={api.url(`/${entity.path}/${row.id}/${field}`)} download>
          {t("file.download", { field: label })}
        </a>
      ) : (
        <span className="none">{t("file.none")}</span>
      )}
      {may(entity, "update", user, row) && (
        <>
          <label htmlFor={id}>{t("file.choose", { field: label })}</label>
          <input
            id={id}
            type="file"
            onChange={(event) => {
              const file = event.target.files?.[0];
              if (file) void send(file);
            }}
          />
        </>
      )}
    </div>
  );
}

/** The files of a row: download, and a new one in its place. */
export function Attachments({ entity, row, onChange }: Props) {
  const { t } = useI18n();
  const fields = entity.fields.filter(({ type }) => type === "file");
  if (fields.length === 0) return null;
  return (
    <section className="attachments" aria-label={t("file.title")}>
      <h2>{t("file.title")}</h2>
      {fields.map(({ name }) => (
        <Attachment key={name} entity={entity} row={row} field={name} onChange={onChange} />
      ))}
    </section>
  );
}
