import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

afterEach(cleanup);

// Patience for machines that are busy with other things; a test that passes is not slower for it.
configure({ asyncUtilTimeout: 5000 });

// jsdom has no layout: nothing to scroll, nothing to paint.
window.scrollTo = () => undefined;
HTMLCanvasElement.prototype.getContext = () => null;
