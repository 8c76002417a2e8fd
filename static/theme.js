/* The colours that this reader chose, before the page is painted: the only script that a page waits for. */
try {
  document.documentElement.dataset.theme = JSON.parse(localStorage.getItem("afterword.theme") ?? '"system"');
} catch {
  // storage is refused: the system's
}
