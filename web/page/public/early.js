// Before the first paint, so that nothing jumps: the theme that was chosen, and the view that the address names.
{
  const root = document.documentElement;
  const view = /^#(explore|scaling|counter)\b/.exec(location.hash);
  root.dataset.view = view ? view[1] : "explore";
  root.dataset.loading = "";
  try {
    const theme = localStorage.getItem("allcores.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  } catch {
    // storage is forbidden: the system's theme
  }
}
