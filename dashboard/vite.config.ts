import { defineConfig, type Plugin, type UserConfig } from "vite";

// The agent serves the page itself, under a Content-Security-Policy without inline scripts or styles.
const page: UserConfig = {
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
};

// `smc-agent chart` writes one file that opens anywhere, so its scripts and styles are put into it.
const chart: UserConfig = {
  base: "./",
  publicDir: false,
  plugins: [inlined()],
  build: {
    outDir: "../smc_trading_agent/charts/static",
    emptyOutDir: true,
    target: "es2023",
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: { input: "chart.html" },
  },
};

function inlined(): Plugin {
  return {
    name: "inlined",
    enforce: "post",
    generateBundle(_, bundle) {
      const html = Object.values(bundle).find((item) => item.fileName.endsWith(".html"));
      if (html?.type !== "asset") throw new Error("the chart page is not in its own bundle");
      let text = String(html.source);
      for (const item of Object.values(bundle)) {
        if (item === html) continue;
        const [tag, content] = item.type === "chunk" ? ["script", item.code] : ["style", String(item.source)];
        const link = new RegExp(`<(?:script|link)[^>]*(?:src|href)="\\./${item.fileName}"[^>]*>(?:</script>)?`);
        if (!link.test(text)) throw new Error(`${item.fileName} is not loaded by the chart page`);
        const safe = content.replaceAll(`</${tag}`, `<\\/${tag}`);
        text = text.replace(link, () => (tag === "script" ? `<script type="module">${safe}</script>` : `<style>${safe}</style>`));
        delete bundle[item.fileName];
      }
      html.source = text;
    },
  };
}

export default defineConfig(({ mode }) => (mode === "chart" ? chart : page));
