// Move every slider to its other end; name those whose figure stays the same.
() => {
  const stuck = [];
  for (const slider of document.querySelectorAll(".slider input")) {
    const frame = slider.closest(".slider");
    const figures = [...frame.querySelectorAll("img")];
    const shown = () => figures.filter((figure) => !figure.hidden).map((figure) => figure.dataset.value).join();
    const before = shown();
    slider.value = slider.value === slider.max ? slider.min : slider.max;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    if (shown() === before) stuck.push(`${frame.textContent.trim()}: ${before}`);
  }
  return stuck;
}
