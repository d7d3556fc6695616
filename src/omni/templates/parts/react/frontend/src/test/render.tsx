import { act, render } from "@testing-library/react";
import axe from "axe-core";
import { MemoryRouter } from "react-router";
import { expect } from "vitest";
import { App } from "../App";
import { I18nProvider, type Locale } from "../i18n";

/** The whole app at an address. */
export function visit(path: string, locale: Locale = "en") {
  return render(
    <I18nProvider locale={locale}>
      <MemoryRouter initialEntries={[path]}>
        <App />
      </MemoryRouter>
    </I18nProvider>,
  );
}

/** Fails with what axe finds against WCAG 2.1 A and AA; contrast needs a real browser and is measured there. */
export async function expectAccessible(container: Element): Promise<void> {
  const { violations } = await act(() =>
    axe.run(container, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
      rules: { "color-contrast": { enabled: false } },
    }),
  );
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
}
