import { defineConfig } from "vite";

// The agent serves the page itself, under a Content-Security-Policy without inline scripts or styles.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../smc_trading_agent/api/static",
    emptyOutDir: true,
    target: "es2023",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8008", ws: true } } },
});
