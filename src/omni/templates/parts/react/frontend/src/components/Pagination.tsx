import { useI18n } from "../i18n";

interface Props {
  page: number;
  pages: number;
  total: number;
  onPage: (page: number) => void;
}

export function Pagination({ page, pages, total, onPage }: Props) {
  const { t } = useI18n();
  return (
    <nav className="pagination" aria-label={t("pagination.label")}>
      <p>{t("pagination.position", { page, pages, total })}</p>
      {pages > 1 && (
        <div className="buttons">
          <button type="button" disabled={page <= 1} onClick={() => onPage(page - 1)}>
            {t("pagination.previous")}
          </button>
          <button type="button" disabled={page >= pages} onClick={() => onPage(page + 1)}>
            {t("pagination.next")}
          </button>
        </div>
      )}
    </nav>
  );
}
