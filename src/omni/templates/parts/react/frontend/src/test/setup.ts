import "@testing-library/jest-dom/vitest";
import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);

// jsdom has no layout: nothing to scroll, nothing to paint.
window.scrollTo = () => undefined;
HTMLCanvasElement.prototype.getContext = () => null;
