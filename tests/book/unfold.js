// Unfold what is folded; name what shows nothing then.
() => {
  const closed = [];
  for (const button of document.querySelectorAll("button.toggle-button")) {
    button.click();
    const [title, ...parts] = document.getElementById(button.dataset.target).children;
    if (!parts.every((part) => part.checkVisibility({ visibilityProperty: true })))
      closed.push(title.textContent.trim());
  }
  for (const summary of document.querySelectorAll("article summary")) {
    summary.click();
    if (!summary.parentElement.open) closed.push(summary.textContent.trim());
  }
  return closed;
}
