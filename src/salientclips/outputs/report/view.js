// The controls of `salientclips view`: each change asks the page's own server for the selection, which has the scores.

if (data.kind === "view") {
  const names = ["k", "gap", "sampler", "mix"];
  const control = Object.fromEntries(names.map((name) => [name, byId(name)]));
  let isMixed = false; // until the viewer moves it, the sampler's own combination holds
  let asked = 0;

  // The slider is finer where gaps are short: 0 to a tenth of the video. What was asked for at the start is kept exactly.
  const longest = Math.max(1, span / 10);
  let gap = Number(control.gap.dataset.seconds);
  control.gap.value = Math.round(100 * Math.sqrt(gap / longest));

  const query = () => {
    const words = new URLSearchParams({ sampler: control.sampler.value, k: control.k.value, min_gap: gap });
    if (isMixed) words.set("mix", Number(control.mix.value) / 100);
    return words.toString();
  };

  const say = () => {
    byId("gap-said").textContent = `${gap} s`;
    byId("mix-said").textContent = isMixed
      ? `${100 - control.mix.value} to ${control.mix.value}`
      : "as the sampler has it";
    document.querySelectorAll(".download").forEach((link) => {
      link.href = `export/${link.dataset.format}?${query()}`;
    });
  };

  const drawLane = (lane, at) => {
    const svg = (name, path) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", "path");
      element.setAttribute("class", name);
      element.setAttribute("d", path);
      return element;
    };
    const box = byId("lanes").children[0].cloneNode(true);
    box.className = `lane ${at ? "other" : "main"} colour-${at % 6}`;
    const name = document.createElement("b");
    name.textContent = lane.name;
    const range = document.createElement("span");
    range.textContent = `${lane.low} to ${lane.high}`;
    box.querySelector(".lane-name").replaceChildren(name, ` ${lane.meaning} `, range);
    box.querySelector("svg").replaceChildren(svg("area", lane.area), svg("line", lane.line));
    return box;
  };

  const show = (found) => {
    if (found.lanes) byId("lanes").replaceChildren(...found.lanes.map(drawLane));
    if (found.scores) data.scores = found.scores;
    byId("mix-label").hidden = !found.can_mix;
    showClips(found.top, found.bottom, found.note);
  };

  const change = async (isOtherCurve) => {
    asked += 1;
    const mine = asked;
    say();
    try {
      const answer = await fetch(`select?${query()}${isOtherCurve ? "&curves=1" : ""}`);
      const found = await answer.json();
      if (mine !== asked) return; // a later question is on its way
      if (answer.ok) show(found);
      else byId("note").textContent = found.error.message;
    } catch {
      byId("note").textContent = "The server has ended: start `salientclips view` again.";
    }
  };

  // Samplers that read features are still being worked out when the page opens.
  const poll = async () => {
    const state = await fetch("samplers").then((answer) => answer.json(), () => null);
    if (!state) return; // the server has ended
    const { ready, failed } = state;
    let isDone = true;
    for (const option of control.sampler.options) {
      const name = option.value;
      option.disabled = !ready.includes(name);
      if (name in failed) option.textContent = `${name} (cannot: ${failed[name]})`;
      else option.textContent = option.disabled ? `${name} (being worked out)` : name;
      if (option.disabled && !(name in failed)) isDone = false;
    }
    if (!isDone) setTimeout(poll, 1000);
  };

  control.k.addEventListener("input", () => control.k.checkValidity() && change(false));
  control.gap.addEventListener("input", () => {
    gap = Math.round(10 * longest * (Number(control.gap.value) / 100) ** 2) / 10;
    change(false);
  });
  control.sampler.addEventListener("change", () => {
    isMixed = false;
    change(true);
  });
  control.mix.addEventListener("input", () => {
    isMixed = true;
    change(true);
  });
  change(false);
  poll();
}
