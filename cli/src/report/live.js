// Follows a run that goes on: the page says how old it is, and loads itself again when a newer one is due. What its reader has
// moved and opened stays, and nothing happens while he is busy with it. The page of a run that has ended stays as it is.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  // The first heading that is in sight, and how far below the edge it is: what comes above it does not move it.
  const headings = all("h1, h2");
  const parts = all("details");
  const wide = all(".scroll, pre");
  keep.place = () => {
    const index = headings.findLastIndex((heading) => heading.getBoundingClientRect().top <= innerHeight / 2);
    return scrollY > 0 && index >= 0 ? [index, headings[index].getBoundingClientRect().top] : undefined;
  };
  keep.open = () => parts.map((part) => part.open);
  keep.across = () => wide.map((part) => part.scrollLeft);
  keep.focus = () => all("a, button, input, summary, [tabindex]").indexOf(document.activeElement);

  (kept.open ?? []).forEach((open, index) => parts[index] && (parts[index].open = open));
  (kept.across ?? []).forEach((left, index) => wide[index] && (wide[index].scrollLeft = left));
  if (kept.focus >= 0) all("a, button, input, summary, [tabindex]")[kept.focus]?.focus({ preventScroll: true });
  if (kept.place && headings[kept.place[0]]) {
    scrollTo(0, scrollY + headings[kept.place[0]].getBoundingClientRect().top - kept.place[1]);
  }

  const live = document.querySelector(".live");
  if (!live) return;
  history.scrollRestoration = "manual";
  const [written, next, promise] = ["written", "next", "promise"].map((name) => Number(live.dataset[name]));
  const age = live.querySelector(".age");
  const clock = new Date(written).toLocaleTimeString("en-GB");
  const told = (seconds) => {
    const minutes = Math.floor(seconds / 60);
    return minutes < 1 ? `${Math.floor(seconds)} s`
      : minutes < 60 ? `${minutes} min ${Math.floor(seconds % 60)} s`
      : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  };
  let pressed = false;
  addEventListener("pointerdown", () => (pressed = true));
  for (const name of ["pointerup", "pointercancel", "blur"]) addEventListener(name, () => (pressed = false));
  const selects = () => getSelection()?.isCollapsed === false;
  const busy = () => pressed || all("[aria-pressed=true]").length > 0 || selects();
  // Whether a newer page may be there that its reader keeps from being loaded: its age then says nothing about the run.
  let held = false;
  let lost = false;
  const again = () => {
    if (busy()) {
      held = true;
      return setTimeout(again, 500);
    }
    history.replaceState(Object.fromEntries(Object.entries(keep).map(([name, ask]) => [name, ask()])), "");
    location.reload();
  };
  const look = () => {
    const seconds = Math.max(0, Date.now() - written) / 1000;
    if (!held && !busy()) lost = seconds > (3 * promise) / 1000;
    live.classList.toggle("lost", lost);
    document.documentElement.classList.toggle("lost", lost);
    for (const pill of all(".pill.running")) pill.lastChild.textContent = lost ? "no news" : "running";
    age.textContent = lost
      ? `No news since ${clock}, ${told(seconds)} ago: the run may have been stopped or killed.`
      : `As of ${clock}, ${told(seconds)} ago${selects() ? ", not renewed while text is selected" : ""}.`;
  };
  look();
  setInterval(look, 1000);
  // Half a second after a page is due; the longer none comes, the more seldom, up to once a minute.
  const late = Date.now() - written - next;
  setTimeout(again, late < 0 ? 500 - late : Math.min(60000, Math.max(1000, late / 3)));
})();
