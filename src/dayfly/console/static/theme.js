// Sets the theme before anything is painted. Without a choice it is the system's.
(() => {
  const chosen = localStorage.getItem("dayfly-theme");
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  window.dayflyTheme = {
    toggle() {
      const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
      localStorage.setItem("dayfly-theme", next);
      document.documentElement.dataset.theme = next;
      if (window.Quasar) Quasar.Dark.set(next === "dark");
    },
  };
  addEventListener("load", () => window.Quasar && Quasar.Dark.set(document.documentElement.dataset.theme === "dark"));
})();
