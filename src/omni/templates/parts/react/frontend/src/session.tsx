/** Who is looking at the pages. */

import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { api } from "./api/client";
import { app } from "./app";
import type { User } from "./model";

interface SessionState {
  user: User | null;
  /** Of all amounts, ISO 4217. */
  currency: string;
  /** False until the server has said who we are. */
  ready: boolean;
  logIn: (email: string, password: string) => Promise<void>;
  signUp: (name: string, email: string, password: string) => Promise<void>;
  logOut: () => Promise<void>;
  /** Asks the server again, after it answered that the session has ended. */
  refresh: () => Promise<void>;
}

const SessionContext = createContext<SessionState | null>(null);

export function SessionProvider({ children }: { children: ReactNode }) {
  const [user, setUser] = useState<User | null>(null);
  const [ready, setReady] = useState(false);

  const refresh = useCallback(
    () =>
      (app.auth ? api.session() : Promise.resolve(null))
        .catch(() => null)
        .then((found) => {
          setUser(found);
          setReady(true);
        }),
    [],
  );

  useEffect(() => {
    void refresh();
  }, [refresh]);

  const state = useMemo<SessionState>(
    () => ({
      user,
      currency: user?.currency ?? "EUR",
      ready,
      refresh,
      logIn: async (email, password) => setUser(await api.logIn(email, password)),
      signUp: async (name, email, password) => setUser(await api.signUp(name, email, password)),
      logOut: async () => setUser(await api.logOut()),
    }),
    [user, ready, refresh],
  );
  return <SessionContext value={state}>{children}</SessionContext>;
}

export function useSession(): SessionState {
  const state = useContext(SessionContext);
  if (!state) throw new Error("useSession needs a SessionProvider above it");
  return state;
}
