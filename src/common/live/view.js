// Plays a camera or a video, and shows what the server says of its pictures. The next picture is
// taken when the last one's answer is on the screen: none waits, and a slow server means fewer.
const find = (css) => element.querySelector(css);
const video = find("video"), shown = find("img"), canvas = document.createElement("canvas");
const WINDOW_MS = 2000;
let turn = 0; // which start it is: what an earlier one still waits for counts no more

const tell = (text) => { find(".said").textContent = text; };

const release = (source) => source?.getTracks?.().forEach((track) => track.stop());

function stop() {
  turn += 1;
  release(video.srcObject);
  URL.revokeObjectURL(video.src);
  video.srcObject = null;
  video.removeAttribute("src");
}

function picture() {
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  return canvas.toDataURL("image/jpeg", 0.85);
}

async function run(mine) {
  const shown_ms = [];
  await video.play();
  for (;;) {
    await new Promise((next) => video.requestVideoFrameCallback(next));
    if (mine !== turn) return;
    const taken_ms = performance.now();
    const answer = await server.look({
      session: props.value.session, picture: picture(), is_first: !shown_ms.length,
    });
    if (mine !== turn) return;
    if (!answer?.picture) throw Error(answer?.error || "the server failed, and says there how");
    shown.src = answer.picture;
    shown.hidden = false;
    await shown.decode();
    if (mine !== turn) return;
    const now_ms = performance.now();
    shown_ms.push(now_ms);
    while (shown_ms[0] < now_ms - WINDOW_MS) shown_ms.shift();
    const rate_hz = 1000 * (shown_ms.length - 1) / (now_ms - shown_ms[0] || 1);
    tell(`${answer.said}, ${rate_hz.toFixed(1)} frames a second, `
      + `${Math.round(now_ms - taken_ms)} ms from picture to answer`);
  }
}

async function start(open) {
  stop();
  const mine = turn;
  try {
    const source = await open();
    if (mine !== turn) return release(source);
    if (source instanceof MediaStream) video.srcObject = source;
    else video.src = URL.createObjectURL(source);
    await run(mine);
  } catch (error) {
    if (mine !== turn) return;
    stop();
    tell(`Stopped: ${error.message}`);
  }
}

find("[name=camera]").onclick = () => start(async () => {
  if (!navigator.mediaDevices) throw Error("browsers give their camera to https and localhost only");
  const size = {width: {ideal: 1280}, height: {ideal: 720}};
  return navigator.mediaDevices.getUserMedia({video: size});
});
find("input").onclick = (event) => { event.target.value = ""; }; // the same one may be played again
find("input").onchange = (event) => start(async () => event.target.files[0]);
find("[name=stop]").onclick = () => { stop(); tell("Stopped."); };
// With the value comes the name of this page's session.
watch("value", () => { find("fieldset").disabled = false; });
