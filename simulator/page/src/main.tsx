import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@fontsource-variable/noto-emoji";
import "slack-blocks-to-jsx/dist/style.css";
import "./styles.css";
import { App } from "./App";

/** Emoji that are laid out before their font is there stay empty boxes in Chromium, so it is loaded first; without it the page works too. */
async function fonts() {
  await Promise.allSettled([...document.fonts].map((font) => font.load()));
}

const root = document.getElementById("root");
if (root) {
  void fonts().then(() =>
    createRoot(root).render(
      <StrictMode>
        <App />
      </StrictMode>,
    ),
  );
}
