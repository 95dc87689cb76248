import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// With `npm run dev` the page comes from Vite and everything else from a simulator on this port.
const simulator = `http://127.0.0.1:${process.env.SIMULATOR_PORT ?? "4280"}`;

export default defineConfig({
  plugins: [react()],
  // One file of script, one of style: it is served on this machine only, so there is nothing to win by splitting.
  build: { chunkSizeWarningLimit: 2000 },
  server: { host: "127.0.0.1", proxy: { "/sim": simulator, "/api": simulator } },
});
