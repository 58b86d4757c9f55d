// What moves in a report: the pictures over the steps, the values under the pointer, the buttons that copy. Without it the page
// shows the last pictures and the last values.
"use strict";
// What a page that loads itself again keeps: how to ask for it, by name, and what it was before.
const keep = {};
const kept = history.state ?? {};
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const whole = (number) => Math.round(number).toLocaleString("en-US");
  const short = (value) => {
    if (value === null || value === undefined) return "";
    const size = Math.abs(value);
    const text = Number.isInteger(value) && size < 1e12 ? value.toLocaleString("en-US")
      : size >= 1e-3 && size < 1e4 ? value.toFixed(Math.min(4, Math.max(0, 3 - Math.floor(Math.log10(size)))))
      : size >= 1e4 && size < 1e7 ? whole(value)
      : value.toExponential(3).replace("e+", "e");
    return text.replaceAll("-", "\u2212");
  };

  // The pictures: one slider for all of them, at every step that any run has a picture of.
  all(".slider").forEach((slider, index) => {
    const section = slider.closest("section");
    const stages = all(".frames", section).map((figure) => {
      const first = section.querySelector(".first img");
      if (first) {
        const copy = first.cloneNode();
        copy.hidden = true;
        figure.prepend(copy);
      }
      return { frames: all("img", figure), caption: figure.querySelector("figcaption") };
    });
    const step = (image) => Number(image.dataset.step ?? 0);
    const steps = [...new Set(stages.flatMap(({ frames }) => frames.map(step)))].sort((a, b) => a - b);
    const [button, input, output] = ["button", "input", "output"].map((name) => slider.querySelector(name));
    const told = (at) => (at === 0 ? "before training" : `after ${whole(at)} step${at === 1 ? "" : "s"}`);
    const show = () => {
      const at = steps[Number(input.value)];
      for (const { frames, caption } of stages) {
        const now = frames.findLast((image) => step(image) <= at) ?? frames[0];
        for (const image of frames) image.hidden = image !== now;
        caption.textContent = told(step(now));
      }
      output.textContent = `step ${whole(at)}`;
      input.setAttribute("aria-valuetext", told(at));
    };
    let timer = 0;
    const stop = () => {
      clearInterval(timer);
      timer = 0;
      button.textContent = "Play";
      button.setAttribute("aria-pressed", "false");
    };
    button.addEventListener("click", () => {
      if (timer) return stop();
      if (Number(input.value) === steps.length - 1) input.value = 0;
      show();
      button.textContent = "Pause";
      button.setAttribute("aria-pressed", "true");
      timer = setInterval(() => {
        input.value = Number(input.value) + 1;
        show();
        if (Number(input.value) === steps.length - 1) stop();
      }, Math.max(120, Math.min(600, 6000 / steps.length)));
    });
    input.addEventListener("input", () => {
      if (timer) stop();
      show();
    });
    input.max = steps.length - 1;
    // Who looks at the last picture wants the newest one.
    const before = kept[`slider${index}`] ?? Infinity;
    input.value = Math.max(0, before === Infinity ? steps.length - 1 : steps.findLastIndex((at) => at <= before));
    keep[`slider${index}`] = () => (Number(input.value) === steps.length - 1 ? Infinity : steps[Number(input.value)]);
    slider.hidden = steps.length < 2;
    show();
  });

  // The charts: values where the pointer is, or where the arrow keys lead.
  all(".chart").forEach((chart, index) => {
    const { x, y, powers, series } = JSON.parse(chart.querySelector("script").textContent);
    const area = chart.querySelector(".area");
    const label = chart.querySelector(".at");
    const items = all(".legend li:not(.level)", chart);
    const outputs = items.map((item) => item.querySelector("output"));
    const rest = outputs.map((output) => output.textContent);
    const steps = [...new Set(series.flatMap((one) => one.x))].sort((a, b) => a - b);
    const part = (className, parent = area) => {
      const made = parent.appendChild(document.createElement("span"));
      made.className = className;
      made.hidden = true;
      return made;
    };
    const cursor = part("cursor");
    const dots = items.map((item) => part(`dot ${item.className}`));
    let place = -1;
    // The place in an ascending list whose value is nearest.
    const nearest = (list, value) => {
      let [low, high] = [0, list.length - 1];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (list[middle] < value) low = middle;
        else high = middle;
      }
      return Math.abs(list[low] - value) <= Math.abs(list[high] - value) ? low : high;
    };
    const left = (step) => `${(100 * (step - x[0])) / (x[1] - x[0])}%`;
    const leave = () => {
      place = -1;
      label.textContent = "";
      for (const made of [cursor, ...dots]) made.hidden = true;
      outputs.forEach((output, index) => (output.textContent = rest[index]));
    };
    const go = (to) => {
      place = Math.max(0, Math.min(steps.length - 1, to));
      const step = steps[place];
      label.textContent = `step ${whole(step)}`;
      cursor.hidden = false;
      cursor.style.left = left(step);
      series.forEach((one, index) => {
        if (!outputs[index]) return;
        const at = nearest(one.x, step);
        const value = one.y[at];
        outputs[index].textContent = value === null ? "not a number" : short(value);
        const height = powers ? Math.log10(value) : value;
        const top = (100 * (y[1] - height)) / (y[1] - y[0]);
        dots[index].hidden = value === null || !(top >= 0 && top <= 100);
        dots[index].style.left = left(one.x[at]);
        dots[index].style.top = `${top}%`;
      });
    };
    area.addEventListener("pointermove", (event) => {
      const box = area.getBoundingClientRect();
      go(nearest(steps, x[0] + ((event.clientX - box.left) / box.width) * (x[1] - x[0])));
    });
    area.addEventListener("pointerleave", leave);
    area.addEventListener("blur", leave);
    area.addEventListener("keydown", (event) => {
      const jump = { ArrowLeft: -1, ArrowRight: 1, PageDown: -20, PageUp: 20, Home: -Infinity, End: Infinity }[event.key];
      if (jump === undefined) return event.key === "Escape" ? leave() : undefined;
      event.preventDefault();
      go((place < 0 ? (jump < 0 ? steps.length : -1) : place) + jump);
    });
    keep[`chart${index}`] = () => (place < 0 ? undefined : steps[place]);
    if (kept[`chart${index}`] !== undefined) go(nearest(steps, kept[`chart${index}`]));
  });

  // The command lines.
  for (const command of all(".command")) {
    if (!navigator.clipboard) break;
    const button = command.appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(command.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
  }
})();
