// Sets the theme before anything is painted, without a choice the system's; and notes which place is looked at.
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
  // Pages about all places lead back to the one that was looked at last: frame.py.
  const place = location.pathname.match(/^\/console\/projects\/([^/]+)\/domains\/([^/]+)/);
  if (place) document.cookie = `dayfly-place=${place[1]}/${place[2]}; path=/console; max-age=31536000; samesite=strict`;
  addEventListener("load", () => window.Quasar && Quasar.Dark.set(document.documentElement.dataset.theme === "dark"));
})();
