import { useRef } from "react";
import { ApiError, api } from "../api/client";
import { useI18n } from "../i18n";
import type { EntityModel } from "../model";
import { useNotice } from "../notice";
import { describe } from "./Problem";

/** Downloads of what the list shows, with its search and filters. */
export function ExportLinks({ entity, query }: { entity: EntityModel; query: string }) {
  const { t } = useI18n();
  const filters = Object.fromEntries(new URLSearchParams(query));
  return entity.exports.map((format) => (
    <a
      key={format}
      className="button"
      href={api.url(`/${entity.path}/export`, { ...filters, page: undefined, format })}
      download={`${entity.path}.${format}`}
    >
      {t("list.export", { format: format.toUpperCase() })}
    </a>
  ));
}

export function ImportButton({ entity, onDone }: { entity: EntityModel; onDone: () => Promise<void> }) {
  const i18n = useI18n();
  const { say } = useNotice();
  const chooser = useRef<HTMLInputElement>(null);
  const send = async (file: File) => {
    try {
      const { created } = await api.importFile(entity.path, file);
      say(i18n.t("list.imported", { count: created }));
      await onDone();
    } catch (caught) {
      if (!(caught instanceof ApiError)) throw caught;
      const [where, reason] = Object.entries(caught.fields)[0] ?? [];
      say(reason ? i18n.t("list.import_failed", { where: where ?? "", reason }) : describe(caught, i18n), "bad");
    }
  };
  return (
    <>
      <button type="button" onClick={() => chooser.current?.click()}>
        {i18n.t("list.import")}
      </button>
      <input
        ref={chooser}
        hidden
        type="file"
        accept=".csv,.json"
        aria-label={i18n.t("list.import")}
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file) void send(file);
        }}
      />
    </>
  );
}
