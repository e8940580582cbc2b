// Name what is wider than its place: beyond the nearest box that clips it, or left of where it scrolls to.
() => {
  const found = [];
  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth)
    found.push(`the page: ${page.scrollWidth} px in ${page.clientWidth}`);
  const article = document.querySelector("article");
  for (const part of article ? article.querySelectorAll("*") : []) {
    const box = part.getBoundingClientRect();
    if (box.width < 2 || box.height < 2 || part.closest("mjx-assistive-mml, svg *")) continue;
    const overflow = (frame) => getComputedStyle(frame).overflowX;
    let frame = part.parentElement;
    while (frame !== article && overflow(frame) === "visible") frame = frame.parentElement;
    const place = frame.getBoundingClientRect();
    const scrolls = ["auto", "scroll"].includes(overflow(frame));
    const left = box.left + frame.scrollLeft < place.left - 1;
    if (left || (box.right > place.right + 1 && !scrolls))
      found.push(`${part.tagName}.${part.className}: ${part.textContent.slice(0, 40)}`);
  }
  return found;
}
