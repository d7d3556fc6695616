import { ApiError } from "../api/client";
import { useI18n, type I18n } from "../i18n";

/** What went wrong, in words for the person; our own words where we have them. */
export function describe(error: ApiError, { t, has }: Pick<I18n, "t" | "has">): string {
  const key = `error.${error.problem.code ?? ""}`;
  return has(key) ? t(key) : error.message;
}

/** An error that stands in the place of what could not be shown. */
export function Problem({ error, onRetry }: { error: ApiError; onRetry?: () => void }) {
  const i18n = useI18n();
  const { code, correlation_id: correlation } = error.problem;
  return (
    <div className="problem" role="alert">
      <p>{describe(error, i18n)}</p>
      {correlation && <p className="help">{i18n.t("error.reference", { code: code ?? "", id: correlation })}</p>}
      {onRetry && (
        <button type="button" onClick={onRetry}>
          {i18n.t("action.retry")}
        </button>
      )}
    </div>
  );
}
