// What home and lists do in the browser by themselves: hours in the reader's own zone, choices that are addresses.
(() => {
  function hours() {
    document.querySelectorAll("time[data-hour]").forEach((e) => {
      const told = String(new Date(e.dateTime).getHours()).padStart(2, "0");
      if (e.textContent !== told) e.textContent = told;
    });
  }
  document.addEventListener("change", (event) => {
    // The addresses are those that the page was made with: paths of the console.
    if (event.target.matches?.("select[data-go-to]") && event.target.value.startsWith("/console/")) location.href = event.target.value;
  });
  new MutationObserver(hours).observe(document.documentElement, { childList: true, subtree: true });
  hours();
})();
