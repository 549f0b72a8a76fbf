// The player, the clips and the keys.

const player = byId("player");
document.documentElement.style.setProperty("--aspect", String(data.aspect));
document.body.classList.toggle("tall", data.aspect < 1);
let selected = data.top;
let position = Math.max(0, data.begin); // where we are, also when the browser cannot play the file
let isPlayable = true;
let tour = null; // the clips still to be watched, in order of time

function seek(time) {
  position = Math.min(Math.max(time, data.begin), data.end);
  if (isPlayable) player.currentTime = Math.max(0, position);
  timeline.moveHead(position);
  markNow();
}

// A clip's first frame begins exactly at its start: a millisecond more, and rounding cannot show the one before.
const seekClip = (clip) => seek(clip.start + 0.001);

function stopTour() {
  if (!tour) return;
  tour = null;
  byId("watch").textContent = "Watch the highlights";
}

function startTour() {
  if (tour) {
    stopTour();
    player.pause();
    return;
  }
  const clips = [...selected].sort((a, b) => a.start - b.start);
  if (!clips.length || !isPlayable) return;
  tour = { clips, at: -1 };
  nextOfTour();
  player.play().catch(stopTour);
  requestAnimationFrame(followTour);
}

function nextOfTour() {
  tour.at += 1;
  const clip = tour.clips[tour.at];
  // A clip that follows on the last one needs no seek, which would stutter.
  if (Math.abs(player.currentTime - clip.start) > 0.1) seekClip(clip);
  byId("watch").textContent = `Stop (${tour.at + 1} of ${tour.clips.length})`;
}

function followTour() {
  if (!tour) return;
  const clip = tour.clips[tour.at];
  if (!player.seeking) {
    const time = player.currentTime;
    if (time < clip.start - 0.3 || time > clip.end + 1) stopTour(); // the viewer went elsewhere
    else if (time >= clip.end || player.ended) {
      if (tour.at + 1 < tour.clips.length) nextOfTour();
      else {
        stopTour();
        player.pause();
      }
    }
  }
  requestAnimationFrame(followTour);
}

// As many decimals as tell the scores of this video apart.
function scoreText(score) {
  const [low, high] = scoreRange();
  const decimals = Math.min(Math.max(2 - Math.floor(Math.log10(high - low || 1)), 0), 12);
  return high - low < 1e-12 ? score.toPrecision(3) : score.toFixed(decimals);
}

function scoreRange() {
  const low = data.scores.reduce((a, b) => Math.min(a, b), Infinity);
  return [low, data.scores.reduce((a, b) => Math.max(a, b), -Infinity)];
}

function filled(template, clip) {
  const item = byId(template).content.firstElementChild.cloneNode(true);
  item.dataset.index = clip.index;
  item.querySelector(".rank").textContent = clip.rank;
  item.querySelector(".when").textContent = `${clock(clip.start)} – ${clock(clip.end)}`;
  item.querySelector(".score").textContent = scoreText(clip.score);
  item.querySelector(".pick").addEventListener("click", () => {
    stopTour();
    seekClip(clip);
  });
  return item;
}

function row(clip, low, high) {
  const item = filled("row", clip);
  const share = high > low ? (clip.score - low) / (high - low) : 1;
  item.querySelector(".gauge i").style.width = `${100 * share}%`;
  return item;
}

function card(clip) {
  const item = filled("card", clip);
  const loop = item.querySelector(".loop");
  const picture = loop.querySelector("img");
  if (data.kind === "view") picture.loading = "lazy"; // each is decoded when it is first seen
  if (clip.picture) picture.src = clip.picture;
  else loop.classList.add("none");
  loop.classList.toggle("moves", clip.frames > 1);
  return item;
}

function showClips(top, bottom, note) {
  selected = top;
  const [low, high] = scoreRange();
  if (byId("ranked")) {
    byId("ranked").replaceChildren(...top.map((clip) => row(clip, low, high)));
    byId("count").textContent = `${top.length} of ${data.starts.length}`;
    byId("note").textContent = note;
    byId("top").replaceChildren(...top.map(card));
    byId("bottom").replaceChildren(...bottom.map(card));
    byId("no-bottom").hidden = bottom.length > 0;
  }
  timeline.drawMarks(top);
  markNow(true);
}

let lit = ""; // the clip that is lit up

function markNow(isNew = false) {
  const index = String(timeline.clipAt(position));
  if (index === lit && !isNew) return;
  lit = index;
  document.querySelectorAll("#ranked li, #top li").forEach((item) => {
    item.classList.toggle("now", item.dataset.index === index);
  });
}

// Where clips are marked in lanes, all of them count for the arrow keys.
function chosen() {
  const clips = selected.length ? selected : data.lanes.flat();
  return [...clips].sort((a, b) => a.start - b.start);
}

function step(forward) {
  const clips = chosen();
  const next = forward
    ? clips.find((clip) => clip.start > position + 0.05)
    : clips.findLast((clip) => clip.start < position - 0.05);
  if (next) seekClip(next);
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const where = event.target;
  if (where.closest("input, select, textarea, video")) return;
  const isPressed = where.closest("button, a");
  const clip = /^[1-9]$/.test(event.key) ? selected.find((c) => c.rank === Number(event.key)) : null;
  if (clip) seekClip(clip);
  else if (event.key === " " && !isPressed) player.paused ? player.play().catch(() => {}) : player.pause();
  else if (event.key === "ArrowLeft") seek(position - 5);
  else if (event.key === "ArrowRight") seek(position + 5);
  else if (event.key === "ArrowUp") step(false);
  else if (event.key === "ArrowDown") step(true);
  else if (event.key === "Home" && where.id === "timeline") seek(data.begin);
  else if (event.key === "End" && where.id === "timeline") seek(data.end);
  else if (event.key === "h" && byId("watch")) startTour();
  else return;
  if (event.key !== "h" && event.key !== " ") stopTour();
  event.preventDefault();
}

function cannotPlay() {
  isPlayable = false;
  stopTour();
  const notice = byId("unplayable");
  notice.textContent =
    `This browser cannot play this file (codec ${data.codec}), or the file is no longer where the page looks for it. ` +
    "All else works: curves, pictures, times and tables. To watch it, open the file in a player such as VLC or mpv.";
  notice.hidden = false;
  document.body.classList.add("unplayable");
  if (byId("watch")) byId("watch").disabled = true;
}

player.addEventListener("error", cannotPlay);
// Where only the sound can be decoded, a browser plays that and shows nothing.
player.addEventListener("loadedmetadata", () => {
  if (player.videoWidth === 0) cannotPlay();
});
function follow() {
  position = player.currentTime;
  timeline.moveHead(position);
  markNow();
  if (!player.paused && !player.ended) requestAnimationFrame(follow);
}
player.addEventListener("play", follow);
player.addEventListener("seeked", follow);
if (player.error) cannotPlay();

const touch = byId("timeline");
let isDragging = false;
touch.addEventListener("pointerdown", (event) => {
  if (event.pointerType !== "mouse" || event.button !== 0) return;
  isDragging = true;
  touch.setPointerCapture(event.pointerId);
  stopTour();
  seek(timeline.timeAt(event));
});
touch.addEventListener("pointermove", (event) => {
  const time = timeline.timeAt(event);
  timeline.say(time);
  if (isDragging) seek(time);
});
touch.addEventListener("pointerup", () => {
  isDragging = false;
});
touch.addEventListener("pointerleave", () => {
  byId("readout").textContent = "";
});
touch.addEventListener("click", (event) => {
  if (event.detail === 0) return; // pressed by a screen reader, without a place
  stopTour();
  seek(timeline.timeAt(event));
});

document.addEventListener("keydown", onKey);
byId("in").addEventListener("click", () => rezoom(2));
byId("out").addEventListener("click", () => rezoom(0.5));
function rezoom(factor) {
  timeline.setZoom(timeline.zoom * factor, position);
  timeline.draw(selected);
}
if (byId("watch")) {
  byId("watch").addEventListener("click", startTour);
  const still = byId("still");
  still.addEventListener("click", () => {
    const isStill = document.body.classList.toggle("paused");
    still.setAttribute("aria-pressed", String(isStill));
  });
}

new ResizeObserver(() => timeline.draw(selected)).observe(byId("scroller"));
timeline.draw(selected);
showClips(data.top, data.bottom, data.note);
timeline.moveHead(position);
