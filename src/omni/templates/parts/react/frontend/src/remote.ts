/** Data that lives on the server: loaded on first sight, again when the question changes. */

import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError } from "./api/client";

export interface Remote<T> {
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
  reload: () => Promise<void>;
  /** Shows a value at once; the next load puts the server's in its place. */
  set: (data: T) => void;
}

interface Answer<T> {
  data?: T;
  error?: ApiError;
  /** The question that it answers. */
  load?: () => Promise<T>;
}

/** `load` must be stable (useCallback). Answers to an older question are thrown away. */
export function useRemote<T>(load: () => Promise<T>): Remote<T> {
  const [answer, setAnswer] = useState<Answer<T>>({});
  const latest = useRef(0);

  const reload = useCallback(() => {
    const turn = ++latest.current;
    return load().then(
      (data) => {
        if (turn === latest.current) setAnswer({ data, load });
      },
      (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        if (turn === latest.current) setAnswer((old) => ({ data: old.data, error, load }));
      },
    );
  }, [load]);

  useEffect(() => {
    void reload();
    return () => {
      latest.current += 1;
    };
  }, [reload]);

  const set = useCallback((data: T) => setAnswer((old) => ({ ...old, data })), []);
  return { data: answer.data, error: answer.error, loading: answer.load !== load, reload, set };
}
