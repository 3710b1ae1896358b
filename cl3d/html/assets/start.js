// Starts the viewers of the page, and the button that changes its theme.

for (const root of document.querySelectorAll("[data-viewer]")) new Viewer(root);

const recolour = () => viewers.forEach((viewer) => viewer.recolour());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);

document.querySelector("[data-theme-button]")?.addEventListener("click", () => {
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = dark ? "light" : "dark";
  recolour();
});
