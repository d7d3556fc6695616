import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// In development the pages come from here and the data from the Python server.
const backend = process.env.BACKEND_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: { assetsInlineLimit: 0 },
  server: { proxy: { "/api": backend } },
  test: {
    environment: "jsdom",
    globals: true,
    testTimeout: 30_000,
    setupFiles: ["./src/test/setup.ts"],
  },
});
