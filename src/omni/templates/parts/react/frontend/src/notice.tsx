/** One short message to the person, read out by screen readers. */

import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { useI18n } from "./i18n";

interface Notice {
  text: string;
  tone: "good" | "bad";
}

interface NoticeState {
  say: (text: string, tone?: Notice["tone"]) => void;
}

const NoticeContext = createContext<NoticeState>({ say: () => undefined });
const SECONDS_SHOWN = 6;

export function NoticeProvider({ children }: { children: ReactNode }) {
  const { t } = useI18n();
  const [notice, setNotice] = useState<Notice | null>(null);
  const say = useCallback((text: string, tone: Notice["tone"] = "good") => setNotice({ text, tone }), []);
  const state = useMemo(() => ({ say }), [say]);

  useEffect(() => {
    if (notice?.tone !== "good") return undefined;
    const timer = setTimeout(() => setNotice(null), SECONDS_SHOWN * 1000);
    return () => clearTimeout(timer);
  }, [notice]);

  return (
    <NoticeContext value={state}>
      {children}
      <output className="notices">
        {notice && (
          <p className={`notice notice-${notice.tone}`}>
            <span>{notice.text}</span>
            <button type="button" className="quiet" aria-label={t("action.dismiss")} onClick={() => setNotice(null)}>
              ×
            </button>
          </p>
        )}
      </output>
    </NoticeContext>
  );
}

export const useNotice = (): NoticeState => useContext(NoticeContext);
