"use strict";
// Seconds and degrees, as common/prediction/video_page.py has them.
const data = JSON.parse(document.getElementById("data").textContent);
const video = document.querySelector("video");
const all = document.querySelector(".rows");
const axis = document.querySelector(".axis .lane");
const tableRows = document.querySelectorAll("tbody tr");
const hasContact = data.faces.some((face) => face.judged.length);
const hasGaze = data.faces.some((face) => face.gaze.length);
const looks = data.faces.flatMap((face) => face.looks.filter((_, i) => i % 2 === 0));
looks.sort((one, other) => one - other);
// Pixels.
const CONTACT = hasContact ? 16 : 4, GAZE = 28, GAP = 4;
const HEIGHT = CONTACT + (hasGaze ? 2 * (GAP + GAZE) : 0);
const TICK = 80;
const TICKS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200];
const LEAST_SPAN_S = Math.min(1, data.end_s);
// What is shown of the video, and where it stands.
let from = 0, span = data.end_s, now = 0;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function clock(time, digits) {
  const seconds = Math.round(time * 1000) / 1000, minutes = Math.floor(seconds / 60);
  const rest = (seconds - 60 * minutes).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  if (minutes < 60) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

// The place of the last time that is not after `time`, of every `stride`th value; -1 before all.
function placeAt(values, stride, time) {
  let low = 0, high = Math.ceil(values.length / stride);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle * stride] <= time) low = middle + 1;
    else high = middle;
  }
  return (low - 1) * stride;
}

function isIn(stretches, time) {
  const place = placeAt(stretches, 2, time);
  return place >= 0 && time < stretches[place + 1];
}

function said(face, time) {
  if (!isIn(face.seen, time)) return null;
  const words = [];
  if (isIn(face.judged, time)) words.push(isIn(face.looks, time) ? "looks" : "does not look");
  const gaze = face.gaze.find((stretch) => stretch[0] <= time && time < stretch.at(-1));
  if (gaze) {
    const place = placeAt(gaze, 3, time);
    words.push(`yaw ${gaze[place + 1].toFixed(0)}°, pitch ${gaze[place + 2].toFixed(0)}°`);
  }
  return words.join(", ");
}

function blocks(stretches, top, bottom) {
  let path = "";
  for (let i = 0; i < stretches.length; i += 2)
    path += `M${stretches[i]} ${top}H${stretches[i + 1]}V${bottom}H${stretches[i]}Z`;
  return path;
}

// A value is kept until the next, as a frame is.
function steps(stretches, offset, top) {
  const middle = top + GAZE / 2, scale = GAZE / 2 / data.limit_deg;
  return stretches.map((stretch) => {
    let path = `M${stretch[0]} ${middle}`;
    for (let i = 0; i + 1 < stretch.length; i += 3)
      path += `V${(middle - stretch[i + offset] * scale).toFixed(2)}H${stretch[i + 3]}`;
    return `${path}V${middle}Z`;
  }).join("");
}

function drawn(face) {
  const bottom = CONTACT - 1, yaw = CONTACT + GAP, pitch = yaw + GAZE + GAP;
  return [
    ["seen", blocks(face.seen, bottom - 1, bottom)],
    ["seen", blocks(face.judged, bottom - 6, bottom)],
    ["looks", blocks(face.looks, 1, bottom)],
    ["yaw", steps(face.gaze, 1, yaw)],
    ["pitch", steps(face.gaze, 2, pitch)],
  ].filter(([, path]) => path).map(([name, path]) => `<path class="${name}" d="${path}"/>`).join("");
}

const rows = [...document.querySelectorAll(".row:not(.axis)")].map((row, i) => {
  const face = data.faces[i], lane = row.querySelector("svg");
  lane.style.height = `${HEIGHT}px`;
  lane.innerHTML = drawn(face);
  const lengths = face.seen.map((time, place) => (place % 2 ? time : -time));
  const seen = lengths.reduce((one, other) => one + other);
  return { face, row, lane, seen, words: row.querySelector(".now"), inTable: tableRows[i] };
});

// Of what is zoomed into, rows are those of the faces that are seen in it.
function show(begin, length) {
  span = clamp(length, LEAST_SPAN_S, data.end_s);
  from = clamp(begin, 0, data.end_s - span);
  const least = Number(document.getElementById("least").value);
  for (const { face, row, lane, seen, inTable } of rows) {
    inTable.hidden = seen < least;
    row.hidden = seen < least || face.seen[0] > from + span || face.seen.at(-1) < from;
    lane.setAttribute("viewBox", `${from} 0 ${span} ${HEIGHT}`);
  }
  const shown = rows.filter(({ row }) => !row.hidden).length;
  document.querySelector(".axis .name").textContent = `${shown} of ${rows.length} faces`;
  drawTicks();
  place();
}

function drawTicks() {
  const step = TICKS_S.find((each) => (each * axis.clientWidth) / span >= TICK) ?? TICKS_S.at(-1);
  const ticks = [];
  for (let i = Math.ceil(from / step); i * step < from + span; i++) {
    const tick = document.createElement("span");
    tick.style.left = `${((i * step - from) / span) * 100}%`;
    tick.textContent = clock(i * step, step < 1 ? 1 : 0);
    ticks.push(tick);
  }
  axis.replaceChildren(...ticks);
}

function place() {
  all.style.setProperty("--at", clamp((now - from) / span, 0, 1));
  document.querySelector("output").textContent = `${clock(now, 3)} of ${clock(data.end_s, 3)}`;
  axis.setAttribute("aria-valuenow", now.toFixed(3));
  axis.setAttribute("aria-valuetext", clock(now, 3));
  for (const { face, row, words } of rows) {
    const text = row.hidden ? null : said(face, now);
    row.classList.toggle("present", text !== null);
    if (words.textContent !== (text ?? "")) words.textContent = text ?? "";
  }
}

function follow() {
  if (video.currentTime !== now) {
    now = video.currentTime;
    if (now < from || now > from + span) show(now - span / 20, span);
    else place();
  }
  requestAnimationFrame(follow);
}

// Times are rounded to milliseconds: with one more a frame has begun.
function seek(time) {
  video.currentTime = clamp(time, 0, data.end_s) + 0.001;
}

function zoom(factor) {
  show(now - (span * factor) / 2, span * factor);
}

function play() {
  if (video.paused) video.play();
  else video.pause();
}

function point(event) {
  const { left, width } = axis.getBoundingClientRect();
  if (event.buttons === 1 && event.clientX >= left)
    seek(from + (clamp(event.clientX - left, 0, width) / width) * span);
}

all.addEventListener("pointerdown", point);
all.addEventListener("pointermove", point);
axis.addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: -0.01, ArrowDown: -0.01, ArrowRight: 0.01, ArrowUp: 0.01,
    PageDown: -0.1, PageUp: 0.1, Home: -Infinity, End: Infinity };
  const acts = { " ": play, "+": () => zoom(0.5), "-": () => zoom(2) };
  if (event.key in moves) seek(now + moves[event.key] * span);
  else if (event.key in acts) acts[event.key]();
  else return;
  event.preventDefault();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-time]");
  if (button) seek(Number(button.dataset.time));
});
const listen = (id, act) => document.getElementById(id)?.addEventListener("click", act);
listen("play", play);
listen("closer", () => zoom(0.5));
listen("wider", () => zoom(2));
listen("next", () => seek(looks.find((time) => time > now + 0.002) ?? now));
listen("previous", () => seek(looks.findLast((time) => time < now - 0.002) ?? now));
document.getElementById("least").addEventListener("input", () => show(from, span));
const tell = () => { document.getElementById("no-video").hidden = !video.error; };
video.addEventListener("error", tell);
tell();
new ResizeObserver(drawTicks).observe(axis);
show(0, data.end_s);
follow();
